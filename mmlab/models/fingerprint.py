"""Which joint space a thing was made for: a digest of the numbers that make the vectors."""

import hashlib

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
