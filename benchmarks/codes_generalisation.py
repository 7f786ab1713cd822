"""Cross-modal generalisation over streams: heads trained on one modality's codes, tested on another's.

    python benchmarks/codes_generalisation.py --images mnist_8k.npz --speech fsdd_8k.npz

Ten-second streams over background, either empty or half clutter; train, dev and test do not overlap. Event
classification (one event per stream, ten classes, chance .10) and segment-level localisation (up to three events), for
the literal recipe, ours with pairs and ours without, over seeds. Scored by a held-out protocol, and by that of the
public benchmark code, which scores events on the training streams with the epoch chosen there.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from isthmus import connect
from isthmus.codes.learning.fit import fit_codes
from isthmus.codes.learning.objective import Terms
from isthmus.codes.model.config import CodesConfig
from isthmus.codes.model.model import CodeModel
from isthmus.demo.code_data import code_data
from isthmus.demo.digits import DigitsDemo
from isthmus.demo.literal import LITERAL, LITERAL_TERMS
from isthmus.evaluate.generalisation import HELD_OUT, PUBLIC, Segments, event_accuracy, segment_scores
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.world import Sizes
from real_digits import real_digits
from worlds.streams import Streams, Timeline, audio_streams, image_streams

COUNTS = {"train": 600, "dev": 200, "test": 300}
Splits = Mapping[str, Streams]


def drawn(digits: DigitsWorld, most: int, clutter: float, seed: int) -> dict[str, dict[str, Streams]]:
    """Streams by modality and split; the events are the same in both modalities."""
    found: dict[str, dict[str, Streams]] = {"image": {}, "audio": {}}
    for number, (split, count) in enumerate(COUNTS.items()):
        rng = np.random.default_rng([seed, most, number])
        events = Timeline.drawn(count, most, clutter, rng)
        found["image"][split] = image_streams(digits, events, split, rng)
        found["audio"][split] = audio_streams(digits, events, split, rng)
    return found


def coded(model: CodeModel, streams: Splits) -> dict[str, Segments]:
    """Each split in codes, standardised by the training split of its own modality."""
    size = len(model.codebook)
    found = {
        split: Segments.of(model.assign(own.tokens), size, own.segments(), own.events.labels)
        for split, own in streams.items()
    }
    return {split: own.standardised(found["train"]) for split, own in found.items()}


def figures(model: CodeModel, single: Mapping[str, Splits], several: Mapping[str, Splits]) -> dict[str, float]:
    """Both tasks in every direction."""
    events = {name: coded(model, own) for name, own in single.items()}
    parts = {name: coded(model, own) for name, own in several.items()}
    found = {}
    for source in events:
        for target in events:
            way = f"{source} → {target}"
            found[f"event, {way}"] = event_accuracy(events[source], events[target], 10, HELD_OUT)
            found[f"event, public protocol, {way}"] = event_accuracy(events[source], events[target], 10, PUBLIC)
            placed = segment_scores(parts[source]["train"], parts[target]["test"])
            found[f"segment precision, {way}"], found[f"segment F1, {way}"] = placed.precision, placed.f1
    return found


def main() -> None:
    given = real_digits(__doc__)
    found: dict[str, list[dict[str, float]]] = {}
    for seed in range(given.seeds):
        digits = given.world_of(seed)
        world = digits.world("dev", Sizes(texts=4000, memory=4000, pairs=4000, gallery=100), seed=seed)
        known = code_data(DigitsDemo(digits), world, connector=connect(world.left, world.right))
        streams = {clutter: [drawn(digits, most, clutter, seed) for most in (1, 3)] for clutter in (0.0, 0.5)}
        runs = {
            "literal": (known.paired, LITERAL, LITERAL_TERMS),
            "paired": (known.paired, CodesConfig(), Terms()),
            "no pairs": (known.unpaired, CodesConfig(), Terms()),
        }
        for name, (own, config, terms) in runs.items():
            model = fit_codes(own.items, own.sources, config, terms=terms, seed=seed, device="cpu")
            own_figures = {
                f"{key}, clutter {clutter}": value
                for clutter, (single, several) in streams.items()
                for key, value in figures(model, single, several).items()
            }
            found.setdefault(name, []).append(own_figures)
            print(f"seed {seed} {name}: {found[name][-1]}", flush=True)
    print("| | " + " | ".join(found) + " |")
    for figure in next(iter(found.values()))[0]:
        cells = [[seed[figure] for seed in own] for own in found.values()]
        print(f"| {figure} | " + " | ".join(f"{np.mean(own):.2f} ± {np.std(own):.2f}" for own in cells) + " |")


if __name__ == "__main__":
    main()
