"""Pictures of any kind to RGB on white, and to tensors."""

import os
import re
import warnings
from collections.abc import Sequence
from io import BytesIO
from typing import Final

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from mmlab.preprocessing.files import check_bytes, read_file, unreadable
from mmlab.preprocessing.fit import IMAGE_SIZE
from mmlab.preprocessing.limits import MAX_PIXELS, PICTURES, reason, refusal
from mmlab.types import InputError

# Named, because Pillow would otherwise try formats that run other programs (EPS starts Ghostscript).
FORMATS: Final = ("PNG", "JPEG", "MPO", "GIF", "WEBP", "BMP", "TIFF", "PPM", "ICO", "AVIF")


def load_image(source: str | os.PathLike[str] | bytes | Image.Image | np.ndarray) -> Image.Image:
    """One picture, RGB, in its own size: white where transparent, turned as its EXIF says, first frame of an animation.

    Takes a path, the bytes of a file, a PIL picture, or an array (height, width[, 1, 3 or 4 channels]) of bool, uint8,
    uint16, or floats in [0, 1].

    Raises:  InputError, one sentence, for what is no picture, a damaged one, or one beyond the limits
    """
    if isinstance(source, np.ndarray):
        name = f"array {source.shape}"
        return _flatten(_from_array(source, name=name), name=name)
    if isinstance(source, Image.Image):
        name = str(getattr(source, "filename", "")) or "this picture"
        _check_size(*source.size, name=name)
        return _flatten(_decode(source, name=name), name=name)
    if isinstance(source, bytes):
        name, data = f"these {len(source)} bytes", source
        check_bytes(data, name=name, expected=PICTURES)
    else:
        name, data = str(source), read_file(source, expected=PICTURES)
    return _flatten(_decode(_open(data, name=name), name=name), name=name)


def image_tensor(pictures: Sequence[Image.Image]) -> Float[Tensor, f"batch 3 {IMAGE_SIZE} {IMAGE_SIZE}"]:
    """Pictures that `fit_image` made, as one tensor.

    Shape:   n RGB pictures of 64 x 64 -> (n, 3, 64, 64)
    Units:   [0, 1]; 1 is white
    Raises:  InputError for no picture, or one of another size or mode
    """
    if len(pictures) == 0:
        raise InputError("Expected at least one picture, got an empty list; leave the pictures out altogether.")
    for index, picture in enumerate(pictures):
        if picture.size != (IMAGE_SIZE, IMAGE_SIZE) or picture.mode != "RGB":
            width, height = picture.size
            raise refusal(
                f"picture {index} of the list",
                expected=f"RGB and {IMAGE_SIZE} x {IMAGE_SIZE} pixels",
                came=f"it is {picture.mode} and {width} x {height}",
                todo="bring it into shape with fit_image(load_image(...))",
            )
    pixels = torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures]))
    return rearrange(pixels, "batch height width channel -> batch channel height width").float() / 255


def _check_size(width: int, height: int, *, name: str) -> None:
    """Before anything is decoded: a file of 50 kB can unfold to gigabytes."""
    if not 0 < width * height <= MAX_PIXELS:
        todo = "scale it down" if width * height else "export it again"
        raise _wrong_size(name, came=f"it has {width} x {height} = {width * height:,}", todo=todo)


def _wrong_size(name: str, *, came: str, todo: str) -> InputError:
    return refusal(name, expected=f"a picture of 1 to {MAX_PIXELS:,} pixels", came=came, todo=todo)


def _open(data: bytes, *, name: str) -> Image.Image:
    """Read the header only, and judge the size that it states."""
    Image.init()
    known = [name for name in FORMATS if name in Image.OPEN]  # a Pillow built without AVIF does not know the name
    try:
        with warnings.catch_warnings(action="ignore"):  # Pillow warns of bombs from 89 million pixels on
            picture = Image.open(BytesIO(data), formats=known)
    except Image.DecompressionBombError as error:  # and refuses from 179 million on, with the number in its words
        pixels = re.search(r"\d+", str(error))
        raise _wrong_size(name, came=f"it has {int(pixels[0]):,}" if pixels else "more", todo="scale it down") from None
    except UnidentifiedImageError:
        error = ValueError("its header cannot be read")
        raise unreadable(name, data, kind="picture", expected=PICTURES, error=error) from None
    except Exception as error:  # decoders raise anything on hostile bytes
        raise unreadable(name, data, kind="picture", expected=PICTURES, error=error) from None
    _check_size(*picture.size, name=name)
    return picture


def _decode(picture: Image.Image, *, name: str) -> Image.Image:
    with warnings.catch_warnings(action="ignore"):  # what matters of Pillow's warnings becomes a sentence here
        try:
            picture.load()
        except Exception as error:  # decoders raise anything on hostile bytes
            came = f"this one is damaged or cut off ({reason(error)})"
            raise refusal(name, expected=PICTURES, came=came, todo="copy or export it again") from None
        try:
            return ImageOps.exif_transpose(picture)
        except Exception:  # an EXIF block that cannot be read states no rotation: the pixels stand as they are
            return picture


def _flatten(picture: Image.Image, *, name: str) -> Image.Image:
    """Any mode to RGB; what is transparent shows white."""
    if picture.mode == "F" or picture.mode.startswith("I"):
        picture = _deep_to_bytes(picture, name=name)
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    picture = picture.convert("LA") if picture.mode == "La" else picture  # Pillow knows no direct way for "La"
    picture = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")


def _deep_to_bytes(picture: Image.Image, *, name: str) -> Image.Image:
    """16 bits a pixel to 8; 32 bits only where their scale is plain: integers up to 65535, floats up to 1."""
    values, full = np.asarray(picture), 1.0 if picture.mode == "F" else 65535.0
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= full):  # so written, NaN is refused too
        came = f"its 32-bit values run from {low:g} to {high:g}"
        raise refusal(name, expected=f"values from 0 to {full:g}", came=came, todo="save it with 8 bits a channel")
    return Image.fromarray(np.rint(values * (255.0 / full)).astype(np.uint8))


def _from_array(array: np.ndarray, *, name: str) -> Image.Image:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        expected = "a picture as (height, width) or (height, width, 1, 3 or 4 channels)"
        raise refusal(name, expected=expected, came="its axes are others", todo="bring the channels last")
    _check_size(array.shape[1], array.shape[0], name=name)
    if np.issubdtype(array.dtype, np.floating):
        low, high = array.min(), array.max()
        if not (low >= 0 and high <= 1):  # so written, NaN is refused too
            came = f"its values run from {low:g} to {high:g}"
            raise refusal(name, expected="floats in [0, 1]", came=came, todo="divide them by 255, or clip them")
        array = np.rint(array * 255.0).astype(np.uint8)
    elif array.dtype == np.uint16:
        array = np.rint(array / 257.0).astype(np.uint8)
    elif array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    elif array.dtype != np.uint8:
        expected = "bool, uint8, uint16 or floats in [0, 1]"
        raise refusal(name, expected=expected, came=f"its values are {array.dtype}", todo="convert them to uint8")
    return Image.fromarray(array[:, :, 0] if array.shape[2:] == (1,) else array)
