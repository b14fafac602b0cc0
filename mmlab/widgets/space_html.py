"""The words and pictures beside the map: neighbours in each modality, the modality gap, a heat map of cosines."""

from collections.abc import Callable
from html import escape

import numpy as np
from jaxtyping import Float

from mmlab.widgets.labels import SPACE
from mmlab.widgets.media import colourise, data_uri
from mmlab.widgets.points import Points, modality_name

STYLE = """<style>
.mm-side { font: 12px/1.35 var(--jp-ui-font-family, system-ui, sans-serif); color: var(--jp-ui-font-color1, CanvasText); }
.mm-side h4 { margin: 8px 0 2px; font-size: 12px; } .mm-side p { margin: 2px 0; }
.mm-side .mm-tiles { display: flex; gap: 4px; } .mm-side .mm-tile { width: 72px; overflow: hidden; }
.mm-side .mm-tile img { width: 44px; height: 44px; background: #fff; display: block; }
.mm-side .mm-tile span { display: block; max-height: 2.7em; overflow: hidden; overflow-wrap: anywhere; }
.mm-side table { border-collapse: collapse; margin: 2px 0; }
.mm-side td, .mm-side th { padding: 0; border: 0; text-align: center; }
.mm-side td.mm-cell { width: 28px; height: 20px; min-width: 28px; font-size: 10px; }
.mm-side th { font-weight: 400; }
.mm-side th img { width: 18px; height: 18px; background: #fff; display: inline-block; vertical-align: middle; margin: 1px; }
</style>"""


def image(data: bytes | None, *, name: str) -> str:
    """A picture that carries its bytes, or nothing."""
    return f'<img src="{data_uri(data, mime="image/*")}" alt="{escape(name)}">' if data else ""


def gap_lines(gaps: dict[tuple[str, str], float]) -> str:
    """The gaps as one line."""
    word = SPACE["words"]
    parts = [f"{word.get(a, a)} – {word.get(b, b)} <b>{value:.2f}</b>" for (a, b), value in gaps.items()]
    return f"<h4>{SPACE['gap']}</h4><p>{' &nbsp; '.join(parts)}</p>" if parts else ""


def tiles(points: Points, found: list[tuple[int, float]], picture: Callable[[int], bytes | None]) -> str:
    """Neighbours of one modality: picture, name, cosine."""
    made = []
    for index, cosine in found:
        name = points.name(index)
        made.append(
            f'<div class="mm-tile" title="{escape(name)}">{image(picture(index), name=name)}<b>{cosine:.2f}</b>'
            f"<span>{escape(points.names[points.items[index]][0])}</span></div>"
        )
    return f'<div class="mm-tiles">{"".join(made)}</div>'


def neighbours_html(
    points: Points, found: dict[int, list[tuple[int, float]]], picture: Callable[[int], bytes | None], *, name: str
) -> str:
    """The nearest of each modality, one row a modality."""
    rows = [f"<h4>{escape(SPACE['nearest'].format(name=name))}</h4>"]
    for modality, some in found.items():
        word = modality_name(modality)
        rows.append(f"<p>{escape(SPACE['words'].get(word, word))}</p>{tiles(points, some, picture)}")
    return "".join(rows)


def heat_html(
    points: Points,
    chosen: list[int],
    values: Float[np.ndarray, "k k"],
    picture: Callable[[int], bytes | None],
    *,
    hint: str,
) -> str:
    """Cosines as a table of colours with their numbers; the modality's letter stands beside each picture."""
    head = []
    for index in chosen:
        letter = SPACE["words"].get(word := modality_name(int(points.modalities[index])), word)[0]
        name = points.name(index)
        head.append(
            f'<th title="{escape(name)} ({escape(word)})">{image(picture(index), name=name)}{escape(letter)}</th>'
        )
    low = float(min(0.0, values.min()))
    shades = colourise((values - low) / max(1e-9, 1 - low))
    rows = [f"<tr><th></th>{''.join(head)}</tr>"]
    for row, cell in enumerate(head):
        line = []
        for column in range(len(head)):
            red, green, blue = (int(part) for part in shades[row, column])
            ink = "#000" if 0.3 * red + 0.59 * green + 0.11 * blue > 120 else "#fff"
            style = f"background:rgb({red},{green},{blue});color:{ink}"
            line.append(f'<td class="mm-cell" style="{style}">{number(float(values[row, column]))}</td>')
        rows.append(f"<tr>{cell}{''.join(line)}</tr>")
    return f"<h4>{SPACE['heat']}</h4><p>{escape(hint)}</p><table>{''.join(rows)}</table>"


def number(value: float) -> str:
    """Two decimals without the leading zero: .83, −.10, 1.0."""
    said = f"{value:.2f}"
    return said[:3] if said.startswith("1") else said.replace("0.", ".", 1).replace("-", "−")


def side(*parts: str) -> str:
    """All that stands beside the map."""
    return f'{STYLE}<div class="mm-side" role="region" aria-live="polite">{"".join(parts)}</div>'
