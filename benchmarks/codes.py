"""Shared codes on handwriting and speech: the literal recipe, ours with pairs, ours without any, over seeds.

    python benchmarks/codes.py --images mnist_8k.npz --speech fsdd_8k.npz --out codes.json

A seed trains its own two spaces (cached in ISTHMUS_HOME) and draws its own memories, pairs and galleries; a model is
learned once and judged on dev and test. Two baselines need no gradient. The controls learn without code matching, from
shuffled captions, and from shuffled pseudo pairs. Figures are shares of 1; the worst seed is stated.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from isthmus import connect
from isthmus.base.errors import IsthmusError
from isthmus.codes.learning.fit import fit_codes
from isthmus.codes.learning.pairs import CodeItems, PairSource
from isthmus.codes.learning.sources import LinkedItems, Side, link_without_pairs
from isthmus.codes.model.config import LITERAL, CodesConfig
from isthmus.codes.model.model import CodeModel
from isthmus.demo.lessons import Lessons, asked_galleries, lessons, sides, true_pairs
from isthmus.evaluate.code_figures import TokenCodes, code_figures
from isthmus.evaluate.token_labels import LabelledTokens
from isthmus.worlds.digits.digits_world import DigitsWorld, Sizes
from isthmus.worlds.digits.items import digits_in
from isthmus.worlds.world import World
from real_digits import real_digits
from worlds.sinkhorn_codes import SinkhornCodes, sinkhorn_clusters
from worlds.window_codes import WindowCodes

OURS = CodesConfig()
SHOWN = (
    "joint_use.seen", "same_top_code.seen", "purity.image.seen", "purity.audio.seen",
    "transfer.image_to_audio.seen", "transfer.audio_to_image.seen", "transfer.image_to_audio.unseen",
    "transfer.audio_to_image.unseen", "pointing.text_to_image.seen", "iou.text_to_image.seen",
    "pointing.text_to_audio.seen", "iou.text_to_audio.seen", "pointing.audio_to_image.seen", "seconds",
)  # fmt: skip


def shuffled(sources: Sequence[PairSource]) -> list[PairSource]:
    """Every item with another one's partner."""
    draw = np.random.default_rng(0)
    return [replace(source, right_rows=draw.permutation(source.right_rows)) for source in sources]


def without_captions(side: Side) -> Side:
    """A side whose texts are not its items' own: captions are then those that its own space finds nearest."""
    own = set(next(items for name, items in side.items() if name != "text").tokens.ids)
    texts = side["text"]
    rows = np.array([row for row, item in enumerate(texts.tokens.ids) if item not in own])
    return {**side, "text": CodeItems(texts.tokens.take(rows), texts.pooled.take(rows))}


def items_only(side: Side) -> Side:
    """A side without its texts."""
    return {name: items for name, items in side.items() if name != "text"}


def runs(digits: DigitsWorld, world: World) -> dict[str, tuple[LinkedItems, CodesConfig]]:
    """Every learned run by name: what it learns from, and how."""
    both = sides(digits, world)
    joined = connect(world.left, world.right)
    bridge, paired = link_without_pairs(*both), true_pairs(digits, world)
    pseudo = link_without_pairs(*map(items_only, both), connector=joined)
    return {
        "literal recipe": (paired, LITERAL),
        "ours, paired": (paired, OURS),
        "ours, no pairs: captions": (bridge, OURS),
        "no pairs: retrieved captions": (link_without_pairs(*map(without_captions, both)), OURS),
        "no pairs: pseudo pairs": (pseudo, OURS),
        "no pairs: pseudo pairs, refined": (pseudo, replace(OURS, refinements=1)),
        "no pairs: captions + pseudo pairs": (link_without_pairs(*both, connector=joined), OURS),
        "control: no code matching": (bridge, replace(OURS, matching_weight=0.0)),
        "control: shuffled captions": (replace(bridge, sources=shuffled(bridge.sources)), OURS),
        "control: shuffled pseudo pairs": (replace(pseudo, sources=shuffled(pseudo.sources)), OURS),
    }


def modular(bridge: LinkedItems, seed: int) -> CodeModel:
    """Codes of sounds and texts, to which pictures are added with nothing else moved."""
    heard = {name: items for name, items in bridge.items.items() if name != "image"}
    sources = [source for source in bridge.sources if "image" not in (source.left, source.right)]
    base = fit_codes(heard, sources, OURS, seed=seed, device="cpu")
    (own,) = [source for source in bridge.sources if "image" in (source.left, source.right)]
    seen = {name: bridge.items[name] for name in (own.left, own.right)}
    return fit_codes(seen, [own], OURS, base=base, seed=seed, device="cpu")


def word_uses(ids: Sequence[str]) -> np.ndarray:
    """How each item's caption spreads over the ten words."""
    counts = np.array([np.bincount(digits_in(item), minlength=10) for item in ids], dtype=float)
    return counts / counts.sum(1, keepdims=True)


def clustered(digits: DigitsWorld, world: World) -> TokenCodes:
    """Sinkhorn's matching of clusters with the words of the items' own captions."""
    known = [side[name] for side, name in zip(sides(digits, world), ("image", "audio"), strict=True)]
    clusters = {own.tokens.modality: sinkhorn_clusters(own.tokens, word_uses(own.tokens.ids)) for own in known}
    written, words = SinkhornCodes(clusters), WindowCodes(digits)
    return lambda tokens: (words if tokens.modality == "text" else written).token_codes(tokens)


def figures(write: TokenCodes, known: Lessons, test: Mapping[str, Mapping[str, LabelledTokens]]) -> dict[str, float]:
    """Figures on the dev galleries, and on the test galleries under ``test.``; texts only where codes know them."""

    def fitting(items: Mapping[str, LabelledTokens]) -> dict[str, LabelledTokens]:
        found = {}
        for name, own in items.items():
            with suppress(IsthmusError):
                write(own.tokens.take(np.arange(1)))
                found[name] = own
        return found

    taught = fitting(known.taught)
    dev, held = ({name: fitting(own) for name, own in asked.items()} for asked in (known.asked, test))
    found = code_figures(write, taught, dev)
    return found | {f"test.{name}": value for name, value in code_figures(write, taught, held).items()}


def measure(digits: DigitsWorld, seed: int, say: Callable[[str], None]) -> dict[str, dict[str, float]]:
    """Every run's figures for one seed."""
    dev, test = (
        digits.world(split, Sizes(texts=5000, memory=4000, pairs=4000, gallery=500), seed=seed)
        for split in ("dev", "test")
    )
    known, held = lessons(digits, dev), asked_galleries(digits, test)
    found: dict[str, dict[str, float]] = {}

    def note(name: str, make: Callable[[], TokenCodes]) -> None:
        started = time.perf_counter()
        write = make()
        seconds = time.perf_counter() - started
        found[name] = {**figures(write, known, held), "seconds": seconds}
        say(f"seed {seed} {name}: " + ", ".join(f"{key} {found[name].get(key, np.nan):.3f}" for key in SHOWN))

    for name, (learned, config) in runs(digits, dev).items():
        note(name, lambda: fit_codes(learned.items, learned.sources, config, seed=seed, device="cpu").token_codes)  # noqa: B023
    note("no pairs: captions, modular", lambda: modular(known.unpaired, seed).token_codes)
    note("no gradient: nearest words of windows", lambda: WindowCodes(digits).token_codes)
    note("no gradient: clusters, Sinkhorn", lambda: clustered(digits, dev))
    return found


def main() -> None:
    given = real_digits(__doc__, "codes.json")
    found = []
    for seed in range(given.seeds):
        found.append(measure(given.world_of(seed), seed, lambda line: print(line, flush=True)))
        given.out.write_text(json.dumps(found, indent=1))
    for split in ("", "test."):
        print(f"\n| {split or 'dev'} | " + " | ".join(SHOWN) + " |")
        for name in found[0]:
            cells = [
                [seed[name].get(key if key == "seconds" else split + key, np.nan) for seed in found] for key in SHOWN
            ]
            print(f"| {name} | " + " | ".join(f"{np.mean(own):.2f} (worst {min(own):.2f})" for own in cells) + " |")


if __name__ == "__main__":
    main()
