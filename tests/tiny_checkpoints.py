"""Tiny checkpoints with random weights, in the format of the real ones, for the real loading code."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import transformers
from transformers.convert_slow_tokenizer import bytes_to_unicode

from isthmus.spaces.pointbert.tower import PointBert

TEXT = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
VISION = {**TEXT, "image_size": 32, "patch_size": 8}
DIM = 16


def letters() -> list[str]:
    return list(bytes_to_unicode().values())


def clip_tokenizer() -> transformers.CLIPTokenizer:
    pieces = [*letters(), *(letter + "</w>" for letter in letters()), "<|startoftext|>", "<|endoftext|>"]
    return transformers.CLIPTokenizer(vocab={piece: number for number, piece in enumerate(pieces)}, merges=[])


def roberta_tokenizer() -> transformers.RobertaTokenizer:
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *letters(), "<mask>"]
    return transformers.RobertaTokenizer(vocab={piece: number for number, piece in enumerate(pieces)}, merges=[])


def siglip2_tokenizer() -> transformers.PreTrainedTokenizerBase:
    from transformers.models.siglip2.tokenization_siglip2 import Siglip2Tokenizer

    pieces = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *"abcdefghijklmnopqrstuvwxyz"]
    pieces += [f"<0x{byte:02X}>" for byte in range(256)]
    return Siglip2Tokenizer(vocab={piece: number for number, piece in enumerate(pieces)}, merges=[])


def clip_text(tokenizer: transformers.PreTrainedTokenizerBase) -> dict[str, object]:
    return {
        **TEXT,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": 77,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def write_clip(folder: Path) -> Path:
    tokenizer = clip_tokenizer()
    config = transformers.CLIPConfig(text_config=clip_text(tokenizer), vision_config=VISION, projection_dim=DIM)
    processor = transformers.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return saved(folder, transformers.CLIPModel, config, tokenizer, processor)


def write_xclip(folder: Path) -> Path:
    tokenizer = clip_tokenizer()
    vision = {
        **VISION,
        "num_frames": 4,
        "mit_hidden_size": DIM,
        "mit_intermediate_size": 32,
        "mit_num_hidden_layers": 1,
        "mit_num_attention_heads": 2,
    }
    config = transformers.XCLIPConfig(text_config=clip_text(tokenizer), vision_config=vision, projection_dim=DIM)
    processor = transformers.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return saved(folder, transformers.XCLIPModel, config, tokenizer, processor)


def write_siglip2(folder: Path) -> Path:
    tokenizer = siglip2_tokenizer()
    text = {**TEXT, "vocab_size": len(tokenizer), "max_position_embeddings": 16}
    config = transformers.SiglipConfig(text_config=text, vision_config=VISION)
    processor = transformers.SiglipImageProcessorPil(size={"height": 32, "width": 32})
    return saved(folder, transformers.SiglipModel, config, tokenizer, processor)


def write_siglip2_naflex(folder: Path) -> Path:
    tokenizer = siglip2_tokenizer()
    text = {**TEXT, "vocab_size": len(tokenizer), "max_position_embeddings": 16}
    config = transformers.Siglip2Config(text_config=text, vision_config={**TEXT, "patch_size": 8, "num_patches": 16})
    processor = transformers.Siglip2ImageProcessorPil(patch_size=8, max_num_patches=16)
    return saved(folder, transformers.Siglip2Model, config, tokenizer, processor)


def write_clap(folder: Path, *, fusion: bool = False) -> Path:
    tokenizer = roberta_tokenizer()
    text = {
        **TEXT,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": 66,
        "pad_token_id": tokenizer.pad_token_id,
        "projection_dim": DIM,
    }
    audio = {
        "spec_size": 64,
        "num_mel_bins": 16,
        "patch_embeds_hidden_size": 8,
        "hidden_size": 16,
        "patch_embed_input_channels": 1,
        "depths": [1, 1],
        "num_attention_heads": [2, 2],
        "window_size": 4,
        "enable_fusion": fusion,
        "projection_dim": DIM,
    }
    config = transformers.ClapConfig(text_config=text, audio_config=audio, projection_dim=DIM)
    extractor = transformers.ClapFeatureExtractor(
        feature_size=16,
        sampling_rate=8000,
        hop_length=400,
        fft_window_size=512,
        frequency_max=4000,
        truncation="fusion" if fusion else "rand_trunc",
    )
    return saved(folder, transformers.ClapModel, config, tokenizer, extractor)


def write_yolos(folder: Path) -> Path:
    config = transformers.YolosConfig(**VISION | {"image_size": [32, 32], "num_detection_tokens": 5}, num_labels=3)
    processor = transformers.YolosImageProcessorPil(size={"shortest_edge": 32, "longest_edge": 64})
    return saved(folder, transformers.YolosForObjectDetection, config, processor)


def write_clap_fusion(folder: Path) -> Path:
    return write_clap(folder, fusion=True)


def write_sentence(folder: Path) -> Path:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    tokenizer = roberta_tokenizer()
    config = transformers.RobertaConfig(**TEXT, vocab_size=len(tokenizer), max_position_embeddings=66)
    inner = saved(folder.with_name(folder.name + "-inner"), transformers.RobertaModel, config, tokenizer)
    words = Transformer(str(inner), max_seq_length=60)
    SentenceTransformer(modules=[words, Pooling(TEXT["hidden_size"])], device="cpu").save(str(folder))
    return folder


def write_ulip(path: Path, inputs: int = 3) -> dict[str, torch.Tensor]:
    """A checkpoint as ULIP's training writes it: prefixed keys, other towers, and the namespace of its arguments."""
    draw = torch.Generator().manual_seed(0)
    tower = PointBert().state_dict()
    state = {name: 0.15 * torch.randn(value.shape, generator=draw) for name, value in tower.items() if value.ndim}
    state |= {name: value.abs() + 0.5 for name, value in state.items() if name.endswith("running_var")}
    state |= {name: value for name, value in tower.items() if not value.ndim}
    if inputs != 3:
        state["encoder.first_conv.0.weight"] = torch.zeros(128, inputs, 1)
    projection = 0.05 * torch.randn(768, 512, generator=draw)
    whole = {f"module.point_encoder.{name}": value for name, value in state.items()}
    whole |= {
        "module.pc_projection": projection,
        "module.visual.proj": torch.zeros(3),
        "module.logit_scale": torch.ones(()),
    }
    torch.save({"epoch": 3, "state_dict": whole, "args": argparse.Namespace(model="ULIP_PointBERT")}, path)
    return {**state, "pc_projection": projection}


def write_ulip_file(folder: Path) -> Path:
    folder.mkdir()
    write_ulip(folder / "ulip.pt")
    return folder


def saved(folder: Path, model: type, config: object, *processors: object) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = model(config)
        for weights in made.parameters():
            torch.nn.init.normal_(weights, std=0.2)
    made.save_pretrained(folder)
    for processor in processors:
        processor.save_pretrained(folder)
    return folder


def in_hub_cache(home: Path, name: str, revision: str, write: object) -> None:
    """Write a checkpoint into a cache of the hub, so that its public name loads it offline."""
    repository = home / "hub" / f"models--{name.replace('/', '--')}"
    write(repository / "snapshots" / revision)
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(revision)
