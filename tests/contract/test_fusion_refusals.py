"""Bad input to a fusion operator: an InputError whose one sentence names the operator and the modality."""

import re
from contextlib import contextmanager

import pytest
import torch

from mmlab.fusion import (
    FUSION_PARTS,
    FUSIONS,
    TOKEN_FUSIONS,
    BilinearFusion,
    CoAttentionFusion,
    ConcatLinearFusion,
    CrossAttentionFusion,
    FiLMFusion,
    MeanFusion,
    ModalityDropout,
    SumFusion,
    TensorFusion,
    WeightedSumFusion,
)
from mmlab.types import InputError, Tokens
from tests.contract.zoo import GAPS, PART_CASES, TOKEN_CASES, VECTOR_CASES

vectors = pytest.mark.parametrize("case", VECTOR_CASES[: len(FUSIONS)] + PART_CASES, ids=lambda case: case.name)
tokens = pytest.mark.parametrize("case", TOKEN_CASES, ids=lambda case: case.name)
of_three = pytest.mark.parametrize("case", [c for c in TOKEN_CASES if len(c.dims) == 3], ids=lambda case: case.name)


@contextmanager
def refusal(*words: str):
    """One sentence, and every word in it."""
    with pytest.raises(InputError) as caught:
        yield
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert re.fullmatch(r"[A-Z][^\n]*\.", message), f"not one sentence: {message}"


@vectors
def test_pooled_inputs(case):
    module, inputs = case.module(), case.inputs()
    name, wide = type(module).__name__, case.dims["image"]
    with refusal(name, "none of text, image and audio"):
        module()
    with refusal(name, "got video"):
        module(**inputs, video=inputs["image"])
    with refusal(name, "by name"):
        module(inputs["text"], inputs["image"])
    with refusal(name, "text with 4", "image with 3", "same number of rows"):
        module(**{**inputs, "image": inputs["image"][:3]})
    with refusal(name, "image", f"(batch, {wide})", f"(4, {wide + 1})"):
        module(**{**inputs, "image": torch.randn(4, wide + 1, dtype=torch.float64)})
    with refusal(name, "image", "(4, 2,"):
        module(**{**inputs, "image": torch.randn(4, 2, wide, dtype=torch.float64)})
    with refusal(name, "audio", "int64"):
        module(**{**inputs, "audio": torch.zeros(4, case.dims["audio"], dtype=torch.int64)})
    with refusal(name, "text", "list"):
        module(**{**inputs, "text": [[0.0]]})


@vectors
@pytest.mark.parametrize("modality", ["text", "image", "audio"])
def test_nan(case, modality):
    module, inputs = case.module(), {**case.inputs(), "present": torch.ones_like(GAPS)}
    inputs[modality][2, 1] = torch.nan
    inside = getattr(module, "fusion", module)  # a part that goes around an operator leaves the finding to it
    with refusal(type(inside).__name__, f"got {modality} with NaN or infinity", "row 2"):
        module(**inputs)


def test_infinity_where_it_reaches_the_result():
    with refusal("SumFusion", "got image with NaN or infinity", "row 0"):
        SumFusion({"text": 2, "image": 2})(text=torch.ones(1, 2), image=torch.tensor([[1.0, torch.inf]]))


@vectors
def test_present(case):
    module, inputs = case.module(), case.inputs()
    name = type(module).__name__
    inputs.pop("present", None)
    with refusal(name, "present", "(4, 3)", "(4, 2)"):
        module(**inputs, present=GAPS[:, :2])
    with refusal(name, "present", "float32"):
        module(**inputs, present=GAPS.float())
    with refusal(name, "row"):
        module(**inputs, present=torch.tensor([[1, 1, 1], [1, 1, 1], [0, 0, 0], [1, 1, 1]]).bool())


def test_a_result_that_diverged_is_not_blamed_on_the_input():
    module = ConcatLinearFusion({"text": 2, "image": 2}, out=2)
    module.linear.weight.data.fill_(torch.inf)
    assert not module(text=torch.ones(1, 2), image=torch.ones(1, 2)).isfinite().any()


@tokens
def test_token_inputs(case):
    module, inputs = case.module(), case.inputs()
    name, first = type(module).__name__, next(iter(case.dims))
    wide = case.dims[first]
    with refusal(name, "none of"):
        module()
    with refusal(name, "got video"):
        module(**inputs, video=inputs[first])
    with refusal(name, "by name"):
        module(inputs[first])
    with refusal(name, first, "Tokens"):
        module(**{**inputs, first: inputs[first].values})
    with refusal(name, f"{first} with 3", "same number of rows"):
        module(**{**inputs, first: Tokens(inputs[first].values[:3], inputs[first].mask[:3])})
    with refusal(name, first, f"{wide} wide"):
        module(**{**inputs, first: Tokens(torch.zeros(4, 2, wide + 1).double(), torch.ones(4, 2).bool())})
    for bad in case.dims:
        values = inputs[bad].values.clone()
        values[2, 0, 1] = torch.nan
        with refusal(name, f"got {bad} with NaN or infinity", "row 2"):
            module(**{**inputs, bad: Tokens(values, inputs[bad].mask)})


@tokens
def test_all_masked_rows(case):
    """A row without tokens of one input lacks it: refused where a missing input is refused, borne where it is borne."""
    module, inputs = case.module(), case.inputs()
    name, bare = type(module).__name__, torch.tensor([True, True, False, True])[:, None]
    empty = {key: Tokens(part.values, part.mask & bare) for key, part in inputs.items()}
    with refusal(name, "all-masked row of", "row 2", *(case.dims if module.allows_missing else ())):
        module(**empty)
    for key in case.dims:
        one = {**inputs, key: empty[key]}
        if module.allows_missing:
            module(**one)
        else:
            with refusal(name, f"all-masked row of {key}", "row 2"):
                module(**one)


@of_three
def test_missing_token_inputs_are_borne(case):
    module, inputs = case.module(), case.inputs()
    alone = module(text=inputs["text"])
    nothing = {key: Tokens(part.values, torch.zeros_like(part.mask)) for key, part in inputs.items() if key != "text"}
    gone = module(text=inputs["text"], **nothing)
    seq = alone.values.shape[1]
    torch.testing.assert_close(gone.values[:, :seq], alone.values, rtol=0, atol=1e-12)


def test_missing_token_inputs_are_refused_by_two_sided_operators():
    for case in TOKEN_CASES[:2]:
        module, inputs = case.module(), case.inputs()
        last = list(case.dims)[-1]
        with refusal(type(module).__name__, f"needs {last}, which is missing"):
            module(**{key: part for key, part in inputs.items() if key != last})


@pytest.mark.parametrize("name", FUSIONS)
def test_building_vectors(name):
    operator = FUSIONS[name]
    for dims, words in (
        ({}, "got nothing"),
        ({"text": 4, "video": 4}, "got video"),
        ({"text": 0, "image": 4}, "text=0"),
        ({"text": 4, "image": -1}, "image=-1"),
    ):
        with refusal(operator.__name__, words):
            operator(dims, out=4)
    with refusal(operator.__name__, "out=0"):
        operator({"text": 4, "image": 4}, out=0)


def test_building_what_does_not_fit_together():
    with refusal("SumFusion", "text 4", "image 5"):
        SumFusion({"text": 4, "image": 5})
    with refusal("MeanFusion", "out 8"):
        MeanFusion({"text": 4, "image": 4}, out=8)
    with refusal("WeightedSumFusion", "got text"):
        WeightedSumFusion({"text": 4, "image": 4}, weights={"text": 1.0})
    with refusal("FiLMFusion", "'image'", "text and audio"):
        FiLMFusion({"text": 4, "audio": 4}, out=4)
    with refusal("FiLMFusion", "got image"):
        FiLMFusion({"image": 4}, out=4)
    with refusal("BilinearFusion", "got text"):
        BilinearFusion({"text": 4}, out=4)
    with refusal("TensorFusion", "GiB", "text 2000, image 2000 and audio 2000", "LowRankFusion"):
        TensorFusion({"text": 2000, "image": 2000, "audio": 2000}, out=2000)
    with refusal("CrossAttentionFusion", "text and image"):
        CrossAttentionFusion({"text": 4, "image": 4}, heads=2)
    with refusal("CoAttentionFusion", "exactly two"):
        CoAttentionFusion({"text": 4}, heads=2)
    with refusal("Attention", "dim=4", "heads=3"):
        CoAttentionFusion({"text": 4, "image": 4}, heads=3)
    with refusal("ConcatLinearFusion", "MissingEmbedding"):
        ModalityDropout(ConcatLinearFusion({"text": 4}, out=4), rate=0.1)
    with refusal("ModalityDropout", "rate"):
        ModalityDropout(SumFusion({"text": 4}), rate=1.0)


def test_every_member_has_a_case():
    assert [case.name for case in TOKEN_CASES] == list(TOKEN_FUSIONS)
    assert [case.name for case in PART_CASES] == list(FUSION_PARTS)
    assert [case.name.split()[0] for case in VECTOR_CASES[: len(FUSIONS)]] == list(FUSIONS)
