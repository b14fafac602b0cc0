"""Right solutions that are odd in form; not one of their points may be lost."""

from tests.grading.corpus.case import Case, only
from tests.grading.toy import ATTENTION, CONTRAST, PATCHIFY, RIGHT, TOYS

MAGICS = "%%time\n%matplotlib inline\n!echo hello\n" + PATCHIFY.replace("    grid", "    %who\n    grid")
OBJECT = """
import torch

class Attention:
    def __call__(self, query, key, value):
        scores = torch.einsum("nd,md->nm", query, key) / query.shape[-1] ** 0.5
        return torch.einsum("nm,md->nd", scores.softmax(-1), value)

attend = Attention()
"""
MODULE = """
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

class Contrast(nn.Module):
    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1))
    def forward(self, images: Tensor, texts: Tensor) -> Tensor:
        logits = images @ texts.T + self.bias
        both = [F.log_softmax(logits, dim=d).diagonal().mean() for d in (0, 1)]
        return -sum(both) / 2

contrast = Contrast()
"""
EINOPS = """
from einops import rearrange

def patchify(image, size):
    return rearrange(image, "c (h p) (w q) -> (h w) (c p q)", p=size, q=size)
"""
LESSON_NAMES = """
def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    return F.softmax(query @ rearrange(key, "m d -> d m") / math.sqrt(query.shape[-1]), dim=-1) @ value
"""
CHINESE = "# 把图片切成小块 🧩\n" + PATCHIFY.replace("grid", "网格")
NOISY = f"""
import sys, warnings
warnings.warn("NNPACK is not supported")
print("<script>alert(1)</script>", file=sys.stderr)
{ATTENTION}
"""
CLOSES_OUTPUT = "sys = torch.sys\nsys.stdout = sys.stderr = None\n" + ATTENTION
LAMBDA = ATTENTION.replace("def attend", "def own") + "attend = lambda query, key, value: own(query, key, value)"
SEEDED = "import torch\ntorch.manual_seed(0)\ntorch.set_num_threads(2)\n" + ATTENTION
RANDOM = "import numpy as np\nnp.random.seed(0)\nnp.random.rand(3)\n" + PATCHIFY
ASSERTS = PATCHIFY.replace("    channels,", '    """Cuts."""\n    assert size > 0\n    channels,')
ONE_CELL = dict.fromkeys(RIGHT, "\n".join(RIGHT.values()))
CASES = [
    *(Case(f"variant {id}", 9, only(id, exercise.variant)) for id, exercise in TOYS.items()),
    Case("magics and shell lines", 9, only("99.1", MAGICS)),
    Case("a callable object", 9, only("99.2", OBJECT)),
    Case("a module with parameters", 9, only("99.3", MODULE)),
    Case("einops", 9, only("99.1", EINOPS)),
    Case("names that the lesson imports", 9, only("99.2", LESSON_NAMES)),
    Case("Chinese names and comments", 9, only("99.1", CHINESE)),
    Case("warnings on stderr", 9, only("99.2", NOISY.replace("import sys, warnings", "import warnings\nsys = torch.sys"))),
    Case("no output to write to", 9, only("99.2", CLOSES_OUTPUT)),
    Case("sixty-four bits", 9, only("99.3", CONTRAST.replace("images @ texts.T", "images.double() @ texts.double().T"))),
    Case("a gradient hangs on it", 9, only("99.3", CONTRAST.replace("images @", "images.clone().requires_grad_() @"))),
    Case("not contiguous", 9, only("99.1", PATCHIFY.replace("np.ascontiguousarray", "np.asfortranarray"))),
    Case("a lambda", 9, only("99.2", LAMBDA)),
    Case("its own seed and threads", 9, only("99.2", SEEDED)),
    Case("a helper with random numbers", 9, only("99.1", RANDOM)),
    Case("an import that one of the exercises does not allow", 6, ONE_CELL),
    Case("a docstring and assertions", 9, only("99.1", ASSERTS)),
    Case("an error after the definition", 6, only("99.1", PATCHIFY + "\n1 / 0\n")),
    Case("nothing at all", 0, {}),
    Case("the stubs", 0, {id: exercise.stub for id, exercise in TOYS.items()}),
]  # fmt: skip
