"""Where an exercise tells mistakes apart more finely than the kinds do: the hint fits the mistake."""

from pathlib import Path

import pytest

from mmlab.grading.check import check
from mmlab.grading.exercises import EXERCISES
from mmlab.grading.progress import VARIABLE
from mmlab.grading.reference import build, reference_source

PATCHES = "from einops import rearrange\n\ndef patches(picture, size):\n    return "
CUT, WITHIN = "A reshape alone only cuts", "Within a patch the order is channel, row, column"
PAIRS = "def minimal_pairs(scenes, key):\n    n = len(scenes)\n    return "
CHOICE, WRITTEN, ORDER = "Look at every key", "Each pair once", "the pairs are ordered"
GOOD = "sum(scenes[i][k] != scenes[j][k] for k in scenes[i]) == 1 and scenes[i][key] != scenes[j][key]"


@pytest.fixture(autouse=True)
def own_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "progress.jsonl"))


@pytest.mark.parametrize(
    ("result", "hint"),
    [
        ("picture.reshape(-1, 3 * size * size)", CUT),
        ('rearrange(picture, "c (r p) (k q) -> (k r) (c p q)", p=size, q=size)', CUT),
        ('rearrange(picture, "c (r p) (k q) -> (r k) (p q c)", p=size, q=size)', WITHIN),
        ('rearrange(picture, "c (r p) (k q) -> (r k) (c q p)", p=size, q=size)', WITHIN),
    ],
)
def test_a_wrong_order_within_the_patches_is_told_from_wrong_patches(result: str, hint: str) -> None:
    assert hint in check("05_3.1", build(EXERCISES["05_3.1"], PATCHES + result)).hint


@pytest.mark.parametrize(
    ("result", "hint"),
    [
        ("[[i, j] for i in range(n) for j in range(i + 1, n) if scenes[i][key] != scenes[j][key]]", CHOICE),
        (
            "[[i, j] for i in range(n) for j in range(i + 1, n)"
            " if sum(scenes[i][k] != scenes[j][k] for k in scenes[i]) == 1]",
            CHOICE,
        ),
        (f"[[i, j] for i in range(n) for j in range(n) if {GOOD}]", WRITTEN),
        (f"[[i, j] for i in range(n) for j in range(i + 1, n) if {GOOD}] * 2", WRITTEN),
        (f"[[i, j] for j in range(n) for i in range(j) if {GOOD}][::-1]", ORDER),
    ],
)
def test_wrongly_chosen_pairs_are_told_from_wrongly_written_ones(result: str, hint: str) -> None:
    assert hint in check("06_1.2", build(EXERCISES["06_1.2"], PAIRS + result)).hint


@pytest.mark.parametrize("id", ["05_3.1", "06_1.2"])
def test_right_solutions_have_no_hint(id: str) -> None:
    assert not check(id, build(EXERCISES[id], reference_source(id))).hint
