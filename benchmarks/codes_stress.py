"""Codes without pairs under hard conditions: different vocabularies, uncovered memories, few and wrong captions.

    python benchmarks/codes_stress.py --images mnist_8k.npz --speech fsdd_8k.npz

Dev split, seen speakers, over seeds. All models train on captions and the texts both spaces have, never on a pair of an
image and an audio clip.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from isthmus.codes.learning.fit import fit_codes
from isthmus.codes.learning.pairs import CodeItems, PairSource
from isthmus.codes.learning.sources import LinkedItems, Side, link_without_pairs
from isthmus.codes.model.config import CodesConfig
from isthmus.demo.code_data import labelled_galleries, labelled_training, unpaired_sides
from isthmus.demo.digits import DigitsDemo
from isthmus.evaluate.code_figures import code_figures
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.digits.tokens import captions_of
from isthmus.worlds.world import Sizes, World
from real_digits import real_digits
from worlds.narrow import narrow_world

SHOWN = (
    "joint_use.seen", "same_top_code.seen", "transfer.image_to_audio.seen", "transfer.audio_to_image.seen",
    "pointing.text_to_image.seen", "pointing.text_to_audio.seen",
)  # fmt: skip
PLAIN = Sizes(texts=4000, memory=4000, pairs=0, gallery=400)


def taken(items: CodeItems, rows: np.ndarray) -> CodeItems:
    """Some items."""
    return CodeItems(items.tokens.take(rows), items.pooled.take(rows))


def few_captions(source: LinkedItems, count: int) -> LinkedItems:
    """Captions for the first ``count`` items only, and all texts of both spaces."""
    kept = [
        replace(own, left_rows=own.left_rows[:count], right_rows=own.right_rows[:count]) if own.kind == "own" else own
        for own in source.sources
    ]
    return replace(source, sources=kept)


def wrong_captions(source: LinkedItems, share: float) -> LinkedItems:
    """Replace a share of the captions by those of other items."""
    draw = np.random.default_rng(0)

    def mixed(own: PairSource) -> PairSource:
        wrong = np.flatnonzero(draw.random(len(own)) < share)
        rows = own.right_rows.copy()
        rows[wrong] = draw.permutation(rows[wrong])
        return replace(own, right_rows=rows)

    return replace(source, sources=[mixed(own) if own.kind == "own" else own for own in source.sources])


def disjoint_words(digits: DigitsWorld, both: tuple[Side, Side]) -> LinkedItems:
    """Images captioned in words, audio captioned in numerals: the two spaces' texts share no word."""
    spoken = both[1]["text"]
    numerals = np.array([any(c.isdigit() for c in text) for text in captions_of(digits.audio_space, spoken.tokens.ids)])
    kept = set(np.array(spoken.tokens.ids)[numerals].tolist())
    audio = both[1]["audio"]
    rows = np.array([row for row, item in enumerate(audio.tokens.ids) if item in kept])
    right = {"audio": taken(audio, rows), "text": taken(spoken, np.flatnonzero(numerals))}
    return link_without_pairs(both[0], right)


def cases(digits: DigitsWorld, world: World, uncovered: World) -> Mapping[str, Callable[[], LinkedItems]]:
    """Every case by name."""
    both = unpaired_sides(DigitsDemo(digits), world)
    plain = link_without_pairs(*both)
    return {
        "plain": lambda: plain,
        "vocabularies with no word in common": lambda: disjoint_words(digits, both),
        "images without 8 and 9, audio without 0 and 1": lambda: link_without_pairs(
            *unpaired_sides(DigitsDemo(digits), uncovered)
        ),
        "300 captions a space": lambda: few_captions(plain, 300),
        "50 captions a space": lambda: few_captions(plain, 50),
        "a quarter of the captions wrong": lambda: wrong_captions(plain, 0.25),
        "half of the captions wrong": lambda: wrong_captions(plain, 0.5),
    }


def main() -> None:
    given = real_digits(__doc__)
    found: dict[str, list[dict[str, float]]] = {}
    for seed in range(given.seeds):
        digits = given.world_of(seed)
        world = digits.world("dev", PLAIN, seed)
        narrow = narrow_world(digits, "dev", PLAIN, image_digits="01234567", audio_digits="23456789", seed=seed)
        source = DigitsDemo(digits)
        training, galleries = labelled_training(source, world), {"seen": labelled_galleries(source, world)["seen"]}
        for name, make in cases(digits, world, narrow).items():
            own = make()
            model = fit_codes(own.items, own.sources, CodesConfig(), seed=seed, device="cpu")
            found.setdefault(name, []).append(code_figures(model.token_codes, training, galleries))
            print(f"seed {seed} {name}: " + ", ".join(f"{found[name][-1][key]:.2f}" for key in SHOWN), flush=True)
    print("| | " + " | ".join(SHOWN) + " |")
    for name, runs in found.items():
        cells = [[own[key] for own in runs] for key in SHOWN]
        print(f"| {name} | " + " | ".join(f"{np.mean(own):.2f} (worst {min(own):.2f})" for own in cells) + " |")


if __name__ == "__main__":
    main()
