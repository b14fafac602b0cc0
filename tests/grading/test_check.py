"""The self-check: what a learner sees, how fast, in what words, and that it never gives the answer away."""

import math
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import mmlab
from mmlab.grading.check import check
from mmlab.grading.compare import Close, Judged, Sealed
from mmlab.grading.cross import UnfitError, attempt, live, plain
from mmlab.grading.exercise import Exercise
from mmlab.grading.exercises import EXERCISES
from mmlab.grading.hints import hint
from mmlab.grading.progress import VARIABLE
from mmlab.grading.reference import build, reference_source
from mmlab.grading.values import Call, Failure, Outcome, Tensor
from mmlab.paths import ROOT
from mmlab.types import InputError

SECONDS = 0.1  # of processor time, for a check after the first; here with every shape checked, too


@pytest.fixture(autouse=True)
def own_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "progress.jsonl"))


def solution(id: str, source: str | None = None) -> object:
    return build(EXERCISES[id], reference_source(id) if source is None else source)


def test_a_stub_is_not_attempted_yet_and_leaves_no_trace(tmp_path: Path) -> None:
    for exercise in EXERCISES.values():
        result = check(exercise.id, solution(exercise.id, exercise.stub))
        assert (
            not result.attempted and "not attempted yet" in repr(result) and "not attempted yet" in result._repr_html_()
        )
    assert list(tmp_path.iterdir()) == []


def test_a_right_solution_has_all_visible_points_and_is_quick() -> None:
    for exercise in EXERCISES.values():
        entry = solution(exercise.id)
        check(exercise.id, entry)
        times = []
        for _ in range(3):  # the least of three: Python tidies its memory when it likes
            start = time.process_time()
            result = check(exercise.id, entry)
            times.append(time.process_time() - start)
        assert min(times) < SECONDS, exercise.id
        assert result.points == result.full == sum(one.points for one in exercise.visible)
        assert "All checks pass." in repr(result) and "✗" not in repr(result)


def test_a_wrong_solution_is_told_what_was_tried_what_came_and_what_to_think_about() -> None:
    swapped = EXERCISES["04_1.2"].wrong[1].source
    text = repr(check("04_1.2", solution("04_1.2", swapped)))
    assert "2 of 3 points" in text and "✓ three modalities (2 points)" in text and "✗ any order (1 point)" in text
    assert re.search(r"tried +as_one_map\(weights=\{audio: float64 array of shape \(\d, 3\)", text)
    assert re.search(r"came +a dict \(W: a float64 array", text) and re.search(r"expected +a dict \(W: a float64", text)
    assert "Hint 1 of 2: The order is that of the concatenation" in text


def test_the_next_call_gives_the_next_hint_and_after_the_last_the_first() -> None:
    wrong = solution("04_1.2", EXERCISES["04_1.2"].wrong[1].source)
    shown = [check("04_1.2", wrong).hint for _ in range(4)]
    assert [text.split(":")[0] for text in shown] == ["Hint 1 of 2", "Hint 2 of 2", "Hint 1 of 2", "Hint 2 of 2"]
    assert shown[0] == shown[2] != shown[1]
    other = solution("04_1.2", EXERCISES["04_1.2"].wrong[2].source)  # another mistake begins with its own first hint
    assert check("04_1.2", other).hint.startswith("Hint 1 of")


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.id)
def test_what_is_shown_never_holds_the_expected_numbers(exercise: object) -> None:
    """Every long number in the output was given by the learner's side: an argument or their own result."""
    stored = (ROOT / "mmlab" / "grading" / "expected" / f"{exercise.id}.json").read_text(encoding="utf-8")
    secret = {found[:7] for found in re.findall(r"\d\.\d{5,}", stored)}

    def lost(**args: object) -> float:
        return -123.0

    entry = lost if exercise.kind == "function" else {name: "x" for name in re.findall(r'"(\w+)":', exercise.stub)}
    text = repr(check(exercise.id, entry))
    given = text.split("came")[0] if exercise.kind == "function" else ""
    assert not [number for number in secret if number in text and number not in given]


@pytest.mark.parametrize(
    ("got", "kind"),
    [
        (-np.array([[1.0, 2.0], [3.0, 5.0]]), "sign"),
        (2 * np.array([[1.0, 2.0], [3.0, 5.0]]), "scale"),
        (np.array([[1.0, 3.0], [2.0, 5.0]]), "axis"),
        (np.array([[1.0, 2.0], [3.0, 4.0]]), "value"),
        (np.array([[1.0, 2.0], [3.0, np.nan]]), "value"),
        (np.array([1.0, 2.0, 3.0, 5.0]), "shape"),
        (np.array([[1.0, 2.0], [3.0, 5.0]], dtype=np.float32), "dtype"),
        (np.array([[True, False], [True, True]]), "dtype"),
        ([[1.0, 2.0], [3.0, 5.0]], "type"),
        (Tensor(np.array([[1.0, 2.0], [3.0, 5.0]])), "type"),
        (None, "missing"),
    ],
)
def test_the_kind_of_mistake_is_seen(got: object, kind: str) -> None:
    expected = np.array([[1.0, 2.0], [3.0, 5.0]])
    found = Close().fault(Call(), expected=expected, outcome=Outcome(got))
    assert found is not None and found.kind == kind
    assert Close().fault(Call(), expected=expected, outcome=Outcome(expected + 1e-12)) is None


def test_a_transposed_array_is_an_axis_and_not_a_shape() -> None:
    expected = np.arange(6.0).reshape(2, 3)
    found = Close().fault(Call(), expected=expected, outcome=Outcome(expected.T.copy()))
    assert found == Failure("axis", found.sentence) and "(2, 3)" in found.sentence and "(3, 2)" in found.sentence


@pytest.mark.parametrize(
    ("expected", "got", "kind"),
    [
        (0.731, 1.462, "scale"),  # the sum in place of the mean
        (2 / 3, 1 / 3, "value"),  # a share is a simple fraction of many a wrong one
        (1.5, True, "type"),
        (True, 1, "type"),
        ("red", "blue", "value"),
        ([1.0, 2.5], [1.0], "shape"),
        ([1.0, 2.5], [2.5, 1.0], "axis"),
        ({"a": 1}, {"b": 1}, "type"),
        ({"a": [1, 2]}, {"a": [1, 3]}, "value"),
        (None, 3, "type"),
        (math.inf, 3.0, "value"),
        (3.0, math.nan, "value"),
    ],
)
def test_numbers_words_lists_and_dicts(expected: object, got: object, kind: str) -> None:
    found = Close().fault(Call(), expected=expected, outcome=Outcome(got))
    assert found is not None and found.kind == kind
    assert Close().fault(Call(), expected=expected, outcome=Outcome(expected)) is None


def test_writing_is_not_graded_but_substance_is() -> None:
    expected = {"a": "Fusion", "n": [1, 100], "x": 0.707}
    for got in ({"a": " fusion ", "n": (1.0, 100), "x": 0.71}, expected):
        for part, step in (("a", None), ("n", None), ("x", 0.005)):
            compare = Sealed(part, step=step)
            assert compare.fault(Call(), expected=compare.stored(expected), outcome=Outcome(got)) is None
    for part, step, wrong in (
        ("a", None, "co-fusion"),
        ("n", None, [100, 1]),
        ("x", 0.005, 0.73),
        ("x", 0.005, math.inf),
    ):
        found = Sealed(part, step=step).fault(Call(), expected=expected, outcome=Outcome({part: wrong}))
        assert found is not None and "right" in found.sentence + "right" and str(expected[part]) not in found.sentence
    assert Sealed("a").fault(Call(), expected=expected, outcome=Outcome({"a": None})).kind == "missing"


@pytest.mark.parametrize(
    "value", [10**400, {"x": -(10**400)}, {"x": 1e308}, {"x": "\ud800"}, {3: 1}, {"x": [[[[[[[[[[[[1]]]]]]]]]]]]}]
)
def test_values_that_would_break_a_comparison_are_a_failure(value: object) -> None:
    compares = (Close(), Sealed("x", step=0.005), Sealed("x"), EXERCISES["04_1.3"].checks[0].compare)
    for compare, expected in zip(compares, (1.0, {"x": 1.0}, {"x": "red"}, None), strict=True):
        assert compare.fault(Call(), expected=expected, outcome=Outcome(value)) is not None


def test_a_rule_sees_only_values_of_the_right_structure() -> None:
    def rule(args: dict, got: list) -> Failure | None:
        return None if got[0] > 0 else Failure("sign", "The first number is above 0.")

    judged = Judged(rule)
    assert judged.fault(Call(), expected=[1.0, 2.0], outcome=Outcome([7.0, -1.0])) is None
    assert judged.fault(Call(), expected=[1.0, 2.0], outcome=Outcome([-7.0, 1.0])).kind == "sign"
    assert judged.fault(Call(), expected=[1.0, 2.0], outcome=Outcome("text")).kind == "type"
    assert judged.fault(Call(), expected=[1.0, 2.0], outcome=Outcome([math.nan, 1.0])).kind == "value"


def test_what_a_call_does_is_told_apart() -> None:
    def raises(x: np.ndarray) -> None:
        raise ZeroDivisionError("no\nlines")

    def stub(x: np.ndarray) -> None:
        raise NotImplementedError

    def changes(x: np.ndarray) -> float:
        x += 1
        return 1.0

    call = Call({"x": np.zeros(3)})
    assert attempt(raises, call).error.startswith("ZeroDivisionError: no lines")
    assert attempt(stub, call).missing and attempt(..., call).missing
    assert "not written yet" in attempt(lambda x: stub(x), call).error
    assert attempt(changes, call).changed == ("x",) and call.args["x"].sum() == 0
    assert attempt(lambda x: x.mean, call).unfit and "a function is asked for" in attempt(3, call).error
    assert attempt(lambda x: sum(range(10**6)), call, seconds=1e-6).slow
    assert attempt(lambda y: y, call).error.startswith("TypeError")


def test_values_cross_and_nothing_else_does() -> None:
    assert isinstance(live(Tensor(np.ones(2))), torch.Tensor)
    assert plain(torch.ones(2, requires_grad=True)).array.tolist() == [1, 1]
    assert plain(torch.ones(2, dtype=torch.bfloat16)).array.dtype == np.float32
    assert plain({"a": [np.float64(1.5), (True, None, ...)]}) == {"a": [1.5, (True, None, None)]}
    for unfit in ({1, 2}, object(), np.array([object()]), {1: 2}, [[[[[[[[[[1]]]]]]]]]], len):
        with pytest.raises(UnfitError):
            plain(unfit)


def test_an_unknown_id_is_a_sentence() -> None:
    with pytest.raises(InputError, match=r"There is no exercise '04_1\.9'; did you mean"):
        check("04_1.9", print)


def test_hints_fall_back_to_one_for_the_kind() -> None:
    exercise = EXERCISES["04_4.1"]
    assert "dtype" not in exercise.hints
    assert hint(exercise, "dtype", 5)[1:] == (1, 1)


@pytest.mark.parametrize("exercise", [e for e in EXERCISES.values() if e.kind == "function"], ids=lambda e: e.id)
def test_parameters_that_differ_from_the_stubs_are_hinted_at_first(exercise: Exercise) -> None:
    def other(renamed: object) -> None: ...

    def one_more(added: object, **args: object) -> None: ...

    def by_place(first: object, /, **args: object) -> None: ...

    for entry in (other, one_more, by_place):
        assert "parameters' names" in check(exercise.id, entry).hint


def test_a_wrong_call_within_the_solution_is_another_error() -> None:
    """The learner's own line is at fault, not the names of the parameters: the exercise's hint stands."""
    within = "def tie(picture_shown, picture_said, sound_shown, sound_said):\n    return (lambda a: a)(b=1)"
    result = check("03_1.2", solution("03_1.2", within))
    assert "ZeroDivisionError?" in result.hint and "of your cell)" in repr(result)
    for where in ("your", "the"):  # as the self-check and the grader say it
        outcome = Outcome(error=f"TypeError: f() got an unexpected keyword argument 'b' (line 2 of {where} cell)")
        failure = Close().fault(Call(), expected=1.0, outcome=outcome)
        assert failure is not None and failure.kind == "error"


def test_html_escapes_what_the_learner_wrote() -> None:
    def raises(**args: object) -> None:
        raise ValueError("<script>alert(1)</script>")

    html = check("04_1.2", raises)._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html


def test_the_front_door_opens_lazily_and_without_torch() -> None:
    assert mmlab.check is check
    code = "from mmlab import check, progress; import sys; check('00.1', {'z': [1, 2]}); print('torch' in sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "False"
