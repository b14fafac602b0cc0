"""A FusionLab's state in words: the formula with the present numbers, and the code that does the same."""

import json
from html import escape

from mmlab.types import MODALITIES
from mmlab.widgets.fusion_math import HEAD
from mmlab.widgets.fusion_state import DIRECT, Channel, FusionState

LETTER = dict(zip(MODALITIES, "tia", strict=True))  # of the article's z_t, z_i, z_a


def latex(state: FusionState, used: tuple[str, ...]) -> str:
    r"""The formula with the present numbers, for Markdown or `IPython.display.Math`."""
    terms = [_number(state, name) + rf"\,{_tex(state, name)}" * bool(_number(state, name)) for name in used]
    terms = [term or _tex(state, name) for term, name in zip(terms, used, strict=True)]
    if state.operator in ("sum", "weighted_sum"):
        return "z = " + " + ".join(terms)
    if state.operator == "mean":
        return rf"z = \tfrac{{1}}{{{len(used)}}} \left( {' + '.join(terms)} \right)"
    inside = rf"\left( {', '.join(terms)} \right)"
    name = state.operator.replace("_", r"\_")
    return rf"z = \max {inside}" if state.operator == "max" else rf"z = F_{{\mathrm{{{name}}}}} {inside}"


def html(state: FusionState, used: tuple[str, ...]) -> str:
    """The same formula as HTML; a browser draws it at once, which no typesetter does at every turn of a knob."""
    terms = []
    for name in used:
        number = _number(state, name)
        factor = f'<b data-weight="{name}">{number}</b>&thinsp;' if number else ""
        terms.append(f'<span class="fl-{name}">{factor}{_symbol(state, name)}</span>')
    z = "<var>z</var> = "
    if state.operator in ("sum", "weighted_sum"):
        return z + " + ".join(terms)
    if state.operator == "mean":
        return f"{z}<sup>1</sup>&frasl;<sub>{len(used)}</sub> ({' + '.join(terms)})"
    name = "max" if state.operator == "max" else f"<var>F</var><sub>{escape(state.operator)}</sub>"
    return f"{z}{name}&thinsp;({', '.join(terms)})"


def code(state: FusionState, used: tuple[str, ...]) -> str:
    """Python that computes the fused vector of this state without any widget, and prints what it finds."""
    given = {name: state.channel(name) for name in used}
    noises = [f"{name}={_noised(state, name)}" for name in used]
    lines = ["import torch", "from torch.nn.functional import normalize", ""]
    lines += ["from mmlab import EmojiData, load_shipped", "from mmlab.apps.search import Search"]
    if "audio" in given and given["audio"].kind == "thing":
        lines += ["from mmlab.datasets.emoji import decode_audio"]
    if state.operator in DIRECT:
        lines += ["from mmlab.fusion import FUSIONS"]
    else:
        lines += ["from mmlab.evaluation.fusion import load_heads"]
    functions = [_NOISES[name] for name in used if given[name].noise]
    if functions:
        lines += [f"from mmlab.widgets.fusion_inputs import {', '.join(sorted(functions))}"]
    loads = [f"load_{name}" for name in ("image", "audio") if name in given and given[name].kind == "upload"]
    if loads:
        lines += [f"from mmlab.preprocessing import {', '.join(sorted(loads))}"]
    lines += ["", "data, model = EmojiData.load(), load_shipped()"]
    lines += ["seen = model.features(", *(f"    {line}," for line in noises), ")"]
    unit = "z for name, (_, z)" if state.normalise else "model.projections[name](x).detach() for name, (x, _)"
    lines += [f"z = {{name: {unit} in seen.items()}}"]
    weights = {name: state.weight(name) for name in used}
    if any(weight != 1 for weight in weights.values()):
        lines += [
            f"weights = {json.dumps(weights)}",
            "z = {name: weights[name] * vector for name, vector in z.items()}",
        ]
    if state.operator in DIRECT:
        lines += [f'fusion = FUSIONS["{state.operator}"](dict.fromkeys(z, model.dim))']
    else:
        lines += [f'fusion = load_heads()["{HEAD}.{state.operator}"]']
    lines += ["with torch.no_grad():", "    fused = normalize(fusion(**z)[0], dim=0)"]
    lines += ["for hit in Search(model, data).nearest(fused, k=5):"]
    lines += ['    print(f"{hit.score:.3f}  {hit.thing.name_en}  {hit.thing.name_zh}")']
    return "\n".join(lines) + "\n"


_NOISES = {"text": "garbled", "image": "blurred", "audio": "hissing"}


def _noised(state: FusionState, modality: str) -> str:
    channel = state.channel(modality)
    source = _source(modality, channel)
    if channel.noise:
        source = f"{_NOISES[modality]}({source}, {channel.noise!r}, {state.seed})"
    return f"[{source}]"


def _source(modality: str, channel: Channel) -> str:
    """The expression that gives a channel's input, without noise."""
    if channel.kind == "typed":
        return _quoted(channel.value)
    if channel.kind == "upload":
        return (
            f"load_image({_quoted(channel.value)})"
            if modality == "image"
            else f"load_audio({_quoted(channel.value)}, cut=True)"
        )
    if modality == "text":
        return f'data["{channel.value}"].name({_quoted(channel.form)})'
    if modality == "image":
        return f'data.image("{channel.value}", {_quoted(channel.form)})'
    chosen = f'data.clips(thing="{channel.value}", voice={_quoted(channel.form)})'
    return f'decode_audio({chosen}["audio"][0].as_py()["bytes"])'


def _quoted(words: str) -> str:
    return json.dumps(words, ensure_ascii=False)


def _number(state: FusionState, modality: str) -> str:
    return "" if state.operator == "sum" else f"{state.weight(modality):.2f}"


def _tex(state: FusionState, modality: str) -> str:
    letter = LETTER[modality]
    symbol = f"z_{letter}" if state.normalise else rf"W_{letter}^\top x_{letter}"
    return rf"\tilde{{z}}_{letter}" if state.normalise and state.channel(modality).noise else symbol


def _symbol(state: FusionState, modality: str) -> str:
    letter = LETTER[modality]
    if not state.normalise:
        return f"<var>W</var><sub>{letter}</sub><sup>⊤</sup><var>x</var><sub>{letter}</sub>"
    wave = "&#771;" if state.channel(modality).noise else ""  # a tilde: what came in was not clean
    return f"<var>z{wave}</var><sub>{letter}</sub>"
