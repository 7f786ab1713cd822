"""How many codes? The size chosen without labels, next to what labels say about every size.

    python benchmarks/codes_size.py --images mnist_8k.npz --speech fsdd_8k.npz

Dev split, with pairs and without, over seeds. For each size: the share of active codes that every two modalities use
jointly, measured on the training pairs alone (the choice rests on it), the matching loss, and, with labels, same top
code and transfer. ``chosen`` is the size that `fit_codes` takes with ``codes=0``, if it is at most 64.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from isthmus.codes.learning.fit import LEAST_SHARED_BY_ALL, fit_codes
from isthmus.codes.learning.sharing import mismatch, shared_use
from isthmus.codes.model.config import CodesConfig
from isthmus.demo.code_data import code_data
from isthmus.demo.digits import DigitsDemo
from isthmus.evaluate.code_figures import code_figures
from isthmus.worlds.world import Sizes
from real_digits import real_digits

SIZES = (8, 16, 32, 64)
SHOWN = ("same_top_code.seen", "transfer.image_to_audio.seen", "transfer.audio_to_image.seen")


def main() -> None:
    given = real_digits(__doc__)
    print("| seed | pairs | V | shared by every two | matching loss | same top code | image → audio | audio → image |")
    for seed in range(given.seeds):
        digits = given.world_of(seed)
        world = digits.world("dev", Sizes(texts=4000, memory=4000, pairs=4000, gallery=300), seed=seed)
        known = code_data(DigitsDemo(digits), world)
        for name, own in (("true", known.paired), ("none", known.unpaired)):
            shared = []
            for size in SIZES:
                config = replace(CodesConfig(), codes=size)
                model = fit_codes(own.items, own.sources, config, seed=seed, device="cpu")
                shared.append(shared_use(model, own.items, own.sources).joint_use_by_all)
                figures = code_figures(model.token_codes, known.training, {"seen": known.galleries["seen"]})
                loss = mismatch(model, own.items, own.sources)
                cells = " | ".join(f"{figures[key]:.2f}" for key in SHOWN)
                print(f"| {seed} | {name} | {size} | {shared[-1]:.2f} | {loss:.2f} | {cells} |", flush=True)
            few = np.flatnonzero(np.array(shared) < LEAST_SHARED_BY_ALL)
            print(f"| {seed} | {name} | chosen: {SIZES[max(few[0] - 1, 0)] if len(few) else SIZES[-1]} | | | | | |")


if __name__ == "__main__":
    main()
