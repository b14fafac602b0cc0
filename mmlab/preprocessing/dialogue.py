"""The tokenizer of a dialogue: bytes and their frequent strings, plus the marks that say who speaks and what is shown."""

from collections.abc import Iterable, Sequence

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

from mmlab.types import InputError


def train_dialogue_tokenizer(
    texts: Iterable[str], *, vocab: int, special: Sequence[str], whole: Sequence[str] = ()
) -> tokenizers.Tokenizer:
    """Byte-pair encoding over bytes, the `special` marks first; the same texts give the same tokenizer.

    Each of the names in `whole` gets one token of its own beyond `vocab` and is never cut: to name what is shown is then
    to copy one token. A name in Latin letters is taken as a whole word only ("cat", not the cat in "category").

    Unlike the joint model's tokenizer it keeps capitals, spaces and full-width signs: an answer must come back as it
    was written.

    Source:  Sennrich et al. 2016, arXiv:1508.07909; over bytes as in Radford et al. 2019 (GPT-2)
    Raises:  InputError for a vocabulary that cannot hold all bytes
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    least = len(alphabet) + len(special)
    if vocab < least:
        raise InputError(f"A byte-level vocabulary needs at least {least} tokens, got {vocab}; ask for more.")
    core = tokenizers.Tokenizer(models.BPE())
    core.normalizer = normalizers.NFC()
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab, special_tokens=list(special), initial_alphabet=alphabet, show_progress=False
    )
    core.train_from_iterator(texts, trainer)
    for name in sorted(set(whole)):
        core.add_tokens([tokenizers.AddedToken(name, single_word=name.isascii(), normalized=False)])
    return core
