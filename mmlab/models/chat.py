"""The multimodal language model: what is seen and heard becomes soft tokens among the words of a conversation."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from einops import reduce
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mmlab.encoders import ImageEncoder
from mmlab.models import chat_store, speaking
from mmlab.models.connectors import CONNECTORS, ITEMS, Percept
from mmlab.models.joint import JointEmbedder
from mmlab.models.joint import load_shipped as load_joint
from mmlab.models.language import AUDIO, IMAGE, check_vocabulary, open_lm, own_lm, own_tokenizer
from mmlab.models.merge import merge
from mmlab.models.prompt import Message, Prompter, Prompts, foreign_format, own_format
from mmlab.paths import DATA
from mmlab.types import InputError

SHIPPED = DATA / "checkpoints" / "chat"
FADING = 0.7  # each further token of a name counts so much less in what the connector begins with: the order shows


class MultimodalChat(nn.Module):
    r"""Encoders (frozen) → connector → places among the word embeddings of a causal language model → words.

    $$p(y \mid c) = \prod_k \mathrm{LM}\big(y_k \mid \mathrm{merge}(E(i_c), C(p_c)), y_{<k}\big)$$

    with $i_c$ the token ids and $p_c$ the percepts of the conversation c, E the word embeddings and C the connector.

    The constructor takes any Hugging Face causal model, `lm` (a folder, a hub name, or the model with its `tokenizer`), and
    freezes it; its connector is new and has to be trained. `untrained` makes our own small model, `from_pretrained` opens
    a trained one.

    Shape:   messages -> ids (batch, seq) -> embeddings (batch, seq, width) -> logits (batch, seq, vocab)
    Source:  LLaVA, Liu et al. 2023, arXiv:2304.08485; the article, chapter 3, for the fused connector
    Parity:  tests/parity/test_llava.py
    Raises:  InputError for an unknown connector, a tokenizer beyond the model's vocabulary
    """

    def __init__(
        self,
        lm: Any,
        *,
        joint: JointEmbedder | None = None,
        tokenizer: Any = None,
        connector: str = "tokens",
        own: bool = False,
        **sizes: Any,
    ) -> None:
        super().__init__()
        self.source = str(lm) if isinstance(lm, str | Path) else None
        name = repr(self.source) if self.source else "this language model"
        lm, tokenizer = open_lm(lm) if self.source else (lm, tokenizer)
        if tokenizer is None:
            raise InputError("A language model given as an object needs its tokenizer; pass tokenizer=, or a folder.")
        if connector not in CONNECTORS:
            raise InputError(f"A connector is one of {', '.join(CONNECTORS)}, got {connector!r}; choose one of these.")
        check_vocabulary(lm, tokenizer, name=name)
        self.joint = (load_joint() if joint is None else joint).requires_grad_(False).eval()
        self.lm, self.tokenizer, self.own = lm.requires_grad_(own).eval(), tokenizer, own
        if not own:
            tokenizer.add_special_tokens({"additional_special_tokens": [IMAGE, AUDIO]})
        self.kind = connector
        width = lm.get_input_embeddings().embedding_dim
        sizes = {
            "hidden": 4 * self.joint.dim,
            "items": ITEMS,
            **({"early": self._early()} if connector == "tokens" else {}),
            **sizes,
        }
        self.connector = CONNECTORS[connector](self.joint.dim, out=width, **sizes)
        self.form = own_format(tokenizer) if own else foreign_format(tokenizer, name=name)
        self.prompt = Prompter(tokenizer, self.form, self.connector.slots)

    @classmethod
    def untrained(
        cls,
        texts: Iterable[str],
        *,
        joint: JointEmbedder | None = None,
        vocab: int = 3000,
        width: int = 192,
        layers: int = 4,
        heads: int = 3,
        mlp: int = 512,
        seed: int = 0,
        whole: Sequence[str] = (),
        **options: Any,
    ) -> "MultimodalChat":
        """Our own language model with random weights; a tokenizer learned from `texts`, with a token for each of `whole`."""
        tokenizer = own_tokenizer(texts, vocab=vocab, whole=whole)
        marks = {"pad": tokenizer.pad_token_id, "end": tokenizer.eos_token_id}
        lm = own_lm(len(tokenizer), width=width, layers=layers, heads=heads, mlp=mlp, seed=seed, **marks)
        with torch.random.fork_rng():
            torch.manual_seed(seed + 1)
            return cls(lm, joint=joint, tokenizer=tokenizer, own=True, **options)

    def train(self, mode: bool = True) -> "MultimodalChat":
        """The joint space stays in evaluation mode, and so does a language model that is not ours."""
        super().train(mode)
        self.joint.eval()
        if not self.own:
            self.lm.eval()
        return self

    @property
    def device(self) -> torch.device:
        """Where it computes; what is said and shown may come from anywhere."""
        return self.connector.reader.keys.device

    @property
    def longest(self) -> int:
        """Tokens that a conversation may have."""
        return int(getattr(self.lm.config, "max_position_embeddings", None) or self.tokenizer.model_max_length)

    def _early(self) -> int:
        encoder = dict(self.joint.encoders).get("image")
        if not isinstance(encoder, ImageEncoder):
            return 0  # another family's encoder: its first maps are not known here
        return encoder.stem[0].out_channels + encoder.stages[0].conv2.out_channels

    @torch.no_grad()
    def remember(self, vectors: Float[Tensor, "items dim"], names: Sequence[Sequence[str]]) -> None:
        """Let the connector begin with names: `names[i]` are those, one per language, of the vector i of the joint space."""
        table = self.lm.get_input_embeddings().weight
        said = []
        for every in names:
            ids = [torch.tensor(self.prompt.ids(name), device=table.device) for name in every]
            fading = [FADING ** torch.arange(len(one), device=table.device) for one in ids]
            said.append(torch.stack([(f[:, None] * table[one]).sum(0) for one, f in zip(ids, fading, strict=True)]))
        self.connector.reader.remember(vectors, torch.stack(said))

    @torch.no_grad()
    def see(self, *, images: Sequence[Any] = (), audio: Sequence[Any] = ()) -> list[Percept]:
        """PIL pictures and waveforms at 16 kHz, encoded once: percepts, pictures first."""
        given = {"image": list(images), "audio": list(audio)}
        found = self.joint.features(**{name: items for name, items in given.items() if items})
        device = self.joint.weights.device
        out = []
        for name, (x, z) in found.items():
            early = x.new_zeros(len(x), 0)
            if name == "image" and self._early():
                encoder = self.joint.encoders["image"]
                parts = [encoder.preprocess(images[i : i + 128]).values for i in range(0, len(images), 128)]
                early = torch.cat([early_features(encoder, part.to(device)) for part in parts])
            out += [Percept(name, *row) for row in zip(x, z, early, strict=True)]
        return out

    def encoded(self, messages: Sequence[Message]) -> list[Message]:
        """The messages with every raw picture and sound replaced by its percept; percepts stay as they are."""
        out = []
        for message in messages:
            ready = {name: list(message.get(name) or ()) for name in ("images", "audio")}
            for name, items in ready.items():
                ready[name] = [p if isinstance(p, Percept) else self.see(**{name: [p]})[0] for p in items]
            out.append({**message, **ready})
        return out

    def embed(self, prompts: Prompts) -> Float[Tensor, "batch seq width"]:
        """Word embeddings with the soft tokens in their places: what the language model reads."""
        words = self.lm.get_input_embeddings()(prompts.ids.masked_fill(prompts.places, 0))
        return merge(words, self.connector(prompts.turns), prompts.places)

    def forward(self, prompts: Prompts) -> Float[Tensor, "batch seq vocab"]:
        return self.lm(inputs_embeds=self.embed(prompts), attention_mask=prompts.mask.long(), use_cache=False).logits

    def loss(self, prompts: Prompts) -> Float[Tensor, ""]:
        """The mean cross-entropy of the words of the answers, each given everything before it.

        Our own model computes logits for these words only; any other may do more than one product after its last layer.
        """
        answers = prompts.answers[:, 1:]
        if self.own:
            inputs = {"inputs_embeds": self.embed(prompts), "attention_mask": prompts.mask.long(), "use_cache": False}
            logits = self.lm.lm_head(self.lm.model(**inputs).last_hidden_state[:, :-1][answers])
        else:
            logits = self(prompts)[:, :-1][answers]
        return cross_entropy(logits.float(), prompts.ids[:, 1:][answers])

    def generate(
        self,
        messages: Sequence[Message],
        *,
        streamer: Any = None,
        stop: Callable[[], bool] | None = None,
        max_new_tokens: int = 48,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int | None = None,
    ) -> str:
        """The answer to a conversation that ends with a question: greedy at temperature 0, else sampled.

        `streamer` is a streamer of transformers, fed token by token; `stop` is asked after each token, and a True ends the
        answer there; `seed` makes a sampled answer repeatable.
        """
        how = speaking.manner(temperature=temperature, top_p=top_p) | speaking.control(streamer=streamer, stop=stop)
        with speaking.seeded(seed):
            return speaking.say(self, [self.encoded(messages)], max_new_tokens=max_new_tokens, **how)[0]

    def answer(self, conversations: Sequence[Sequence[Message]], *, max_new_tokens: int = 48) -> list[str]:
        """The greedy answers to many conversations whose pictures and sounds are percepts, many at a time."""
        return speaking.answer(self, conversations, max_new_tokens=max_new_tokens)

    def log_likelihood(
        self, conversations: Sequence[Sequence[Message]], options: Sequence[Sequence[str]]
    ) -> list[Float[Tensor, " options"]]:
        """log p of each given answer, its end included, after its conversation: a forced choice is its argmax."""
        return speaking.log_likelihood(self, conversations, options)

    def save_pretrained(self, folder: str | Path, *, dtype: torch.dtype = torch.float32, **notes: Any) -> None:
        """Connector, our own language model and its tokenizer in one folder; `notes` go into the config as they are."""
        chat_store.save(self, folder, dtype=dtype, notes=notes)

    @classmethod
    def from_pretrained(
        cls, folder: str | Path, *, joint: JointEmbedder | None = None, lm: Any = None, tokenizer: Any = None
    ) -> "MultimodalChat":
        """Strict, as `JointEmbedder.from_pretrained`; made for another joint space or language model is an InputError.

        A chat trained on a language model that is not ours holds its connector only: the model is opened from where it
        was, or from `lm`.
        """
        return chat_store.load(cls, folder, joint=load_joint() if joint is None else joint, lm=lm, tokenizer=tokenizer)


@torch.no_grad()
def early_features(
    encoder: ImageEncoder, pixels: Float[Tensor, "batch 3 height width"]
) -> Float[Tensor, "batch channels"]:
    """The means of the first two feature maps: what the picture's colours are, before the encoder looks past them."""
    first = encoder.stem(2 * pixels - 1)
    maps = first, encoder.stages[0](first)
    return torch.cat([reduce(one, "batch channels height width -> batch channels", "mean") for one in maps], dim=1)


def load_shipped(*, joint: JointEmbedder | None = None) -> MultimodalChat:
    """The chat that ships with the course, trained by `mmlab train chat`."""
    return MultimodalChat.from_pretrained(SHIPPED, joint=joint)
