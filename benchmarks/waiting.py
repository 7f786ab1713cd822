"""How threads wait for each other at OpenMP's barriers, beside another job and alone.

    python benchmarks/waiting.py                 # a minute or two for each round
    python benchmarks/waiting.py --rounds 5 --only digits

Every cell is a new process with one setting, which is made before torch is imported; rounds alternate over settings.
A cell has the median of the seconds, and how many times as fast as "as it is" that is. "beside" is the number of other
processes, which only count, on the same cores. torch's wheels for Linux have GNU's libgomp, which knows
OMP_WAIT_POLICY and GOMP_SPINCOUNT.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

SETTINGS: Mapping[str, Mapping[str, str]] = {
    "as it is": {},
    "passive": {"OMP_WAIT_POLICY": "PASSIVE"},
    "spin 1000": {"GOMP_SPINCOUNT": "1000"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}
DIGIT_STEPS = 2
IMAGES = 4000
UNSET = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_NUM_THREADS")


def cmcr() -> Callable[[], object]:
    from isthmus import connect
    from worlds.synthetic import SyntheticRecipe, synthetic_world

    world = synthetic_world("small", SyntheticRecipe(texts=2000, memory=2000, gallery=50), seed=2)
    brief = {"epochs": 1, "min_steps": 40, "batch_size": 512}
    return lambda: connect(world.left, world.right, overlap="text", method="cmcr", optimisation=brief, device="cpu")


def digits() -> Callable[[], object]:
    from dataclasses import replace

    from isthmus.worlds.digits.build import assemble, build_spaces
    from isthmus.worlds.digits.recordings.shipped import default_recordings
    from isthmus.worlds.digits.spaces.recipe import Recipe
    from isthmus.worlds.digits.spaces.training import train_space

    recipe = Recipe()
    recipe = replace(
        recipe, image=replace(recipe.image, steps=DIGIT_STEPS), audio=replace(recipe.audio, steps=DIGIT_STEPS)
    )
    spaces = build_spaces(recipe)
    world = assemble(default_recordings(), recipe, spaces)
    feeds = (world.image_feed, world.audio_feed)
    recipes = (recipe.image, recipe.audio)
    return lambda: [train_space(*own, world.concepts["train"]) for own in zip(spaces, feeds, recipes, strict=True)]


def closed_form() -> Callable[[], object]:
    from isthmus import connect
    from worlds.synthetic import SyntheticRecipe, synthetic_world

    world = synthetic_world("small", SyntheticRecipe(texts=1500, memory=1500, gallery=50), seed=2)
    return lambda: connect(world.left, world.right, overlap="text", method="cca")


def embedding() -> Callable[[], object]:
    import numpy as np
    from PIL import Image

    import tiny_checkpoints
    from isthmus import load_space

    folder = Path(tempfile.mkdtemp()) / "clip"
    tiny_checkpoints.write_clip(folder)
    space, draw = load_space(f"clip:{folder}", device="cpu"), np.random.default_rng(0)
    images = [Image.fromarray(draw.integers(0, 255, (64, 64, 3), dtype=np.uint8)) for _ in range(IMAGES)]
    return lambda: space.encode(images, modality="image", batch_size=32)


JOBS: Mapping[str, Callable[[], Callable[[], object]]] = {
    "cmcr": cmcr,
    "digits": digits,
    "closed form": closed_form,
    "embedding": embedding,
}


def measure(job: str) -> None:
    """Print the seconds of one job, after its preparation."""
    import warnings

    warnings.simplefilter("ignore")
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    run = JOBS[job]()
    started = time.perf_counter()
    run()
    print(time.perf_counter() - started)


def seconds_of(job: str, setting: str) -> float:
    own = {name: value for name, value in os.environ.items() if name not in UNSET}
    command = [sys.executable, __file__, "--measure", job]
    done = subprocess.run(command, env={**own, **SETTINGS[setting]}, capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def count() -> None:
    while True:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=JOBS, help="one job")
    parser.add_argument("--measure", choices=JOBS, help=argparse.SUPPRESS)
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    print(f"{os.cpu_count()} cores, load average before {os.getloadavg()[0]:.1f}")
    print(f"{'job':12}{'beside':>8}" + "".join(f"{name:>20}" for name in options.settings))
    for job in [options.only] if options.only else JOBS:
        for busy in (0, 1):
            others = [multiprocessing.Process(target=count, daemon=True) for _ in range(busy)]
            for one in others:
                one.start()
            found: dict[str, list[float]] = {name: [] for name in options.settings}
            for _ in range(options.rounds):
                for name in options.settings:
                    found[name].append(seconds_of(job, name))
            for one in others:
                one.terminate()
            medians = {name: statistics.median(values) for name, values in found.items()}
            first = medians["as it is"]
            cells = "".join(f"{f'{value:.2f} s, {first / value:.2f} x':>20}" for value in medians.values())
            print(f"{job:12}{busy:8}{cells}", flush=True)


if __name__ == "__main__":
    main()
