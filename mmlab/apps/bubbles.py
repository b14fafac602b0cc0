"""A conversation as HTML for a notebook: small pictures, sounds to play, no script, nothing fetched from anywhere."""

from collections.abc import Sequence
from html import escape

from mmlab.apps.media import WORDS, Medium
from mmlab.apps.transcript import Exchange

LINE = "margin: 0.3em 0; padding: 0.4em 0.8em; border-radius: 0.8em; max-width: 34em; border: 1px solid"
YOURS = f"{LINE} #8888; margin-left: auto; width: fit-content"
MINE = f"{LINE} #0072b2; width: fit-content"
NOTICE = "font-style: italic"
IMAGE = "max-width: 96px; max-height: 96px; background: white; border-radius: 4px; vertical-align: middle"
AUDIO = "height: 32px; width: 220px; vertical-align: middle"
EMPTY = "<p><i>Nothing has been said yet.</i></p>"


def as_html(exchanges: Sequence[Exchange], *, remembered: int) -> str:
    """Each exchange as two lines; those before the last `remembered` ones stand above a line that says so."""
    if not exchanges:
        return EMPTY
    lines, forgotten = [], len(exchanges) - remembered
    for number, one in enumerate(exchanges):
        if number == forgotten:
            lines.append(
                '<p style="opacity: 0.7; text-align: center"><small>What stands above is forgotten.</small></p>'
            )
        lines.append(_exchange(one))
    return f'<div style="max-width: 46em">{"".join(lines)}</div>'


def _exchange(one: Exchange) -> str:
    media = "".join(map(_medium, one.media))
    said = f'<div lang="{one.language}">{escape(one.question)}</div>'
    notice = f'<span style="{NOTICE}">{escape(one.notice)}</span> ' if one.notice else ""
    end = " …" if one.stopped else ""
    return (
        f'<div style="{YOURS}" aria-label="You">{media}{said}</div>'
        f'<div style="{MINE}" aria-label="Model" lang="{one.language}">{notice}{escape(one.answer)}{end}</div>'
    )


def _medium(medium: Medium) -> str:
    label, source = escape(f"{WORDS[medium.modality]} {medium.name}"), medium.uri()
    if medium.modality == "image":
        return f'<img src="{source}" alt="{label}" title="{label}" style="{IMAGE}"> '
    return f'<audio controls preload="metadata" src="{source}" aria-label="{label}" style="{AUDIO}"></audio> '
