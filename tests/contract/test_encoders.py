"""What every encoder from scratch promises."""

import numpy as np
import pytest
import torch
from PIL import Image

from mmlab.encoders import ENCODERS, Encoder
from mmlab.preprocessing import Tokenizer
from mmlab.types import Inputs

TEXTS = ["a dog", "the hot dog eats a very long sausage", "热狗", "dog"]
SIZES = {
    "text": {"dim": 16, "layers": 2, "heads": 2},
    "image": {"dim": 12, "widths": [8, 8, 16], "blocks": [1, 2, 1], "strides": [2, 2, 2]},
    "audio": {"dim": 16, "widths": [8, 8, 16], "layers": 1, "heads": 2},
}


def build(modality: str) -> Encoder:
    torch.manual_seed(0)
    extra = {"tokenizer": Tokenizer.train(TEXTS, vocab=300)} if modality == "text" else {}
    encoder = ENCODERS[modality](**SIZES[modality], **extra)
    generator = torch.Generator().manual_seed(1)
    for name, value in encoder.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.rand(value.shape, generator=generator) * 0.4 - (0.0 if "running_var" in name else 0.2))
    return encoder.eval()


def raw(modality: str) -> list:
    rng = np.random.default_rng(0)
    if modality == "text":
        return TEXTS
    if modality == "image":
        return [Image.fromarray(rng.integers(0, 255, (80, 70, 3), dtype=np.uint8)) for _ in range(4)]
    return [(0.5 * rng.normal(size=n)).clip(-1, 1).astype(np.float32) for n in (4000, 16000, 9001, 5120)]


@pytest.fixture(params=list(ENCODERS))
def modality(request: pytest.FixtureRequest) -> str:
    return request.param


def test_tokens_and_pooled_have_the_stated_shapes(modality: str) -> None:
    encoder = build(modality)
    inputs = encoder.preprocess(raw(modality))
    tokens = encoder(inputs)
    assert tokens.values.shape[0] == 4 and tokens.values.shape[2] == encoder.dim
    assert tokens.mask.shape == tokens.values.shape[:2] and tokens.mask.any(1).all()
    assert encoder.pool(tokens).shape == (4, encoder.dim)
    assert encoder.modality == modality


def test_rows_are_independent_and_padding_is_ignored(modality: str) -> None:
    encoder = build(modality).double()
    items = raw(modality)
    together = encoder.embed(to_double(encoder.preprocess(items)))
    for row, item in enumerate(items):
        alone = encoder.embed(to_double(encoder.preprocess([item])))
        torch.testing.assert_close(alone[0], together[row], rtol=0, atol=1e-10)


def test_every_parameter_gets_a_gradient(modality: str) -> None:
    encoder = build(modality)
    encoder.embed(encoder.preprocess(raw(modality))).square().sum().backward()
    without = [name for name, p in encoder.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    # A key's bias adds the same number to every score of a row, which the softmax takes out again.
    assert [name for name in without if not name.endswith("key.bias")] == []


def test_different_inputs_differ(modality: str) -> None:
    encoder = build(modality)
    x = encoder.embed(encoder.preprocess(raw(modality)))
    assert torch.pdist(x).min() > 1e-4


def test_config_rebuilds_the_same_encoder(modality: str) -> None:
    encoder = build(modality)
    extra = {"tokenizer": encoder.tokenizer} if modality == "text" else {}
    twin = ENCODERS[modality](**encoder.config, **extra)
    twin.load_state_dict(encoder.state_dict())
    inputs = encoder.preprocess(raw(modality))
    assert torch.equal(encoder.embed(inputs), twin.eval().embed(inputs))


def to_double(inputs: Inputs) -> Inputs:
    return Inputs(inputs.values.double() if inputs.values.is_floating_point() else inputs.values, inputs.mask)
