"""Which joint space or language model a thing was made for: digests of the numbers that it was fitted to."""

import hashlib
from typing import Any

import torch

from mmlab.models.joint import JointEmbedder

MAKES_VECTORS = ("encoders.", "projections.")


def fingerprint(joint: JointEmbedder) -> str:
    """A digest of encoders and W, in the half precision in which they ship: the same loaded twice, or moved.

    The weights of the sum and the familiarity stay out: they can be set anew, and every vector is what it was.
    """
    digest = hashlib.sha256()
    for name, value in sorted(joint.state_dict().items()):
        if name.startswith(MAKES_VECTORS):
            digest.update(name.encode())
            digest.update((value.half() if value.is_floating_point() else value).cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def words_fingerprint(lm: Any) -> str:
    """A digest of a language model's word embeddings, in bfloat16: what a connector has learned to write among.

    Models of any two families or sizes differ in these, and a large model need not be read whole.
    """
    table = lm.get_input_embeddings().weight.detach().bfloat16().cpu().contiguous()
    return hashlib.sha256(table.view(torch.int16).numpy().tobytes()).hexdigest()
