"""Text to token ids: byte-level byte-pair encoding, so every Unicode text in any language has one."""

import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import tokenizers
import torch
from jaxtyping import Int64
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import Tensor

from mmlab.preprocessing.files import read_file
from mmlab.preprocessing.limits import MAX_TEXT, reason, refusal
from mmlab.types import InputError, Inputs

PAD, CLS, SEP = 0, 1, 2
SPECIAL: Final = ("[PAD]", "[CLS]", "[SEP]")
FILE: Final = "tokenizer.json"
BLANK: Final = ("Zs", "Zl", "Zp", "Cc", "Cf")  # Unicode's spaces, line ends, controls and invisible marks


def _show(text: str, *, length: int = 24) -> str:
    return repr(text if len(text) <= length else text[:length] + "…")


def halved(text: str) -> bool:
    """Whether a text holds half a character (a lone surrogate), as wrongly read bytes do; it has no UTF-8."""
    return any("\ud800" <= sign <= "\udfff" for sign in text)


class Tokenizer:
    """Byte-pair encoding over bytes: frequent strings become one token, and what was never seen falls apart into bytes.

    Text is first brought to one form: NFKC (full-width letters become plain ones), lower case, runs of white space
    one space, none at the ends. "[CLS]" typed by a user is six characters, not the token.

    Shape:   list of n texts -> Inputs(values (n, seq) int64, mask (n, seq)); seq is the longest row's
    Source:  Sennrich et al. 2016, arXiv:1508.07909; over bytes as in Radford et al. 2019 (GPT-2)
    Raises:  InputError for no text, a text without characters, a text longer than MAX_TEXT tokens
    """

    def __init__(self, core: tokenizers.Tokenizer) -> None:
        found = tuple(core.id_to_token(i) for i in range(len(SPECIAL)))
        if found != SPECIAL:
            came = f"they are {found}"
            todo = "make one with Tokenizer.train"
            raise refusal("tokenizer", expected=f"{SPECIAL} as its first tokens", came=came, todo=todo)
        core.encode_special_tokens = True  # not stored in tokenizer.json, so set here for a loaded one too
        self.core = core

    @property
    def vocab(self) -> int:
        """Number of tokens, special ones included."""
        return self.core.get_vocab_size()

    @classmethod
    def train(cls, texts: Iterable[str], *, vocab: int = 4096) -> "Tokenizer":
        """Learn at most `vocab` tokens, as many as the texts give; the same texts give the same tokenizer."""
        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        if vocab < len(alphabet) + len(SPECIAL):
            least = len(alphabet) + len(SPECIAL)
            raise InputError(f"A byte-level vocabulary needs at least {least} tokens, got {vocab}; ask for more.")
        core = tokenizers.Tokenizer(models.BPE())
        core.normalizer = normalizers.Sequence(
            [
                normalizers.NFKC(),
                normalizers.Lowercase(),
                normalizers.NFKC(),  # lower case can undo it: "J̌" is two characters, "ǰ" is one
                normalizers.Replace(tokenizers.Regex(r"\s+"), " "),
                normalizers.Strip(),
            ]
        )
        core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        core.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocab, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
        )
        core.train_from_iterator(texts, trainer)
        core.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)]
        )
        return cls(core)

    def normalize(self, text: str) -> str:
        """The form of a text that the model sees, and that `decode` gives back."""
        return self.core.normalizer.normalize_str(text)

    def ids(self, text: str) -> list[int]:
        """The ids of one text, [CLS] first and [SEP] last; what cannot be encoded is refused here."""
        name = f"text {_show(text)}"
        if halved(text):
            came = "it holds half a character (a lone surrogate)"
            raise refusal(name, expected="Unicode text", came=came, todo="read it again as UTF-8")
        if all(unicodedata.category(c) in BLANK for c in text):
            todo = "write something, or leave the text out altogether"
            raise refusal(name, expected="a text with at least one visible character", came="it has none", todo=todo)
        ids = self.core.encode(text).ids
        if len(ids) > MAX_TEXT:
            todo = "shorten it, or give its sentences one by one"
            raise refusal(name, expected=f"a text of at most {MAX_TEXT} tokens", came=f"it has {len(ids)}", todo=todo)
        return ids

    def encode(self, texts: Sequence[str]) -> Inputs:
        """Texts to ids, padded at the end with [PAD].

        Shape:   n texts -> values (n, seq) int64, mask (n, seq)
        Raises:  InputError as the class says
        """
        if isinstance(texts, str):
            raise InputError(f"Expected a list of texts, got the single text {_show(texts)}; put it in a list: [text].")
        if len(texts) == 0:
            raise InputError("Expected at least one text, got an empty list; leave the texts out altogether.")
        rows = [torch.tensor(self.ids(text)) for text in texts]
        values = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)
        lengths = torch.tensor([len(row) for row in rows])
        return Inputs(values, torch.arange(values.shape[1]) < lengths[:, None])

    def decode(self, values: Int64[Tensor, "batch seq"]) -> list[str]:
        """Ids to texts in their normalised form; special tokens are left out."""
        return [text.removeprefix(" ") for text in self.core.decode_batch(values.tolist(), skip_special_tokens=True)]

    def save(self, folder: Path | str) -> Path:
        """Write `tokenizer.json` (the format of the tokenizers library) into a folder."""
        path = Path(folder) / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.core.to_str(pretty=False) + "\n", encoding="utf-8")
        return path

    @classmethod
    def load(cls, folder: Path | str) -> "Tokenizer":
        """Read what `save` wrote."""
        path, expected = Path(folder) / FILE, "a tokenizer written by Tokenizer.save"
        try:
            core = tokenizers.Tokenizer.from_str(read_file(path, expected=expected).decode("utf-8"))
        except InputError:
            raise
        except Exception as error:  # the library raises bare Exception on what it cannot read
            raise refusal(
                str(path), expected=expected, came=f"it is damaged ({reason(error)})", todo="get it again"
            ) from None
        return cls(core)
