"""Decoding processes against a pool without limits: items per second, and the cost of a file that kills its worker.

    python benchmarks/decoding_pool.py

400 small PNGs (96 x 80) through CLIP's preparation and 400 wavs of 3 s through CLAP's, with 1 and 2 workers, and the
smallest and largest result a preparation returns (32 bytes, 600 KB) for the cost per item. Rates are taken after the
first results; medians over rounds that alternate, since machines are shared.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import media_files
import tiny_checkpoints
from isthmus.bulk.decoding import CONTEXT, DecodedItem, Decoders, prepare_here, start_worker
from isthmus.media import Item, list_media
from isthmus.spaces import EncoderInputs, Preparation, load_space

AHEAD = 64
SKIPPED = 24
"""Results that are not timed: workers are starting."""
DEATHS = 10


@dataclass(frozen=True)
class Constant:
    """A preparation that does nothing but return ``size`` zeros, or kill its process."""

    size: int
    padding: Mapping[str, int] = field(default_factory=dict)
    fingerprint: str = "constant"

    def __call__(self, item: Item) -> EncoderInputs:
        """Zeros."""
        if item.text == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        return {"zeros": np.zeros((1, self.size), np.float32)}


def limited(preparation: Preparation, workers: int, items: Iterable[Item]) -> Iterator[DecodedItem]:
    """What `embed` uses."""
    with Decoders(preparation, workers, AHEAD, timeout=60) as decoders:
        yield from decoders.prepared(items)


def unlimited(preparation: Preparation, workers: int, items: Iterable[Item]) -> Iterator[DecodedItem]:
    """The standard library's pool: no limit per file, and one dead worker breaks it."""
    given = (preparation, CONTEXT.RawValue("b", 0), os.getpid())
    with ProcessPoolExecutor(workers, mp_context=CONTEXT, initializer=start_worker, initargs=given) as pool:
        waiting: deque = deque()
        for item in items:
            waiting.append(pool.submit(prepare_here, item))
            if len(waiting) >= AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def rate(pool: Callable, preparation: Preparation, workers: int, items: list[Item]) -> float:
    """Items per second after the first ones, without the time the workers take to end."""
    stream = pool(preparation, workers, items)
    list(islice(stream, SKIPPED))
    timed = len(items) - SKIPPED
    started = time.perf_counter()
    assert sum(1 for _ in islice(stream, timed)) == timed
    return timed / (time.perf_counter() - started)


def seconds_per_death() -> float:
    """What a file that kills its worker adds to a job with two workers."""
    times = []
    for text in ("", "die"):
        items = [Item(str(n), None, "", text=text if n % 10 == 5 else "") for n in range(10 * DEATHS)]
        started = time.perf_counter()
        failed = sum(bool(one.problem) for one in limited(Constant(8), 2, items))
        assert failed == (DEATHS if text else 0)
        times.append(time.perf_counter() - started)
    return (times[1] - times[0]) / DEATHS


def cases(folder: Path) -> dict[str, tuple[Preparation, list[Item]]]:
    """Preparations and what they prepare."""
    clip = tiny_checkpoints.write_clip(folder / "clip")
    clap = tiny_checkpoints.write_clap(folder / "clap")
    for kind in ("png", "wav"):
        (folder / kind).mkdir()
    for number in range(400):
        media_files.write_image(folder / "png" / f"{number:03}.png", number, (96, 80))
        media_files.write_audio(folder / "wav" / f"{number:03}.wav", 3.0, seed=number)
    empty = [Item(str(number), None, "") for number in range(1500)]
    return {
        "32 bytes": (Constant(8), empty),
        "600 KB": (Constant(150_000), empty[:600]),
        "png": (
            load_space(f"clip:{clip}", device="cpu").preparation("image"),
            list(list_media(folder / "png", "image")),
        ),
        "wav": (
            load_space(f"clap:{clap}", device="cpu").preparation("audio"),
            list(list_media(folder / "wav", "audio")),
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (preparation, items) in cases(Path(folder)).items():
            for workers in (1, 2):
                pairs = [
                    [rate(pool, preparation, workers, items) for pool in (limited, unlimited)] for _ in range(rounds)
                ]
                own, plain = np.median(pairs, 0)
                found[f"{name}, {workers} workers"] = {"items/s": own, "without limits": plain, "share": own / plain}
    found["seconds per file that kills its worker"] = seconds_per_death()
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
