"""Every fusion operator keeps the promises of the house; what a missing modality means to each."""

import itertools
import subprocess
import sys

import pytest
import torch

from mmlab.fusion import (
    FUSIONS,
    TOKEN_FUSIONS,
    ConcatMLPFusion,
    Fusion,
    MeanFusion,
    MissingEmbedding,
    ModalityDropout,
    TokenFusion,
    drop_modalities,
)
from mmlab.types import MODALITIES, InputError
from tests.contract.promises import (
    EVERY_FUSION,
    EVERY_TOKEN_FUSION,
    Case,
    close,
    map_rows,
    randomise,
)
from tests.contract.zoo import GAPS, PART_CASES, ROWS, TOKEN_CASES, VECTOR_CASES, WIDTHS, given, pooled, vector_case

named = {"ids": lambda value: value.name if isinstance(value, Case) else value.__name__}
bears_gaps = pytest.mark.parametrize("name", [name for name in FUSIONS if FUSIONS[name].allows_missing])
needs_all = pytest.mark.parametrize("name", [name for name in FUSIONS if not FUSIONS[name].allows_missing])
SUBSETS = [subset for size in (1, 2) for subset in itertools.combinations(MODALITIES, size)]


@pytest.mark.parametrize("promise", EVERY_FUSION, **named)
@pytest.mark.parametrize("case", VECTOR_CASES + PART_CASES, **named)
def test_vector_operator(case, promise):
    promise(case)


@pytest.mark.parametrize("promise", EVERY_TOKEN_FUSION, **named)
@pytest.mark.parametrize("case", TOKEN_CASES, **named)
def test_token_operator(case, promise):
    promise(case)


def check_gap_is_absence(case: Case) -> None:
    """A row that lacks a modality gets what a call without that modality gives it, whatever stands in the gap."""
    module, inputs = case.module(), case.inputs()
    for subset in SUBSETS:
        present = torch.tensor([[modality in subset for modality in MODALITIES]] * ROWS)
        marked = {**inputs, **{m: torch.full_like(inputs[m], torch.nan) for m in MODALITIES if m not in subset}}
        without = module(**given(inputs, *subset))
        close(module(**marked, present=present), without, f"{case.name} with {subset} present")
        close(module(**given(inputs, *subset), present=present), without, f"{case.name} with {subset}, said twice")
        close(module(**inputs, present=torch.ones_like(present)), module(**inputs), f"{case.name}, all present")


@bears_gaps
def test_absent_modality_and_absent_rows_agree(name):
    check_gap_is_absence(vector_case(name))


@bears_gaps
def test_gaps_differ_by_row(name):
    case = vector_case(name)
    module, inputs = case.module(), case.inputs()
    whole = module(**inputs, present=GAPS)
    for row in range(ROWS):
        has = [m for m, here in zip(MODALITIES, GAPS[row], strict=True) if here]
        close(module(**map_rows(given(inputs, *has), torch.tensor([row]))), whole[[row]], f"{name}, row {row}")


@needs_all
def test_operator_that_needs_all_says_so(name):
    module, inputs = vector_case(name).module(), vector_case(name).inputs()
    with pytest.raises(InputError, match=f"{type(module).__name__} needs audio, which is missing"):
        module(**given(inputs, "text", "image"))
    with pytest.raises(InputError, match=f"{type(module).__name__} needs text, which is missing in row 1"):
        module(**inputs, present=GAPS)
    close(module(**inputs, present=torch.ones_like(GAPS)), module(**inputs), f"{name} with everything present")


@needs_all
def test_missing_embedding_lets_any_operator_be_asked(name):
    """The learned vector stands in the gap, and only there."""
    inside, inputs = vector_case(name).module(), vector_case(name).inputs()
    module = randomise(MissingEmbedding(inside), seed=3).double()
    close(module(**inputs), inside(**inputs), "nothing is missing")
    filled = {**inputs, "audio": module.embeddings["audio"].expand(ROWS, -1)}
    close(module(**given(inputs, "text", "image")), inside(**filled), "audio is missing")
    rows = {m: torch.where(GAPS[:, [i]], inputs[m], module.embeddings[m]) for i, m in enumerate(MODALITIES)}
    close(module(**inputs, present=GAPS), inside(**rows), "each row misses another")


def test_modality_dropout_drops_at_its_rate_and_never_everything():
    rows, rate = 20_000, 0.3
    present = torch.ones(rows, 3, dtype=torch.bool)
    present[: rows // 2, 0] = False
    left = drop_modalities(present, rate=rate, generator=torch.Generator().manual_seed(0))
    assert not (left & ~present).any(), "an absent modality came back"
    assert left.any(dim=1).all(), "a row lost everything"
    full = left[rows // 2 :]
    # Of three, one is lost with probability 0.3, less 0.3^3 * 1/3 for the row that would have been emptied.
    expected = rate - rate**3 / 3
    assert (1 - full.float().mean(0) - expected).abs().max() < 0.02
    pairs = left[: rows // 2, 1:]
    assert (1 - pairs.float().mean(0) - (rate - rate**2 / 2)).abs().max() < 0.02
    kept_alone = full[full.sum(1) == 1].float().mean(0)
    assert (kept_alone - 1 / 3).abs().max() < 0.05, "the last one of a row is not chosen evenly"


def test_modality_dropout_acts_in_training_only_and_repeats_with_its_generator():
    dims = dict.fromkeys(MODALITIES, 6)
    inputs = pooled(dims, 0)

    def outputs(seed: int) -> torch.Tensor:
        module = ModalityDropout(MeanFusion(dims), rate=0.5, generator=torch.Generator().manual_seed(seed)).train()
        return module(**inputs)

    inside = MeanFusion(dims)
    assert torch.equal(ModalityDropout(inside, rate=0.5).eval()(**inputs), inside(**inputs))
    assert torch.equal(ModalityDropout(inside, rate=0.0).train()(**inputs), inside(**inputs))
    assert torch.equal(outputs(1), outputs(1))
    assert not torch.equal(outputs(1), outputs(2))


def test_missing_embeddings_train_behind_dropout():
    module = ModalityDropout(MissingEmbedding(ConcatMLPFusion(WIDTHS, out=4)), rate=0.5).double().train()
    module(**pooled(WIDTHS, 0), present=GAPS).sum().backward()
    for name, vector in module.fusion.embeddings.items():
        assert vector.grad is not None and vector.grad.abs().max() > 0, name


def test_lists_hold_final_classes_of_their_family():
    for zoo, family in ((FUSIONS, Fusion), (TOKEN_FUSIONS, TokenFusion)):
        assert len(set(zoo.values())) == len(zoo)
        for name, operator in zoo.items():
            assert issubclass(operator, family), name
            assert not [kind for kind in operator.__subclasses__() if kind.__module__.startswith("mmlab")], name
            for field in ("Shape:", "Cost:", "Source:", "Parity:", "$$"):
                assert field in operator.__doc__, f"{name} does not state its {field}"


COMPILED = """
import torch
from mmlab.fusion import FUSIONS

dims = {"text": 4, "image": 4, "audio": 4}
inputs = {name: torch.randn(3, dim) for name, dim in dims.items()}
for name in ("sum", "gated", "low_rank"):
    module = FUSIONS[name](dims, out=4)
    compiled = torch.compile(module, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(**inputs), module(**inputs))
    print(name)
"""


def test_compiles_without_a_break():
    """The check that looks at values steps aside for the compiler. In its own process, for here shapes are checked."""
    run = subprocess.run([sys.executable, "-c", COMPILED], capture_output=True, text=True)
    assert run.stdout.split() == ["sum", "gated", "low_rank"], run.stderr
