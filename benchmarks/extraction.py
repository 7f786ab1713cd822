"""Bulk embedding against the encoder alone: rate, peak memory as items grow, and Ray against the local runner.

Encoders have the real architectures and sizes (CLIP ViT-B/32, CLAP HTSAT) with random weights, which cost the same;
media are made here. Run one part: python benchmarks/extraction.py images|audio|memory|ray --out DIR
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import soundfile
import torch
import transformers
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import isthmus
import tiny_checkpoints as tiny
from isthmus.media import list_media
from isthmus.spaces import Space, load_space
from isthmus.spaces.batching import collate

BASELINE_ITEMS = {"image": 320, "audio": 128}
ROUNDS = 4


def write_clip(folder: Path) -> Path:
    """CLIP ViT-B/32 in full size."""
    tokenizer = tiny.clip_tokenizer()
    config = transformers.CLIPConfig()
    return tiny.saved(folder, transformers.CLIPModel, config, tokenizer, transformers.CLIPImageProcessorPil())


def write_clap(folder: Path) -> Path:
    """CLAP with HTSAT as in laion/clap-htsat-unfused."""
    config = transformers.ClapConfig()
    extractor = transformers.ClapFeatureExtractor(truncation="rand_trunc")
    return tiny.saved(folder, transformers.ClapModel, config, tiny.roberta_tokenizer(), extractor)


def write_medium(folder: Path) -> Path:
    """A CLIP of some milliseconds an image, for many items."""
    tokenizer = tiny.clip_tokenizer()
    layers = {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 4, "num_attention_heads": 4}
    config = transformers.CLIPConfig(
        text_config=tiny.clip_text(tokenizer), vision_config={**layers, "image_size": 64, "patch_size": 8}
    )
    processor = transformers.CLIPImageProcessorPil(size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64})
    return tiny.saved(folder, transformers.CLIPModel, config, tokenizer, processor)


def write_images(folder: Path, count: int, size: tuple[int, int]) -> Path:
    """Photograph-like JPEG files: smooth colours with some detail."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / f"{number:06}.jpg"
        if not path.exists():
            draw = np.random.default_rng(number)
            coarse = Image.fromarray(draw.integers(0, 255, (12, 16, 3), dtype=np.uint8)).resize(size, Image.BICUBIC)
            noisy = np.asarray(coarse, np.int16) + draw.integers(-12, 12, (size[1], size[0], 1))
            Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(path, quality=90)
    return folder


def write_clips(folder: Path, count: int) -> Path:
    """Ten seconds each, 44.1 kHz, 16 bit."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / f"{number:06}.wav"
        if not path.exists():
            soundfile.write(path, 0.1 * np.random.default_rng(number).standard_normal(441_000), 44_100)
    return folder


def encoder_alone(space: Space, modality: str, folder: Path, batch: int) -> float:
    """Items per second of a loop that only runs the encoder on arrays that are ready."""
    preparation = space.preparation(modality)
    items = list(list_media(folder, modality))[: BASELINE_ITEMS[modality]]
    inputs = [preparation(item) for item in items]
    batches = [collate(inputs[start : start + batch], {}) for start in range(0, len(inputs), batch)]
    space.encoder.encode_inputs(modality, batches[0])
    started = time.perf_counter()
    for ready in batches:
        space.encoder.encode_inputs(modality, ready)
    return len(inputs) / (time.perf_counter() - started)


def rate_of_images(out: Path) -> dict[str, object]:
    """5000 images of 640 x 480 through CLIP ViT-B/32."""
    return rate(out, "image", "clip", write_clip, write_images(out / "images", 5000, (640, 480)))


def rate_of_audio(out: Path) -> dict[str, object]:
    """2000 audio clips of ten seconds through CLAP."""
    return rate(out, "audio", "clap", write_clap, write_clips(out / "clips", 2000))


def rate(out: Path, modality: str, name: str, write: Callable[[Path], Path], folder: Path) -> dict[str, object]:
    """Parts of the items through embed, the encoder alone before, between and after them: machines are not steady."""
    checkpoint = out / name
    if not checkpoint.is_dir():
        write(checkpoint)
    space = load_space(f"{name}:{checkpoint}", device="cpu")
    batch = {"image": 32, "audio": 16}[modality]
    names = sorted(path.name for path in folder.iterdir() if path.suffix != ".txt")
    alone, shares, rates = [encoder_alone(space, modality, folder, batch)], [], []
    for part in range(ROUNDS):
        listed = folder / f"part-{part}.txt"
        listed.write_text("\n".join(names[part::ROUNDS]))
        made = out / f"set-{name}-{time.time_ns()}"
        options = {"modality": modality, "shard_items": len(names) // ROUNDS // 5}
        whole, running, _ = timed_embed(made, f"{name}:{checkpoint}", listed, **options)
        alone.append(encoder_alone(space, modality, folder, batch))
        rates.append((whole, running))
        shares.append(tuple(own / np.mean(alone[-2:]) for own in (whole, running)))
        print(part, alone[-2:], rates[-1], shares[-1], flush=True)
    return {
        "items": len(names),
        "encoder alone, items/s": alone,
        "embed with start-up, items/s": [whole for whole, _ in rates],
        "embed after start-up, items/s": [running for _, running in rates],
        "share of the encoder's rate with start-up": float(np.median([whole for whole, _ in shares])),
        "share of the encoder's rate": float(np.median([running for _, running in shares])),
        "lowest and highest share": [float(f([own for _, own in shares])) for f in (np.min, np.max)],
    }


def timed_embed(out: Path, space: str, folder: Path, **options: object) -> tuple[float, float, int]:
    """Items per second of the whole call, and from the end of its first shard to that of its last; rows."""
    from isthmus.bulk import embed as module
    from isthmus.bulk.store import Store

    commits: list[tuple[float, int]] = []
    commit = Store.commit

    def noted(store: Store, written: object) -> None:
        commit(store, written)
        commits.append((time.perf_counter(), store.entry.rows))

    module.Store.commit = noted
    try:
        started = time.perf_counter()
        summary = isthmus.embed(folder, out, space=space, **{"shard_items": 500, **options})
        seconds = time.perf_counter() - started
    finally:
        module.Store.commit = commit
    (first, before), (last, after) = commits[0], commits[-1]
    running = (after - before) / (last - first) if last > first else float("nan")
    return summary.rows / seconds, running, summary.rows


def memory(out: Path) -> dict[str, object]:
    """Peak memory of the process that encodes and of the largest that decodes, for 1000 and for 20 000 items."""
    write_images(out / "small", 20_000, (96, 80))
    checkpoint = out / "medium"
    if not checkpoint.is_dir():
        write_medium(checkpoint)
    found = {}
    for count in (1000, 20_000):
        listed = out / "small" / f"{count}.txt"
        listed.write_text("\n".join(f"{number:06}.jpg" for number in range(count)))
        found[str(count)] = in_process(peak_of_embed, listed, out / f"peak-{count}-{time.time_ns()}", str(checkpoint))
    found["growth of the encoder's process"] = found["20000"]["encoder MiB"] / found["1000"]["encoder MiB"]
    return found


def peak_of_embed(where: Path, out: Path, checkpoint: str) -> dict[str, float]:
    """Embed, then say the peaks."""
    isthmus.embed(where, out, space=f"clip:{checkpoint}", modality="image")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"encoder MiB": own, "decoder MiB": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024}


def in_process(work: Callable[..., object], *arguments: object) -> object:
    """A fresh process's result: a peak is of a process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def against_ray(out: Path) -> dict[str, object]:
    """20 000 items through the local runner, through Ray, and through the local runner again."""
    write_images(out / "small", 20_000, (96, 80))
    checkpoint = out / "medium"
    if not checkpoint.is_dir():
        write_medium(checkpoint)
    found: dict[str, object] = {}
    rates = {}
    for name, options in (("local", {}), ("ray", {"runner": "ray", "actors": 1}), ("local again", {})):
        whole, running, rows = timed_embed(
            out / f"{name}-{time.time_ns()}", f"clip:{checkpoint}", out / "small", **options
        )
        rates[name] = running
        found[name] = {"items": rows, "items/s": whole, "after start-up": running}
        print(name, found[name], flush=True)
    found["ray / local after start-up"] = rates["ray"] / np.mean([rates["local"], rates["local again"]])
    return found


PARTS = {"images": rate_of_images, "audio": rate_of_audio, "memory": memory, "ray": against_ray}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=list(PARTS))
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    torch.set_num_threads(2)
    print(json.dumps(PARTS[given.part](given.out), indent=1))
