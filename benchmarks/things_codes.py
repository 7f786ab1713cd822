"""Codes of the things world at size: by gradient and by translation, without and with pairs, and a control, over draws.

    python benchmarks/things_codes.py --split dev                         # to choose
    python benchmarks/things_codes.py --split test                        # to report, once

The two spaces are those of the package. A seed draws its own texts, memories, pairs and galleries, and seeds every
model. No image is paired with a sentence unless the row says true pairs. The control is learned from captions of other
items. Figures are between 0 and 1; ± is the standard deviation over seeds. Seconds are for learning alone.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console

from codes import shuffled
from isthmus.codes.learning.fit import fit_codes
from isthmus.codes.learning.sources import LinkedItems
from isthmus.codes.model.config import CodesConfig
from isthmus.codes.model.model import CodeModel
from isthmus.demo.code_data import CodeData, code_data
from isthmus.demo.things import ThingsDemo
from isthmus.evaluate.code_figures import code_figures
from isthmus.worlds.things.build import build
from isthmus.worlds.world import Sizes
from worlds.seed_table import Figures, seed_table

LABELLED = 2000
GRADIENT_CODES = 512
"""Codes of a start that cannot choose their number."""
SHOWN = (
    "joint_use", "same_top_code", "named.text", "named.audio", "pointing.text_to_image", "iou.text_to_image",
    "pointing.text_to_audio", "pointing.audio_to_image", "pointing.image_to_audio", "iou.image_to_audio",
    "transfer.image_to_audio", "transfer.audio_to_audio", "codes", "seconds",
)  # fmt: skip


def learn(linked: LinkedItems, codes: int, start: str, seed: int) -> CodeModel:
    """A model from one start."""
    size = codes if codes or start == "translation" else GRADIENT_CODES
    config = CodesConfig(codes=size, restarts=1, start=start)  # type: ignore[arg-type]
    return fit_codes(linked.items, linked.sources, config, seed=seed, device="cpu")


def measure(
    known: CodeData, codes: int, seed: int, names: Sequence[str], say: Callable[[str], None]
) -> dict[str, Figures]:
    """Every run's figures on the seen gallery."""
    runs: dict[str, tuple[bool, str]] = {
        "k-means + matching": (False, "k-means"),
        "translation": (False, "translation"),
        "true pairs: translation": (True, "translation"),
        "control: captions of other items": (False, "translation"),
    }
    found = {}
    for name, (paired, start) in runs.items():
        if names and name not in names:
            continue
        linked = known.linked(paired=paired)
        if name.startswith("control"):
            linked = LinkedItems(linked.items, shuffled(linked.sources))
        began = time.perf_counter()
        model = learn(linked, codes, start, seed)
        seconds = time.perf_counter() - began
        figures = code_figures(model.token_codes, known.training, known.galleries)
        found[name] = {**figures, "codes": len(model.codebook), "seconds": seconds}
        shown = ", ".join(f"{key} {found[name].get(f'{key}.seen', found[name].get(key, np.nan)):.3f}" for key in SHOWN)
        say(f"seed {seed} {name}: {shown}")
    return found


def main() -> None:
    """Run the seeds, print the table, write the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--split", choices=("dev", "test"), default="dev")
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--codes", type=int, default=0, help="0: as many as translation finds meanings")
    options.add_argument("--items", type=int, default=3000, help="texts, and items of each memory")
    options.add_argument("--gallery", type=int, default=500)
    options.add_argument("--runs", nargs="+", default=(), help="names of the runs; by default all")
    options.add_argument("--out", type=Path, default=Path("things_codes.json"))
    given = options.parse_args()
    say = Console(stderr=True, soft_wrap=True, highlight=False).print
    source = replace(ThingsDemo(build()), labelled_items=LABELLED)
    found = []
    for seed in given.seeds:
        paired = not given.runs or any(name.startswith("true pairs") for name in given.runs)
        sizes = Sizes(texts=given.items, memory=given.items, pairs=given.items if paired else 0, gallery=given.gallery)
        world = source.things.world(given.split, sizes, seed=seed)
        found.append(measure(code_data(source, world), given.codes, seed, given.runs, say))
        given.out.write_text(json.dumps(found, indent=1))
    columns = [key if key in ("codes", "seconds") else f"{key}.seen" for key in SHOWN]
    print("\n".join(seed_table(found, columns, digits=3)))


if __name__ == "__main__":
    main()
