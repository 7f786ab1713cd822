"""Random kills of every writer of sets: nothing lost, no half taken for a whole, the next run ends as if undisturbed.

Usage: python benchmarks/kills.py [kills, 300] [part of a writer's name]. Each kill is a SIGKILL at a random moment of a
forked process. Exit code 1 on any violation.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

import isthmus
from isthmus import Embeddings, IsthmusError, Tokens, convert, open_set
from isthmus.embeddings import EmbeddingWriter, open_tokens, save_tokens, verify_set, verify_tokens
from isthmus.embeddings.manifest import read_manifest

ROWS, SHARD = 24, 3
VECTORS = np.random.default_rng(0).normal(size=(ROWS, 8)).astype(np.float32)
IDS = [f"id{row}" for row in range(ROWS)]
SLOWEST_START = 1.1
"""Kills are spread over this share of an undisturbed run."""


def append(given: Path, out: Path) -> None:
    with EmbeddingWriter(out, modality="audio", space="s", dim=8, shard_rows=SHARD) as writer:
        for start in range(writer.rows_done, ROWS, SHARD):
            writer.append(VECTORS[start : start + SHARD], IDS[start : start + SHARD])


def save(given: Path, out: Path) -> None:
    if not (out / "manifest.json").exists() or read_manifest(out)["audio"].unfinished:
        Embeddings.from_array(VECTORS, modality="audio", space="s", ids=IDS).save(out, shard_rows=SHARD)


def save_some_tokens(given: Path, out: Path) -> None:
    places = np.zeros((ROWS, 2), np.float32)
    kind = {"modality": "audio", "space": "s", "unit": "seconds", "ids": IDS}
    if (out / "audio_tokens" / "manifest.json").exists():
        try:
            open_tokens(out)
            return
        except IsthmusError:
            pass
    save_tokens(Tokens.from_arrays(VECTORS, np.arange(ROWS + 1), places, **kind), out, shard_items=SHARD)


def converted(given: Path, out: Path) -> None:
    convert(given / "rows.npy", out, modality="audio", space="s", ids=given / "ids.txt", shard_rows=SHARD)


def in_place(given: Path, out: Path) -> None:
    if not out.exists():
        shutil.copytree(given / "bare", out)
    convert(out, out, modality="audio", space="s", shard_rows=SHARD)


def embed(given: Path, out: Path) -> None:
    options = {"space": "precomputed:s", "modality": "audio", "workers": 0, "shard_items": SHARD}
    isthmus.embed(given / "media", out, **options)


def edit_and_prune(given: Path, out: Path) -> None:
    """Embed, then lose, move, change and add files, and embed again with prune."""
    own = out.with_name(out.name + "-media")
    if not own.exists():
        part = own.with_name(own.name + "-part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(given / "media", part)
        part.rename(own)
    options = {"space": "precomputed:s", "modality": "audio", "workers": 0, "shard_items": SHARD}
    if not (own / "moved.npy").exists():
        isthmus.embed(own, out, **options)
        (own / "01.npy").unlink(missing_ok=True)
        np.save(own / "new.npy", VECTORS[0] + 1)
        (own / "05.npy").rename(own / "moved.npy")
    isthmus.embed(own, out, **options, prune=True)


WRITERS: dict[str, Callable[[Path, Path], None]] = {
    "EmbeddingWriter": append,
    "Embeddings.save": save,
    "save_tokens": save_some_tokens,
    "convert": converted,
    "convert in place": in_place,
    "embed": embed,
    "embed, edit, prune": edit_and_prune,
}


def made(folder: Path) -> Path:
    (folder / "media").mkdir(parents=True)
    for row in range(ROWS):
        np.save(folder / "media" / f"{row:02}.npy", VECTORS[row])
    np.save(folder / "rows.npy", VECTORS)
    (folder / "ids.txt").write_text("\n".join(IDS))
    (folder / "bare" / "audio_emb").mkdir(parents=True)
    for number in range(2):
        np.save(folder / "bare" / "audio_emb" / f"audio_emb_{number}.npy", VECTORS[number * 12 : number * 12 + 12])
    return folder


def run(writer: Callable[[Path, Path], None], given: Path, out: Path, after: float | None) -> bool:
    """Run a writer in a forked process and kill it ``after`` seconds; whether it was killed."""
    child = os.fork()
    if child == 0:
        try:
            writer(given, out)
            os._exit(0)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code > 0:
        raise RuntimeError(f"{writer.__name__}: the run ended with {code}")
    return code < 0


def content(out: Path) -> dict[str, np.ndarray]:
    """Every row and token by id, of whole modalities; `IsthmusError` if one is unfinished."""
    found = {}
    if (out / "manifest.json").exists() or any(out.glob("*_emb")):
        for rows in open_set(out).values():
            found |= dict(zip(rows.ids, rows.vectors, strict=True))
    if any(out.glob("*_tokens/manifest.json")):
        tokens = open_tokens(out)
        found |= {f"token {name}": tokens.vectors[row] for row, name in enumerate(tokens.ids)}
    return found


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def violations(out: Path, given: Path, writer: Callable[[Path, Path], None], whole: Path, seen: list) -> list[str]:
    """What a kill has broken: now, and after the next run."""
    found = []
    try:
        now = content(out) if out.exists() else {}
        if now and not any(same(now, state) for state in seen):
            found.append(f"opens {len(now)} rows of neither state")
    except IsthmusError as error:
        if "unfinished" not in str(error):
            found.append(f"refused: {error}")
    try:
        run(writer, given, out, None)
        if not same(content(out), content(whole)):
            found.append("the second run differs")
        if (out / "manifest.json").exists():
            verify_set(out)
        if any(out.glob("*_tokens/manifest.json")):
            verify_tokens(out, "audio")
    except (IsthmusError, RuntimeError) as error:
        found.append(f"second run: {error}")
    stale = [str(file.relative_to(out)) for file in out.rglob("*") if "part" in file.name]
    files, expected = ({str(f.relative_to(own)) for f in own.rglob("*")} for own in (out, whole))
    if stale or (writer is not edit_and_prune and files != expected):
        found.append(f"stale files {stale or sorted(files ^ expected)}")
    return found


def main(kills: int, part: str) -> int:
    warnings.simplefilter("ignore")
    draw, failures = random.Random(0), 0
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    given = made(folder / "given")
    print(f"{'writer':22} {'kills':>6} {'ended first':>12} {'violations':>11}")
    chosen = {name: writer for name, writer in WRITERS.items() if part in name}
    for name, writer in chosen.items():
        whole = folder / f"{writer.__name__}-whole"
        started = time.monotonic()
        run(writer, given, whole, None)
        took = time.monotonic() - started
        seen = [content(whole)]
        if writer is in_place:
            seen.append(content(given / "bare"))
        if writer is edit_and_prune:
            before = folder / "before"
            run(embed, given, before, None)
            seen.append(content(before))
        killed = ended = 0
        wanted = -(-kills // len(chosen))
        problems = []
        for number in range(3 * wanted):
            if killed == wanted:
                break
            out = folder / f"{writer.__name__}-{number}"
            if run(writer, given, out, draw.uniform(0, SLOWEST_START * took)):
                killed += 1
                problems += [(number, problem) for problem in violations(out, given, writer, whole, seen)]
            else:
                ended += 1
            for used in (out, out.with_name(out.name + "-media"), out.with_name(out.name + "-media-part")):
                shutil.rmtree(used, ignore_errors=True)
        print(f"{name:22} {killed:6} {ended:12} {len(problems):11}", flush=True)
        for number, problem in problems[:5]:
            print(f"  kill {number}: {problem}")
        failures += len(problems)
    shutil.rmtree(folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300, sys.argv[2] if len(sys.argv) > 2 else ""))
