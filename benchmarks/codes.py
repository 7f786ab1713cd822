"""Shared codes on handwriting and speech: the literal recipe, ours with pairs, and ours without any, over seeds.

    python benchmarks/codes.py --images mnist_8k.npz --speech fsdd_8k.npz --out codes.json

A seed trains its own two spaces (cached in ISTHMUS_HOME) and draws its own memories, pairs and galleries. Each model is
trained once and scored on dev and test. Two baselines need no gradient. The controls train without code matching, on
shuffled captions, and on shuffled neighbour pairs. Figures are between 0 and 1; the worst seed is given.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from codes_refinement import refined
from isthmus import Connector, connect
from isthmus.base.errors import IsthmusError
from isthmus.codes.learning.fit import fit_codes
from isthmus.codes.learning.objective import Terms
from isthmus.codes.learning.pairs import CodeItems, PairSource
from isthmus.codes.learning.sources import LinkedItems, Side, link_without_pairs
from isthmus.codes.model.config import CodesConfig
from isthmus.codes.model.model import CodeModel
from isthmus.demo.code_data import CodeData, code_data, labelled_galleries, true_pairs, unpaired_sides
from isthmus.demo.digits import DigitsDemo
from isthmus.demo.literal import LITERAL, LITERAL_TERMS
from isthmus.evaluate.code_figures import TokenCodes, code_figures
from isthmus.evaluate.token_labels import LabelledTokens
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.digits.items import digits_in
from isthmus.worlds.world import Sizes, World
from real_digits import real_digits
from worlds.sinkhorn_codes import SinkhornCodes, sinkhorn_clusters
from worlds.window_codes import WindowCodes

OURS = CodesConfig()
Fit = Callable[[int], CodeModel]
SHOWN = (
    "joint_use.seen", "same_top_code.seen", "purity.image.seen", "purity.audio.seen",
    "transfer.image_to_audio.seen", "transfer.audio_to_image.seen", "transfer.image_to_audio.unseen",
    "transfer.audio_to_image.unseen", "pointing.text_to_image.seen", "iou.text_to_image.seen",
    "pointing.text_to_audio.seen", "iou.text_to_audio.seen", "pointing.audio_to_image.seen", "seconds",
)  # fmt: skip


def shuffled(sources: Sequence[PairSource]) -> list[PairSource]:
    """Pair every item with the partner of another one."""
    draw = np.random.default_rng(0)
    return [replace(source, right_rows=draw.permutation(source.right_rows)) for source in sources]


def without_captions(side: Side) -> Side:
    """A side without its items' own captions: each item is then paired with the nearest text in its space."""
    own = set(next(items for name, items in side.items() if name != "text").tokens.ids)
    texts = side["text"]
    rows = np.array([row for row, item in enumerate(texts.tokens.ids) if item not in own])
    return {**side, "text": CodeItems(texts.tokens.take(rows), texts.pooled.take(rows))}


def items_only(side: Side) -> Side:
    """A side without its texts."""
    return {name: items for name, items in side.items() if name != "text"}


def fitting(linked: LinkedItems, config: CodesConfig = OURS, terms: Terms = Terms()) -> Fit:  # noqa: B008
    """Trains a model on these items with a seed."""
    return lambda seed: fit_codes(linked.items, linked.sources, config, terms=terms, seed=seed, device="cpu")


def refining(linked: LinkedItems, connector: Connector) -> Fit:
    """Trains a model, and another on the pairs that the first one's codes choose."""

    def fit(seed: int) -> CodeModel:
        first = fitting(linked)(seed)
        return fitting(replace(linked, sources=refined(first, linked.items, linked.sources, connector)))(seed)

    return fit


def runs(digits: DigitsWorld, world: World) -> dict[str, Fit]:
    """Every trained run by name."""
    both = unpaired_sides(DigitsDemo(digits), world)
    connector = connect(world.left, world.right)
    bridge, paired = link_without_pairs(*both), true_pairs(DigitsDemo(digits), world)
    neighbours = link_without_pairs(*map(items_only, both), connector=connector)
    return {
        "literal recipe": fitting(paired, LITERAL, LITERAL_TERMS),
        "ours, paired": fitting(paired),
        "ours, no pairs: captions": fitting(bridge),
        "no pairs: nearest captions": fitting(link_without_pairs(*map(without_captions, both))),
        "no pairs: neighbour pairs": fitting(neighbours),
        "no pairs: neighbour pairs, refined": refining(neighbours, connector),
        "no pairs: captions + neighbour pairs": fitting(link_without_pairs(*both, connector=connector)),
        "control: no code matching": fitting(bridge, replace(OURS, matching_weight=0.0)),
        "control: shuffled captions": fitting(replace(bridge, sources=shuffled(bridge.sources))),
        "control: shuffled neighbour pairs": fitting(replace(neighbours, sources=shuffled(neighbours.sources))),
    }


def modular(bridge: LinkedItems, seed: int) -> CodeModel:
    """Codes of audio and text, to which images are added while everything else stays as it is."""
    first = {name: items for name, items in bridge.items.items() if name != "image"}
    sources = [source for source in bridge.sources if "image" not in (source.left, source.right)]
    base = fit_codes(first, sources, OURS, seed=seed, device="cpu")
    (own,) = [source for source in bridge.sources if "image" in (source.left, source.right)]
    added = {name: bridge.items[name] for name in (own.left, own.right)}
    return fit_codes(added, [own], OURS, base=base, seed=seed, device="cpu")


def word_uses(ids: Sequence[str]) -> np.ndarray:
    """How each item's caption spreads over the ten words."""
    counts = np.array([np.bincount(digits_in(item), minlength=10) for item in ids], dtype=float)
    return counts / counts.sum(1, keepdims=True)


def clustered(digits: DigitsWorld, world: World) -> TokenCodes:
    """Sinkhorn's matching of clusters with the words of the items' own captions."""
    known = [
        side[name] for side, name in zip(unpaired_sides(DigitsDemo(digits), world), ("image", "audio"), strict=True)
    ]
    clusters = {own.tokens.modality: sinkhorn_clusters(own.tokens, word_uses(own.tokens.ids)) for own in known}
    written, words = SinkhornCodes(clusters), WindowCodes(digits)
    return lambda tokens: (words if tokens.modality == "text" else written).token_codes(tokens)


def figures(write: TokenCodes, known: CodeData, test: Mapping[str, Mapping[str, LabelledTokens]]) -> dict[str, float]:
    """Figures on the dev galleries, and on the test galleries under ``test.``; texts only where codes know them."""

    def known_items(items: Mapping[str, LabelledTokens]) -> dict[str, LabelledTokens]:
        found = {}
        for name, own in items.items():
            with suppress(IsthmusError):
                write(own.tokens.take(np.arange(1)))
                found[name] = own
        return found

    training = known_items(known.training)
    dev, held = ({name: known_items(own) for name, own in split.items()} for split in (known.galleries, test))
    found = code_figures(write, training, dev)
    return found | {f"test.{name}": value for name, value in code_figures(write, training, held).items()}


def measure(digits: DigitsWorld, seed: int, say: Callable[[str], None]) -> dict[str, dict[str, float]]:
    """Every run's figures for one seed."""
    dev, test = (
        digits.world(split, Sizes(texts=5000, memory=4000, pairs=4000, gallery=500), seed=seed)
        for split in ("dev", "test")
    )
    known, held = code_data(DigitsDemo(digits), dev), labelled_galleries(DigitsDemo(digits), test)
    found: dict[str, dict[str, float]] = {}

    def note(name: str, make: Callable[[], TokenCodes]) -> None:
        started = time.perf_counter()
        write = make()
        seconds = time.perf_counter() - started
        found[name] = {**figures(write, known, held), "seconds": seconds}
        say(f"seed {seed} {name}: " + ", ".join(f"{key} {found[name].get(key, np.nan):.3f}" for key in SHOWN))

    for name, fit in runs(digits, dev).items():
        note(name, lambda: fit(seed).token_codes)  # noqa: B023
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
