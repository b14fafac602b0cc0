"""The figures for people: tables in Markdown, the part of the model card, and the log of looks at the test."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mmlab.datasets.emoji import EmojiData
from mmlab.evaluation.baselines import baselines
from mmlab.evaluation.figure import Figure
from mmlab.evaluation.joint import evaluate_joint
from mmlab.evaluation.seeds import FILE, keep, spread, told
from mmlab.models.checkpoint import WEIGHTS, sha256
from mmlab.models.joint import SHIPPED, JointEmbedder
from mmlab.paths import DATA

LOG = DATA / "results" / "joint" / "test_log.jsonl"
SEEDS = LOG.with_name(FILE)
MADE_FROM = "made_from"
BASELINES = ("nearest_pixels", "nearest_mel", "text_only")
VALUES = ("r1", "accuracy", "auc", "gap", "share")  # the one number of a figure, whichever it has
HEADLINE = (
    "speech_to_text_espeak", "speech_to_text_flite", "speech_to_text_unseen_engine", "speech_to_text_zh",
    "en_to_zh", "zh_to_en", "text_to_image_near", "text_to_image_far", "image_to_text_near", "image_to_text_far",
    "subgroup_near", "subgroup_far", "speech_to_image_near", "speech_to_image_far",
    "fused_to_text_near", "fused_to_text_far", "speech_to_text_noisy", "fused_to_text_near_noisy",
    "fused_to_text_far_noisy", "match_auc_near", "match_auc_far", "zero_shot_image_to_text",
)  # fmt: skip


def evaluate_checkpoint(
    folder: Path = SHIPPED,
    data: EmojiData | None = None,
    *,
    split: str = "test",
    with_baselines: bool = False,
    log: bool = False,
    log_path: Path = LOG,
    say: Callable[[str], None] | None = None,
) -> dict[str, Figure]:
    """`mmlab eval joint`: the figures of a checkpoint folder; under "made_from" the hashes of what they come from.

    `log` appends a line to the log of evaluations on test: whoever still changes the model should use it, so that the
    card can say how often the test was looked at. Who only repeats the stated figures need not.
    """
    data = EmojiData.load() if data is None else data
    results = evaluate_joint(JointEmbedder.from_pretrained(folder), data, split=split, say=say)
    if with_baselines:
        results |= baselines(data, split=split, say=say)
    hashes = {"checkpoint_sha256": sha256(folder / WEIGHTS), "data_sha256": sha256(data.root / "SHA256SUMS")}
    results[MADE_FROM] = {**hashes, "split": split}
    if log and split == "test":
        log_evaluation(results, path=log_path)
    return results


def log_evaluation(results: Mapping[str, Figure], *, path: Path) -> None:
    """Append one line: when, which checkpoint and data, and the headline figures."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figures = {name: value_of(results[name]) for name in HEADLINE if name in results}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with path.open("a", encoding="utf-8") as file:
        file.write(
            json.dumps({"date": now, **results.get(MADE_FROM, {}), "figures": figures}, separators=(",", ":")) + "\n"
        )


def keep_seed(folder: Path, results: Mapping[str, Figure], *, path: Path = SEEDS) -> None:
    """Keep the figures of another training of the recipe: the card shows how far trainings differ."""
    keep(folder, {name: value for name, f in results.items() if (value := value_of(f)) is not None}, path=path)


def value_of(figure: Figure) -> float | None:
    """R@1, accuracy, AUC, gap or share: the one number that a figure is about; None for a count or a hash."""
    return next((figure[name] for name in VALUES if name in figure), None)


def as_table(results: Mapping[str, Figure], *, seeds: Sequence[Mapping[str, Any]] = ()) -> str:
    """Two tables in Markdown: retrieval, and everything else that has one number.

    Beside each figure stands its baseline where `results` holds one (beside a fused one what picture and sound reach alone,
    and how much of the better one's error is closed), and, where `seeds` holds other trainings of the
    same recipe (`seeds.others`), the least and the largest value over all of them.
    """
    base = {name for name in results if name.endswith(BASELINES)}
    ranked = {name: figure for name, figure in results.items() if "r1" in figure and name not in base}
    other = {
        name: f for name, f in results.items() if value_of(f) is not None and name not in ranked and name not in base
    }
    spread = ["seeds"] if seeds else []
    head = ["figure", "R@1 (%)", "95 %", *spread, "R@5", "R@10", "median rank", "n", "chance at 1, 5", "baseline"]
    rows = [
        [
            f"`{name}`", _percent(f["r1"]), _interval(f), *_spread(name, results, seeds),
            _percent(f["r5"]), _percent(f["r10"]), f"{f['median_rank']:g}", str(f["n"]),
            f"{_percent(f['chance'], digits=2)}, {_percent(f['chance_r5'], digits=2)}", _baseline(name, results),
        ]
        for name, f in ranked.items()
    ]  # fmt: skip
    tables = [_markdown(head, rows)] if rows else []
    head = ["figure", "value", "95 %", *spread, "n", "chance", "baseline"]
    rows = [
        [
            f"`{name}`", _number(name, value_of(f)), _interval(f, name), *_spread(name, results, seeds), str(f["n"]),
            _number(name, f["chance"]) if "chance" in f else "", _baseline(name, results),
        ]
        for name, f in other.items()
    ]  # fmt: skip
    return "\n\n".join([*tables, *([_markdown(head, rows)] if rows else [])])


def card_figures(results: Mapping[str, Figure], *, seeds: Sequence[Mapping[str, Any]] = (), log: Path = LOG) -> str:
    """The section of the model card that states the figures; `results` hold the baselines too."""
    shared, looks = results["shared_names"], len(log.read_text("utf-8").splitlines()) if log.is_file() else 0
    return "\n\n".join(
        [
            "On drawing styles and voices that were in no part of training or tuning: `near` is Twemoji, `far` is "
            "OpenMoji. Asked about are the things of the training families; the gallery is all of them and those never "
            "seen. The names are the same strings as in training: what is tested is the drawing and the voice. Ties "
            "count as wrong. "
            f"Of {shared['n']} things, {shared['en']} share their English and {shared['zh']} their Chinese name with "
            "another; these count as right answers for each other.",
            f"Results on the test were looked at and logged {looks} times (`{LOG.name}`). {told(seeds)}",
            as_table(results, seeds=seeds),
        ]
    )


def _spread(name: str, results: Mapping[str, Figure], seeds: Sequence[Mapping[str, Any]]) -> list[str]:
    if not seeds:
        return []
    found = spread(name, value_of(results[name]), seeds)
    return ["" if found is None else f"{_number(name, found[0])} to {_number(name, found[1])}"]


def _baseline(name: str, results: Mapping[str, Figure]) -> str:
    if "error_closed" in (one := results[name]):
        alone = f"{_percent(one['image_r1'])} (picture alone), {_percent(one['audio_r1'])} (sound alone)"
        return alone if one["error_closed"] is None else f"{alone}: closes {_percent(one['error_closed'])} of the error"
    found = {base: results[f"{name}_{base}"] for base in BASELINES if f"{name}_{base}" in results}
    return ", ".join(f"{_percent(value_of(figure))} ({base.replace('_', ' ')})" for base, figure in found.items())


def _interval(figure: Figure, name: str = "") -> str:
    low, high = figure["interval"]
    return f"{_number(name, low)} to {_number(name, high)}"


def _number(name: str, value: float) -> str:
    """Shares in per cent; an AUC or a gap as it is."""
    return f"{value:.3f}" if name.startswith(("match_auc", "modality_gap")) else _percent(value)


def _percent(value: float, *, digits: int = 1) -> str:
    return f"{100 * value:.{digits}f}"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
