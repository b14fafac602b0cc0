"""Tiny Hugging Face models with random weights, saved to a folder: what `test_pretrained.py` opens."""

from collections.abc import Callable
from pathlib import Path

import torch
import transformers as hf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import nn

TEXTS = ["a dog", "a train that leaves the station at noon", "two small birds on a wire", "红苹果"]
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
PAD, START, UNKNOWN, END = range(4)
IDS = {"pad_token_id": PAD, "bos_token_id": START, "eos_token_id": END}


def randomise(model: nn.Module, *, seed: int = 0) -> nn.Module:
    """Every parameter random, gains and biases too: at default values half of a model can be missing unnoticed."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.data = 0.3 * torch.randn(parameter.shape, generator=generator)
    return model.eval()


def tokenizer(length: int = 24, *, padded: bool = True) -> hf.PreTrainedTokenizerFast:
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<pad>", "<s>", "<unk>", "</s>"]
    raw.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=300, special_tokens=special, initial_alphabet=alphabet)
    )
    raw.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", START), ("</s>", END)]
    )
    names = {"bos_token": "<s>", "eos_token": "</s>", **({"pad_token": "<pad>"} if padded else {})}
    return hf.PreTrainedTokenizerFast(tokenizer_object=raw, model_max_length=length, **names)


def save(folder: Path, *parts: object) -> Path:
    for part in parts:
        part.save_pretrained(folder)
    return folder


def bert(folder: Path) -> Path:
    config = hf.BertConfig(vocab_size=300, max_position_embeddings=24, **SIZES)
    return save(folder, randomise(hf.BertModel(config)), tokenizer())


def gpt2(folder: Path) -> Path:
    config = hf.GPT2Config(vocab_size=300, n_positions=24, n_embd=16, n_layer=2, n_head=2, **IDS)
    return save(folder, randomise(hf.GPT2Model(config)), tokenizer(padded=False))


def t5(folder: Path) -> Path:
    config = hf.T5Config(vocab_size=300, d_model=16, d_kv=8, d_ff=24, num_layers=2, num_heads=2)
    return save(folder, randomise(hf.T5Model(config)), tokenizer())


def clip(folder: Path) -> Path:
    # The width of the tokens (16) and of the projection (12) differ, so that one cannot pass for the other.
    text = {**SIZES, **IDS, "vocab_size": 300, "max_position_embeddings": 24, "projection_dim": 12}
    vision = {**SIZES, "image_size": 32, "patch_size": 8, "projection_dim": 12}
    config = hf.CLIPConfig(text_config=text, vision_config=vision, projection_dim=12)
    picture = hf.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return save(folder, randomise(hf.CLIPModel(config)), tokenizer(), picture)


def siglip(folder: Path) -> Path:
    text = {**SIZES, **IDS, "vocab_size": 300, "max_position_embeddings": 24, "projection_size": 12}
    config = hf.SiglipConfig(text_config=text, vision_config={**SIZES, "image_size": 32, "patch_size": 8})
    picture = hf.SiglipImageProcessor(size={"height": 32, "width": 32})
    return save(folder, randomise(hf.SiglipModel(config)), tokenizer(), picture)


def vit(folder: Path) -> Path:
    config = hf.ViTConfig(image_size=32, patch_size=8, **SIZES)
    return save(folder, randomise(hf.ViTModel(config)), hf.ViTImageProcessor(size={"height": 32, "width": 32}))


def resnet(folder: Path) -> Path:
    config = hf.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    return save(folder, randomise(hf.ResNetModel(config)), hf.ConvNextImageProcessor(size={"shortest_edge": 32}))


def whisper(folder: Path) -> Path:
    sizes = {"encoder_layers": 2, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    config = hf.WhisperConfig(
        d_model=16, encoder_ffn_dim=24, decoder_ffn_dim=24, vocab_size=40, max_source_positions=100, num_mel_bins=20,
        decoder_start_token_id=START, **IDS, **sizes,
    )  # fmt: skip
    extractor = hf.WhisperFeatureExtractor(feature_size=20, chunk_length=2)
    return save(folder, randomise(hf.WhisperModel(config)), extractor)


def clap(folder: Path, *, fused: bool = False) -> Path:
    text = {**SIZES, **IDS, "vocab_size": 300, "max_position_embeddings": 20, "projection_dim": 12}
    audio = {
        "num_mel_bins": 16, "spec_size": 64, "window_size": 4, "patch_size": 2, "patch_stride": [2, 2],
        "hidden_size": 32, "patch_embeds_hidden_size": 16, "depths": [1, 1], "num_attention_heads": [2, 2],
        "num_hidden_layers": 2, "projection_dim": 12, "enable_fusion": fused,
    }  # fmt: skip
    config = hf.ClapConfig(text_config=text, audio_config=audio, projection_dim=12)
    extractor = hf.ClapFeatureExtractor(
        feature_size=16, max_length_s=2, truncation="fusion" if fused else "rand_trunc", frequency_max=8000
    )
    return save(folder, randomise(hf.ClapModel(config)), tokenizer(), extractor)


def wav2vec2(folder: Path, *, norm: str = "group") -> Path:
    config = hf.Wav2Vec2Config(
        conv_dim=(16, 16), conv_kernel=(10, 8), conv_stride=(10, 8), num_feat_extract_layers=2, feat_extract_norm=norm,
        num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2, do_stable_layer_norm=norm == "layer", **SIZES,
    )  # fmt: skip
    return save(folder, randomise(hf.Wav2Vec2Model(config)), hf.Wav2Vec2FeatureExtractor())


def ast(folder: Path) -> Path:
    config = hf.ASTConfig(max_length=200, num_mel_bins=16, patch_size=8, frequency_stride=8, time_stride=8, **SIZES)
    return save(folder, randomise(hf.ASTModel(config)), hf.ASTFeatureExtractor(max_length=200, num_mel_bins=16))


BUILDERS: dict[str, Callable[[Path], Path]] = {
    "bert": bert, "gpt2": gpt2, "t5": t5, "clip": clip, "siglip": siglip, "vit": vit, "resnet": resnet, "whisper": whisper,
    "clap": clap, "clap_fused": lambda folder: clap(folder, fused=True), "wav2vec2": wav2vec2,
    "wav2vec2_layer": lambda folder: wav2vec2(folder, norm="layer"), "ast": ast,
}  # fmt: skip
