"""The one way a picture becomes a small square: the data builder and the models use this same function."""

from PIL import Image, ImageChops

IMAGE_SIZE = 64  # pixels, the side of every picture that a model sees
MARGIN = 2  # pixels of white left on each side
LARGEST = 1024  # pixels, the longer side of what is squared; no drawing of the dataset comes near it
WHITE_TOLERANCE = 8  # of 255: a pixel this close to white counts as ground


def fit_image(image: Image.Image, *, size: int = IMAGE_SIZE) -> Image.Image:
    """Crop a picture to what is drawn on its white ground, centre it in a white square and resize that square.

    Transparent pixels count as white, so a file with an alpha channel and its flattened copy give the same square. A
    picture without white edges (a photograph) keeps all of itself; one that is white all over comes out white.
    """
    if image.mode != "RGB":
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image.convert("RGBA"))
        image = ground.convert("RGB")
    darkness = ImageChops.invert(image)
    content = darkness.point(lambda value: 255 * (value > WHITE_TOLERANCE)).getbbox()
    if content is not None:
        image = image.crop(content)
    if max(image.size) > LARGEST:  # a strip of 20,000 x 40 would else ask for a square of 400 megapixels
        image = image.copy()
        image.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    side = max(image.size)
    square = Image.new("RGB", (side, side), "white")
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    inner = size - 2 * MARGIN
    result = Image.new("RGB", (size, size), "white")
    result.paste(square.resize((inner, inner), Image.Resampling.LANCZOS), (MARGIN, MARGIN))
    return result
