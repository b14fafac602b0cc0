"""Opening a Hugging Face model from a folder or by its hub name: strict, and every refusal is a sentence."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mmlab.encoders.recipes import POOLS, RECIPES, Recipe
from mmlab.types import InputError

WRAPPERS = {"text": "PretrainedText", "image": "PretrainedImage", "audio": "PretrainedAudio"}
PROCESSORS = {"text": "AutoTokenizer", "image": "AutoImageProcessor", "audio": "AutoFeatureExtractor"}


@contextmanager
def _or(sentence: str) -> Iterator[None]:
    """Whatever a library raises over a file that it cannot use, as one sentence; the cause stays chained."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # transformers, tokenizers and safetensors each raise kinds of their own
        cause = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise InputError(f"{sentence} (the cause: {cause}).") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars and no reports on the half of a model that is left out on purpose."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def locate(source: str | Path) -> str:
    """The folder, or the hub name, that `source` stands for."""
    path = Path(source).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise InputError(
                f"A model folder holds config.json, model.safetensors and the files of its tokenizer or processor, but "
                f"{str(source)!r} has no config.json; pass a folder that save_pretrained wrote."
            )
        return str(path)
    text = str(source)
    if path.exists():
        raise InputError(f"Expected a model folder or a hub name, got the file {text!r}; pass the folder it lies in.")
    if isinstance(source, Path) or text.startswith((".", "/", "~")) or "\\" in text or text.count("/") > 1:
        raise InputError(
            f"There is no model folder {text!r}; check the path, or pass a hub name such as 'owner/model'."
        )
    return text


def open_config(source: str) -> Any:
    """The model's own description of itself."""
    from transformers import AutoConfig

    if Path(source).is_dir():
        sentence = (
            f"The file config.json in {source!r} does not describe a model that transformers knows; save it again"
        )
    else:
        sentence = (
            f"The model {source!r} is neither a folder here nor on this machine already, and the Hugging Face hub did "
            "not give it; download it once where the hub can be reached, then pass the folder"
        )
    with _quiet(), _or(sentence):
        return AutoConfig.from_pretrained(source)


def choose(config: Any, *, modality: str, source: str) -> Recipe:
    """The recipe for this half of this kind of model, or a sentence that says which wrapper takes it."""
    from transformers import MODEL_MAPPING

    known = RECIPES[modality].get(config.model_type)
    if known is not None:
        return known
    said = f"{WRAPPERS[modality]} needs a model that reads {modality}, but {source!r} is a {config.model_type} model"
    if type(config) not in MODEL_MAPPING:
        raise InputError(f"{said}, which transformers cannot open by itself; pass another model.")
    reads = MODEL_MAPPING[type(config)].input_modalities
    reads = (reads,) if isinstance(reads, str) else tuple(reads)
    if modality not in reads:
        wrappers = " or ".join(WRAPPERS[name] for name in reads if name in WRAPPERS)
        raise InputError(f"{said}, which reads {' and '.join(reads)}; pass it to {wrappers or 'another tool'}.")
    if len(reads) > 1 or modality == "audio":
        raise InputError(f"{said} whose parts are not known here; pass one of {', '.join(sorted(RECIPES[modality]))}.")
    return Recipe()


def open_model(source: str, *, recipe: Recipe) -> nn.Module:
    """The wanted half of the model in float32; a weight that is missing or misshapen is an error, not a random one."""
    import transformers

    sentence = f"The weights in {source!r} cannot be used; expected a whole model.safetensors that fits config.json"
    with _quiet(), _or(sentence):
        model, info = getattr(transformers, recipe.opens).from_pretrained(
            source, dtype=torch.float32, use_safetensors=True, output_loading_info=True
        )
    missing = sorted(name for name in info["missing_keys"] if not name.startswith("pooler."))
    if missing or info["mismatched_keys"]:
        names = ", ".join((missing or [str(key) for key in info["mismatched_keys"]])[:3])
        raise InputError(f"{sentence}, but {names} (and maybe more) are missing or of another shape; save it again.")
    if len(missing) < len(info["missing_keys"]):
        model.pooler = None  # many checkpoints leave out this head, which no recipe uses: better none than a random one
    return model.get_encoder() if model.config.is_encoder_decoder else model


def open_processor(source: str, *, modality: str) -> Any:
    """The tokenizer, image processor or feature extractor that was saved with the model."""
    import transformers

    sentence = f"The {PROCESSORS[modality][4:]} of {source!r} cannot be opened; save it into the same folder"
    how = {"backend": "pil"} if modality == "image" else {}  # the same pixels whether or not torchvision is installed
    with _quiet(), _or(sentence):
        processor = getattr(transformers, PROCESSORS[modality]).from_pretrained(source, **how)
        files = processor.vocab_files_names.values() if modality == "text" else []
        if files and not any(_beside(source, name) for name in files):  # transformers would invent an empty vocabulary
            raise InputError(f"{sentence}; expected one of {', '.join(files)}.")
    return processor


def _beside(source: str, name: str) -> str | None:
    """The path of a file that a model may have beside it."""
    from transformers.utils import cached_file

    return cached_file(source, name, _raise_exceptions_for_missing_entries=False)


def _side_file(source: str, name: str) -> Any:
    """A JSON file that a model may have beside it, or None."""
    with _or(f"The file {name} of {source!r} cannot be read as JSON; save the model again"):
        path = _beside(source, name)
        return None if path is None else json.loads(Path(path).read_text(encoding="utf-8"))


def as_sentence_model(recipe: Recipe, *, source: str) -> tuple[Recipe, int | None]:
    """The recipe as a sentence-transformers folder corrects it, and the number of tokens that such a model takes."""
    modules = _side_file(source, "modules.json")
    if modules is None:
        return recipe, None
    for module in modules:
        kind = module["type"].rsplit(".", 1)[-1]
        if kind == "Pooling":
            settings = _side_file(source, f"{module['path']}/config.json") or {}
            modes = [
                key.removeprefix("pooling_mode_").removesuffix("_tokens").removesuffix("_token")
                for key, on in settings.items()
                if key.startswith("pooling_mode_") and on is True
            ]
            modes = modes or [settings.get("pooling_mode")]
            if len(modes) != 1 or modes[0] not in POOLS:
                raise InputError(
                    f"The model {source!r} is pooled by {' and '.join(map(str, modes))}, and PretrainedText knows "
                    f"{', '.join(POOLS)}; pass a model that is pooled in one of these ways."
                )
            recipe = replace(recipe, pool=POOLS[modes[0]])
        elif kind == "Normalize":
            recipe = replace(recipe, unit=True)
        elif kind != "Transformer":
            raise InputError(
                f"The sentence model {source!r} ends in a {kind} module, and PretrainedText knows Transformer, Pooling "
                "and Normalize; pass another model."
            )
    limits = _side_file(source, "sentence_bert_config.json") or {}
    return recipe, limits.get("max_seq_length")
