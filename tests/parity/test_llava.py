"""The merge and the whole path from pictures to logits against transformers' LLaVA: float64, everything re-randomised."""

import pytest
import torch
import transformers as hf
from torch import Tensor

from mmlab.models.merge import merge
from mmlab.projection import MLPProjection
from mmlab.types import InputError
from tests.unit.tiny_models import randomise

EXACT = {"rtol": 0.0, "atol": 1e-10}
IMAGE, SIDE, PATCHES = 7, 8, 4
SHAPE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}


def llava() -> hf.LlavaForConditionalGeneration:
    """Two pictures' worth of a model: CLIP with four patches, the two-layer projector, a Llama of 40 words."""
    seen = hf.CLIPVisionConfig(image_size=SIDE, patch_size=SIDE // 2, projection_dim=16, **SHAPE)
    said = hf.LlamaConfig(vocab_size=40, max_position_embeddings=64, attn_implementation="eager", **SHAPE)
    config = hf.LlavaConfig(
        vision_config=seen, text_config=said, image_token_index=IMAGE, image_seq_length=PATCHES, vision_feature_layer=-2
    )
    return randomise(hf.LlavaForConditionalGeneration(config)).double()


def ids(generator: torch.Generator) -> Tensor:
    """Two rows, one picture in each, at different places among the words."""
    words = torch.randint(8, 40, (2, 12), generator=generator)
    words[0, 1 : 1 + PATCHES] = IMAGE
    words[1, 5 : 5 + PATCHES] = IMAGE
    return words


def shifted(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of each word given those before it, where it has a label."""
    kept = labels[:, 1:] != -100
    return torch.nn.functional.cross_entropy(logits[:, :-1][kept], labels[:, 1:][kept])


def test_equals_llava_in_logits_loss_and_gradients() -> None:
    theirs, generator = llava(), torch.Generator().manual_seed(1)
    words = ids(generator)
    pixels = torch.randn(2, 3, SIDE, SIDE, generator=generator, dtype=torch.float64)
    mask = torch.ones_like(words)
    mask[0, -2:] = 0
    labels = words.masked_fill((words == IMAGE) | (mask == 0), -100)
    projector = MLPProjection(16, out=16).double()
    copies = zip(projector.layers[::2], ("linear_1", "linear_2"), strict=True)
    for ours, name in copies:
        ours.load_state_dict(getattr(theirs.model.multi_modal_projector, name).state_dict())

    mine = pixels.clone().requires_grad_()
    patches = theirs.model.vision_tower(mine, output_hidden_states=True).hidden_states[-2][:, 1:]
    table = theirs.get_input_embeddings()
    soft = projector(patches).flatten(0, 1)
    embeddings = merge(table(words), soft, words == IMAGE)
    hidden = theirs.model.language_model(inputs_embeds=embeddings, attention_mask=mask).last_hidden_state
    logits = theirs.lm_head(hidden)
    loss = shifted(logits, labels)

    other = pixels.clone().requires_grad_()
    expected = theirs(input_ids=words, pixel_values=other, attention_mask=mask, labels=labels)
    wanted_loss = shifted(expected.logits, labels)
    torch.testing.assert_close(logits, expected.logits, **EXACT)
    torch.testing.assert_close(loss, wanted_loss, **EXACT)
    torch.testing.assert_close(loss.float(), expected.loss, rtol=0, atol=1e-5)  # theirs is taken in single precision

    (grad,) = torch.autograd.grad(loss, mine, retain_graph=True)
    (grad_projector,) = torch.autograd.grad(loss, projector.layers[0].weight, retain_graph=True)
    (grad_words,) = torch.autograd.grad(loss, table.weight)
    rest = [theirs.model.multi_modal_projector.linear_1.weight, table.weight]
    wanted = torch.autograd.grad(wanted_loss, [other, *rest])
    assert grad.abs().max() > 0 and grad_words.abs().max() > 0
    for value, want in zip((grad, grad_projector, grad_words), wanted, strict=True):
        torch.testing.assert_close(value, want, **EXACT)


def test_merge_keeps_order_across_rows_and_gives_gradients_to_both() -> None:
    words = torch.zeros(2, 3, 2, dtype=torch.float64, requires_grad=True)
    soft = torch.arange(1.0, 7.0, dtype=torch.float64).view(3, 2).requires_grad_()
    where = torch.tensor([[False, True, True], [True, False, False]])
    merged = merge(words, soft, where)
    assert merged[0, 1].tolist() == [1, 2] and merged[0, 2].tolist() == [3, 4] and merged[1, 0].tolist() == [5, 6]
    merged.sum().backward()
    assert torch.equal(soft.grad, torch.ones_like(soft))
    assert torch.equal(words.grad[..., 0], (~where).double())


@pytest.mark.parametrize("count", [1, 3])
def test_as_many_places_as_soft_tokens(count: int) -> None:
    with pytest.raises(InputError, match=rf"2 places .* but {count} were made"):
        merge(torch.zeros(1, 3, 2), torch.zeros(count, 2), torch.tensor([[True, False, True]]))
