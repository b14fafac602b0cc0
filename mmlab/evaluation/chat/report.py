"""The figures of a chat checkpoint, as tables in Markdown, and the log of looks at the test."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mmlab.datasets.dialogue import KINDS
from mmlab.datasets.emoji import EmojiData
from mmlab.evaluation.chat.asked import FULL
from mmlab.evaluation.chat.counterfactual import CHOICES
from mmlab.evaluation.chat.evaluate import evaluate_chat
from mmlab.evaluation.figure import Figure
from mmlab.evaluation.seeds import FILE, keep, spread
from mmlab.models.chat import SHIPPED, MultimodalChat
from mmlab.models.checkpoint import WEIGHTS, sha256
from mmlab.models.joint import SHIPPED as JOINT
from mmlab.models.joint import JointEmbedder
from mmlab.paths import DATA

RESULTS = DATA / "results" / "chat"
SEEDS = RESULTS / FILE
LOG = RESULTS / "test_log.jsonl"
MADE_FROM = "made_from"
NAMED_BY = ("which_named_word", "which_named_audio")
CONTRADICTED = {"is_it_contradicted": "asked alone", "is_it_contradicted_later": "after a question for the name"}
SWAPPED = tuple(f"swapped{part}{kind}" for part in ("", "_beside") for kind in ("", "_is_it", "_kind"))
SUMMARY = ("overall", "overall_near", "overall_far", *KINDS, *NAMED_BY, "first_given_right")
PARTS = ("near", "far", "en", "zh", "espeak", "flite", "unseen_engine")


def evaluate_checkpoint(
    folder: Path = SHIPPED,
    data: EmojiData | None = None,
    *,
    joint: Path = JOINT,
    split: str = "test",
    count: int = FULL,
    log: bool = False,
    log_path: Path = LOG,
    say: Callable[[str], None] | None = None,
) -> dict[str, Figure]:
    """`mmlab eval chat`: the figures of a checkpoint folder; under "made_from" the hashes of what they come from.

    `log` appends a line to the log of evaluations on test, for who still changes the model.
    """
    data = EmojiData.load() if data is None else data
    chat = MultimodalChat.from_pretrained(folder, joint=JointEmbedder.from_pretrained(joint))
    results = evaluate_chat(chat, data, split=split, count=count, say=say)
    results[MADE_FROM] = {
        "checkpoint_sha256": sha256(folder / WEIGHTS),
        "connector": chat.kind,
        "joint_sha256": sha256(joint / WEIGHTS),
        "data_sha256": sha256(data.root / "SHA256SUMS"),
        "split": split,
        "count": count,
    }
    if log and split == "test":
        log_evaluation(results, path=log_path)
    return results


def log_evaluation(results: Mapping[str, Figure], *, path: Path) -> None:
    """Append one line: when, which checkpoint, joint space and data, and the exact match of each kind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figures = headline(results)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with path.open("a", encoding="utf-8") as file:
        file.write(
            json.dumps({"date": now, **results.get(MADE_FROM, {}), "figures": figures}, separators=(",", ":")) + "\n"
        )


def headline(results: Mapping[str, Figure]) -> dict[str, float]:
    """The exact match of each kind, how often verdicts contradict what was said, and what a swapped input changes."""
    keys = {**dict.fromkeys(SUMMARY, "exact_match"), **dict.fromkeys(CONTRADICTED, "contradicted")}
    keys |= dict.fromkeys(SWAPPED, "difference")
    return {name: results[name][key] for name, key in keys.items() if name in results}


def keep_seed(folder: Path, results: Mapping[str, Figure], *, path: Path = SEEDS) -> None:
    """Keep the headline figures of another training of the recipe: the card shows how far trainings differ."""
    keep(folder, headline(results), path=path)


def as_tables(results: Mapping[str, Figure], *, seeds: Sequence[Mapping[str, Any]] = ()) -> str:
    """Three tables in Markdown: each kind beside its ceiling and baselines, exact match by part, the counterfactuals.

    With other trainings of the recipe (`seeds.others`) the first also has the least and the largest over all of them.
    """
    return "\n\n".join([_kinds(results, seeds), _parts(results), _counterfactuals(results)])


def _kinds(results: Mapping[str, Figure], seeds: Sequence[Mapping[str, Any]]) -> str:
    head = ["question", "exact match (%)", "95 %", *["seeds"] * bool(seeds)]
    head += ["ceiling", "of the ceiling", "majority", "question only", "n"]
    rows = []
    for name in SUMMARY:
        if name in results:
            f = results[name]
            rows.append([
                f"`{name}`", _percent(f["exact_match"]), _interval(f), *_spread(name, f["exact_match"], seeds),
                *(_percent(f[key]) for key in ("ceiling", "of_ceiling", "majority", "question_only")), str(f["n"]),
            ])  # fmt: skip
    return _markdown(head, rows) + _by_cosine(results)


def _by_cosine(results: Mapping[str, Figure]) -> str:
    found = results.get("agree_by_cosine", {})
    parts = [f"{_percent(found[place])} % ({place})" for place in ("near", "far") if place in found]
    if not parts:
        return ""
    return (
        "\n\nFor `agree`, the cosine of picture and sound in the joint space against one threshold, the best in hindsight, "
        f"is right in {' and '.join(parts)}."
    )


def _spread(name: str, value: float, seeds: Sequence[Mapping[str, Any]]) -> list[str]:
    if not seeds:
        return []
    found = spread(name, value, seeds)
    return ["" if found is None else f"{_percent(found[0])} to {_percent(found[1])}"]


def _parts(results: Mapping[str, Figure]) -> str:
    """Exact match, and in brackets its share of the ceiling."""
    shown = [part for part in PARTS if any(f"{kind}_{part}" in results for kind in KINDS)]
    rows = [
        [f"`{kind}`", *(_part(results.get(f"{kind}_{part}")) for part in shown)] for kind in KINDS if kind in results
    ]
    return _markdown(["exact match (of the ceiling)", *shown], rows)


def _part(figure: Figure | None) -> str:
    return "" if figure is None else f"{_percent(figure['exact_match'])} ({_percent(figure['of_ceiling'])})"


def _counterfactuals(results: Mapping[str, Figure]) -> str:
    head = [
        "question", "removed: declines (%)", "forced choice (95 %; chance)", "swapped: follows new", "followed old",
        "difference (95 %)", "with something else beside (95 %; n)",
    ]  # fmt: skip
    rows = []
    for name in ("", *(f"_{kind}" for kind in KINDS)):
        cut, swap, beside, forced = (
            results.get(f"{what}{name}") for what in ("removed", "swapped", "swapped_beside", "forced_choice")
        )
        if cut is None or swap is None:
            continue
        choice = (
            ""
            if forced is None
            else f"{_percent(forced['accuracy'])} ({_interval(forced)}; {_percent(forced['chance'])})"
        )
        rows.append([
            f"`{name[1:] or 'all'}`", _percent(cut["declines"]), choice, _percent(swap["follows_new"]),
            _percent(swap["followed_old"]), f"{_percent(swap['difference'])} ({_interval(swap)})",
            "" if beside is None else f"{_percent(beside['difference'])} ({_interval(beside)}; {beside['n']})",
        ])  # fmt: skip
    wrong = results["wrong_declines"]
    said = f"Questions that could be answered, but were declined: {_percent(wrong['declines'])} % of {wrong['n']}."
    return f"{_markdown(head, rows)}\n\n{said}{_contradicted(results)}{_hinted(results)}{_told_by_words(results)}"


def _told_by_words(results: Mapping[str, Figure]) -> str:
    """Which forced choices come out otherwise than by chance, though what decides was not shown."""
    off = [
        f"`{name.removeprefix('forced_choice_')}`"
        for name, f in results.items()
        if name.startswith("forced_choice_") and not f["interval"][0] <= f["chance"] <= f["interval"][1]
    ]
    return f" The forced choice does not hold chance for {', '.join(off)}: the words tell a little." if off else ""


def _hinted(results: Mapping[str, Figure]) -> str:
    """How often a forced choice would be right by what helps to choose, if that were left."""
    shares = [
        f"`{kind}` {_percent(figure['accuracy'])} % ({_interval(figure)}) of {figure['n']}"
        for kind in CHOICES
        if (figure := results.get(f"hinted_{kind}")) is not None
    ]
    return f" With the hints left there, a forced choice is right in: {', '.join(shares)}." if shares else ""


def _contradicted(results: Mapping[str, Figure]) -> str:
    shares = [
        f"{where} {_percent(figure['contradicted'])} % ({_interval(figure)}) of {figure['n']}"
        for name, where in CONTRADICTED.items()
        if (figure := results.get(name)) is not None
    ]
    if not shares:
        return ""
    return f" Answers to `is_it` whose verdict does not follow from the kind that they say: {', '.join(shares)}."


def _interval(figure: Figure) -> str:
    low, high = figure["interval"]
    return f"{_percent(low)} to {_percent(high)}"


def beside(results: Mapping[str, Figure], other: Mapping[str, float], *, names: tuple[str, str]) -> str:
    """Exact match of these results and of another training, kind by kind."""
    shown = [name for name in SUMMARY if name in results and name in other]
    rows = [[f"`{name}`", _percent(results[name]["exact_match"]), _percent(other[name])] for name in shown]
    return _markdown(["exact match (%)", *names], rows)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
