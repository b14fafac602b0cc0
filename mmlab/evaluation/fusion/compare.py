"""`mmlab eval fusion`: every operator, the same frozen vectors, the same budget, several seeds."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmlab.datasets.emoji import EmojiData
from mmlab.evaluation.fusion.bank import Bank, encode_bank
from mmlab.evaluation.fusion.deck import TASKS
from mmlab.evaluation.fusion.fit import Budget, Trainer
from mmlab.evaluation.fusion.head import SMALL
from mmlab.evaluation.fusion.points import Bench, Point, one_thread, points
from mmlab.evaluation.fusion.store import KEPT, save_heads
from mmlab.evaluation.fusion.summary import summarise
from mmlab.fusion import FUSIONS
from mmlab.models.checkpoint import sha256
from mmlab.models.fingerprint import fingerprint
from mmlab.models.joint import SHIPPED, JointEmbedder
from mmlab.types import InputError

QUICK = Budget(steps=100, agreement=100, batch=256, choices=((0.01, 1.0),), looks=4)


def compare_checkpoint(
    folder: Path = SHIPPED,
    data: EmojiData | None = None,
    *,
    run: Path,
    seeds: int = 5,
    quick: bool = False,
    heads: Path | None = None,
    say: Callable[[str], None] = print,
    track: Callable[[Sequence[Point]], Any] = iter,
) -> dict[str, Any]:
    """All figures of the comparison for a checkpoint folder; goes on where an earlier call in `run` was cut off.

    `quick` looks once at everything with a short budget and one seed; its figures are for trying, not for stating.
    With `heads`, narrow linear heads for pairs and retrieval (first seed) are written there.

    Cost:    encodes about 60,000 items once (some minutes); then one second (AVX-512) to ten per head, 140 heads a seed
    """
    data = EmojiData.load() if data is None else data
    model = JointEmbedder.from_pretrained(folder)
    hashes = {"joint": fingerprint(model), "data_sha256": sha256(data.root / "SHA256SUMS")}
    bank = encode_bank(model, data, cache=run / "views", made_from=" ".join(hashes.values()), say=say)
    budget = QUICK if quick else Budget()
    return compare(
        bank, run=run / ("quick" if quick else "full"), seeds=1 if quick else seeds, budget=budget, made_from=hashes,
        heads=heads, say=say, track=track,
    )  # fmt: skip


def compare(
    bank: Bank,
    *,
    run: Path,
    seeds: int,
    budget: Budget | None = None,
    made_from: dict[str, str] | None = None,
    operators: Sequence[str] = tuple(FUSIONS),
    tasks: Sequence[str] = tuple(TASKS),
    heads: Path | None = None,
    say: Callable[[str], None] = print,
    track: Callable[[Sequence[Point]], Any] = iter,
) -> dict[str, Any]:
    """`compare_checkpoint` for vectors that are there already."""
    if seeds < 1:
        raise InputError(f"A comparison needs at least one seed, got {seeds}; five give an interval worth stating.")
    one_thread()
    trainer = Trainer(bank, Budget() if budget is None else budget)
    bench = Bench(trainer, run=run, made_from=made_from or {}, operators=operators)
    plan = points(seeds=seeds, operators=operators, tasks=tasks)
    say(f"{len(plan)} heads to train, on {len(bank.split['train'])} things; "
        f"{len(bank.split['validation'])} to choose by and {len(bank.split['test'])} to test on.")  # fmt: skip
    results, seed = [], 0
    for point in track(plan):
        if point.seed != seed:
            trainer.forget()
            seed = point.seed
        results.append(bench.measure(point))
    if heads is not None:
        keep_heads(bench, heads, made_from=made_from or {}, operators=operators, tasks=tasks)
    figures = summarise(results, series=[point.series for point in plan])
    sides = {name: len(side) for name, side in bank.split.items()}
    return {
        **figures, "made_from": {**bench.settings, "seeds": list(range(seeds)), "things": sides}
    }  # fmt: skip


def keep_heads(
    bench: Bench, folder: Path, *, made_from: dict[str, str], operators: Sequence[str], tasks: Sequence[str]
) -> None:
    """Train narrow heads (SMALL) at the first seed and write them, with their shares on validation, into one folder."""
    found = {
        f"{task}.{name}": bench.trainer.fit(name, task, width=SMALL, seed=0)
        for task in KEPT
        if task in tasks
        for name in operators
    }
    dim = bench.trainer.basis.shape[0]
    save_heads(
        {name: fitted.head for name, fitted in found.items()}, folder, dim=dim, width=SMALL,
        validation={name: round(fitted.validation, 4) for name, fitted in found.items()},
        made_from=made_from, budget=bench.settings["budget"],
    )  # fmt: skip
