"""Shared codes on handwriting and speech: the literal recipe, ours with pairs, ours without any, over seeds.

    python benchmarks/codes.py --images mnist_8k.npz --speech fsdd_8k.npz --split dev --out codes.json

A seed trains its own two spaces (cached in ISTHMUS_HOME) and draws its own memories, pairs and galleries. The controls
learn without code matching, and from captions that were shuffled. Figures are shares of 1; the worst seed is stated.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from digits import spaces_recipe
from isthmus.codes.config import LITERAL, CodesConfig
from isthmus.codes.fit import fit_codes
from isthmus.codes.pairs import PairSource
from isthmus.codes.sources import Unpaired, without_pairs
from isthmus.evaluate.code_figures import code_figures
from isthmus.evaluate.digit_codes import asked_galleries, sides, taught_items, true_pairs
from isthmus.worlds.digits.build import build
from isthmus.worlds.digits.handwriting_files import load_handwriting
from isthmus.worlds.digits.source import Source
from isthmus.worlds.digits.speech_files import load_speech
from isthmus.worlds.digits.variant import Variant

OURS = CodesConfig()
SHOWN = (
    "joint_use.seen", "same_top_code.seen", "purity.image.seen", "purity.audio.seen",
    "transfer.image_to_audio.seen", "transfer.audio_to_image.seen", "transfer.image_to_audio.unseen",
    "pointing.text_to_image.seen", "iou.text_to_image.seen",
    "pointing.text_to_audio.seen", "iou.text_to_audio.seen", "pointing.audio_to_image.seen", "seconds",
)  # fmt: skip


def shuffled(sources: list[PairSource]) -> list[PairSource]:
    """Every item with another one's partner."""
    draw = np.random.default_rng(0)
    return [replace(source, right_rows=draw.permutation(source.right_rows)) for source in sources]


def runs(paired: Unpaired, unpaired: Unpaired) -> dict[str, tuple[Unpaired, CodesConfig]]:
    """Every run by name: what it learns from, and how."""
    wrong = replace(unpaired, sources=shuffled(list(unpaired.sources)))
    return {
        "literal recipe": (paired, LITERAL),
        "ours, paired": (paired, OURS),
        "ours, no pairs": (unpaired, OURS),
        "no code matching": (unpaired, replace(OURS, matching_weight=0.0)),
        "shuffled captions": (wrong, OURS),
    }


def measure(source: Source, seed: int, split: str, say: Callable[[str], None]) -> dict[str, dict[str, float]]:
    """Every run's figures for one seed."""
    digits = build(source, spaces_recipe(seed))
    world = digits.world(split, Variant(texts=5000, memory=4000, pairs=4000, gallery=500, seed=seed))
    taught, asked = taught_items(digits, world), asked_galleries(digits, world)
    found = {}
    for name, (learned, config) in runs(true_pairs(digits, world), without_pairs(*sides(digits, world))).items():
        started = time.perf_counter()
        model = fit_codes(learned.items, learned.sources, config, seed=seed, device="cpu")
        seconds = time.perf_counter() - started
        found[name] = {**code_figures(model.token_codes, taught, asked), "seconds": seconds}
        say(f"seed {seed} {name}: " + ", ".join(f"{key} {found[name][key]:.3f}" for key in SHOWN))
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--images", type=Path, required=True)
    options.add_argument("--speech", type=Path, required=True)
    options.add_argument("--split", choices=("dev", "test"), default="dev")
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--out", type=Path, default=Path("codes.json"))
    given = options.parse_args()
    source = Source("real digits", load_handwriting(given.images), load_speech(given.speech))
    found = [measure(source, seed, given.split, lambda line: print(line, flush=True)) for seed in range(given.seeds)]
    given.out.write_text(json.dumps(found, indent=1))
    for name in found[0]:
        for key in SHOWN:
            values = [seed[name][key] for seed in found]
            worst = max(values) if key == "seconds" else min(values)
            print(f"{name:20} {key:34} {np.mean(values):.3f} ± {np.std(values):.3f} (worst {worst:.3f})")


if __name__ == "__main__":
    main()
