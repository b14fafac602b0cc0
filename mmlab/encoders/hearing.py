"""How each family of pretrained sound models reads a waveform, and which of its tokens are real."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from mmlab.encoders.recipes import tokens_of
from mmlab.types import Inputs, Tokens

Waves = list[np.ndarray]  # mono, at the extractor's rate


@dataclass(frozen=True)
class Ear:
    """`read` makes inputs of waveforms, `hear` makes tokens of inputs, `longest` is the number of seconds that fit."""

    read: Callable[[Any, Waves], Inputs]
    hear: Callable[[nn.Module, Inputs], Tokens]
    longest: Callable[[Any], float]


def _all_real(hidden: Tensor) -> Tokens:
    values = tokens_of(hidden)
    return Tokens(values, torch.ones(values.shape[:2], dtype=torch.bool, device=values.device))


def _read_whisper(extractor: Any, waves: Waves) -> Inputs:
    read = extractor(waves, sampling_rate=extractor.sampling_rate, return_attention_mask=True, return_tensors="pt")
    return Inputs(read["input_features"], read["attention_mask"].bool())


def _hear_whisper(model: nn.Module, inputs: Inputs) -> Tokens:
    # Whisper always hears 30 seconds, the silence after the sound included; its second convolution halves the frames.
    return Tokens(model(inputs.values).last_hidden_state, inputs.mask[:, ::2])


def _read_clap(extractor: Any, waves: Waves) -> Inputs:
    return Inputs(extractor(waves, sampling_rate=extractor.sampling_rate, return_tensors="pt")["input_features"])


def _hear_clap(model: nn.Module, inputs: Inputs) -> Tokens:
    # No sound is ever longer than the model takes (PretrainedAudio refuses it). The extractor of the fused models marks
    # one sound of each batch as longer at random, which would make an embedding depend on its neighbours: not passed.
    longer = torch.zeros(len(inputs), 1, dtype=torch.bool, device=inputs.values.device)
    return _all_real(model(input_features=inputs.values, is_longer=longer).last_hidden_state)


def _read_ast(extractor: Any, waves: Waves) -> Inputs:
    return Inputs(extractor(waves, sampling_rate=extractor.sampling_rate, return_tensors="pt")["input_values"])


def _hear_ast(model: nn.Module, inputs: Inputs) -> Tokens:
    return _all_real(model(inputs.values).last_hidden_state)


def _read_waves(extractor: Any, waves: Waves) -> Inputs:
    # One by one: an extractor that normalises a padded batch counts the padding into mean and variance.
    rows = [
        torch.from_numpy(
            np.asarray(extractor(wave, sampling_rate=extractor.sampling_rate)["input_values"][0], np.float32)
        )
        for wave in waves
    ]
    lengths = torch.tensor([len(row) for row in rows])
    values = pad_sequence(rows, batch_first=True)
    return Inputs(values, torch.arange(values.shape[1]) < lengths[:, None])


def _hear_waves(model: nn.Module, inputs: Inputs) -> Tokens:
    # Sounds of one length go together and unpadded: the base models of this family take statistics over time
    # (feat_extract_norm="group"), into which padding would leak, and have no mask against it.
    lengths = inputs.mask.sum(dim=1)
    rows: list[Tensor] = [torch.empty(0)] * len(inputs)
    for length in lengths.unique().tolist():
        chosen = (lengths == length).nonzero().flatten()
        hidden = model(inputs.values[chosen, :length]).last_hidden_state
        for row, tokens in zip(chosen.tolist(), hidden, strict=True):
            rows[row] = tokens
    values = pad_sequence(rows, batch_first=True)
    counts = torch.tensor([len(row) for row in rows], device=values.device)
    return Tokens(values, torch.arange(values.shape[1], device=values.device) < counts[:, None])


_WHISPER = Ear(_read_whisper, _hear_whisper, longest=lambda extractor: extractor.n_samples / extractor.sampling_rate)
_CLAP = Ear(_read_clap, _hear_clap, longest=lambda extractor: extractor.max_length_s)
_AST = Ear(_read_ast, _hear_ast, longest=lambda extractor: extractor.max_length * 0.01)  # frames of 10 ms
_WAVES = Ear(_read_waves, _hear_waves, longest=lambda extractor: float("inf"))

EARS: dict[str, Ear] = {
    "whisper": _WHISPER,
    "clap": _CLAP,
    "clap_audio_model": _CLAP,
    "audio-spectrogram-transformer": _AST,
    "wav2vec2": _WAVES,
    "hubert": _WAVES,
    "wavlm": _WAVES,
}
