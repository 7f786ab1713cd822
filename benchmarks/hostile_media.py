"""Hostile media through a decoding process: what is read, what is refused and why, and what it costs.

    python benchmarks/hostile_media.py

Broken, lying and exploding images, audio, videos and point clouds, paths to pipes and devices, and servers whose
answers never end. Every file must be read or refused by name. Two canaries report what no file may do:
start Ghostscript, or open an address that it names.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "bulk"))
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from hostile_space import Reading

import hostile_server
import hostile_writers
import media_files
from isthmus.bulk.decoding import KILLED, DecodedItem, Decoders
from isthmus.media import Item
from isthmus.media.remote import Remote
from isthmus.media.source import LocalFile


def items(folder: Path, address: str) -> dict[str, list[Item]]:
    """The files of every kind, and the remote ones."""
    hostile_writers.CANARY = f"{address}/canary".encode()
    for kind in hostile_writers.KINDS:
        hostile_writers.write_kind(folder / kind, kind)
    hostile_writers.write_special(folder / "special")
    found = {
        kind: [Item(path.name, LocalFile(path), "") for path in sorted((folder / kind).iterdir())]
        for kind in (*hostile_writers.KINDS, "special")
    }
    remote = [Item(f"{kind}.png", Remote(f"{address}/{kind}/a.png"), "") for kind in hostile_server.KINDS]
    return {**found, "remote": remote}


def outcome(found: DecodedItem, name: str) -> str:
    """What became of an item, in one word."""
    if found.inputs is not None:
        return "read"
    if "\n" in found.problem or name not in found.problem:
        return "unnamed"
    if KILLED in found.problem:
        return "died"
    return "over time" if "not read within" in found.problem else "refused"


def decoded(kind: str, items: list[Item], good: Path, timeout: float, *, show: bool) -> tuple[Counter[str], float]:
    """How often each outcome occurred, and the seconds of the slowest item; a good image first starts the process."""
    counts: Counter[str] = Counter()
    slowest = 0.0
    with Decoders(Reading(), 1, 1, timeout) as decoders:
        list(decoders.prepared([Item(good.name, LocalFile(good), "")]))
        last = time.perf_counter()
        for one in decoders.prepared(items):
            now = time.perf_counter()
            slowest, last = max(slowest, now - last), now
            counts[outcome(one, one.item.name)] += 1
            if show:
                print(f"{kind} {one.item.id}: {one.problem or 'read'}", file=sys.stderr)
    return counts, slowest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--timeout", type=float, default=20.0)
    parser.add_argument("--show", action="store_true", help="print the outcome of every file")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        good, started = media_files.write_image(folder / "good.png"), folder / "ghostscript-was-started"
        (folder / "bin").mkdir()
        (folder / "bin" / "gs").write_text(f"#!/bin/sh\ntouch {started}\n")
        (folder / "bin" / "gs").chmod(0o755)
        os.environ["PATH"] = f"{folder / 'bin'}:{os.environ['PATH']}"
        print("| kind | files | read | refused | over time | died | unnamed | slowest s |")
        print("|---|---|---|---|---|---|---|---|")
        total: Counter[str] = Counter()
        with hostile_server.serving(good.read_bytes()) as address:
            for kind, own in items(folder, address).items():
                counts, slowest = decoded(kind, own, good, asked.timeout, show=asked.show)
                row = [counts[name] for name in ("read", "refused", "over time", "died", "unnamed")]
                print(f"| {kind} | {len(own)} | {' | '.join(map(str, row))} | {slowest:.1f} |", flush=True)
                total += counts
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        opened = hostile_server.Answers.asked["canary"]
        print(f"\n{total.total()} items; largest process {peak:.1f} GiB; addresses opened: {opened}; ", end="")
        print(f"Ghostscript started: {'yes' if started.exists() else 'no'}")


if __name__ == "__main__":
    main()
