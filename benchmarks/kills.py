"""Random kills of every writer: nothing lost, no half taken for a whole, the next run ends as if undisturbed.

Usage: python benchmarks/kills.py [kills, 300] [part of a writer's name]. Each kill is a SIGKILL at a random moment of a
forked process. Exit code 1 on any violation: rows or steps that were acknowledged are gone, what opens is neither the
old nor the new, the second run differs from an undisturbed one, or files of ours are left.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

import isthmus
from isthmus import CmcrConfig, CodeModel, Connector, Embeddings, IsthmusError, SpaceGraph, Tokens, convert, open_set
from isthmus.codes.reading.assignment import Assignment
from isthmus.embeddings import EmbeddingWriter, open_tokens, save_tokens, verify_set, verify_tokens
from isthmus.embeddings.manifest import read_manifest
from isthmus.spaces.encoders import precomputed
from isthmus.training import loop
from isthmus.training.checkpoint import Checkpoint
from isthmus.training.config import OptimisationConfig

IMPORTED_WHILE_RUNNING = (
    "pandas",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
    "pyarrow.parquet",
    "torch._dynamo",
    "isthmus.connectors.connect",
    "isthmus.bulk.embed",
    "isthmus.spaces.families",
)
"""Imported before the first fork, or kills would fall on imports."""
SAVED = Path(__file__).parent.parent / "tests" / "saved_by_0_1"
ROWS, SHARD, STEPS = 24, 3, 40
VECTORS = np.random.default_rng(0).normal(size=(ROWS, 8)).astype(np.float32)
IDS = [f"id{row}" for row in range(ROWS)]
SLOWEST_START = 1.1
"""Kills are spread over this share of an undisturbed run."""
ACKNOWLEDGED = mmap.mmap(-1, 8)
"""How many rows or steps a writer was told are safe; shared with the forked process."""
Content = dict[str, np.ndarray]


def acknowledge(count: int) -> None:
    ACKNOWLEDGED[:] = count.to_bytes(8, "little")


def append(given: Path, out: Path) -> None:
    with EmbeddingWriter(out, modality="audio", space="s", dim=8, shard_rows=SHARD) as writer:
        for start in range(writer.rows_done, ROWS, SHARD):
            writer.append(VECTORS[start : start + SHARD], IDS[start : start + SHARD])
            acknowledge(writer.rows_done)


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


def bare(given: Path, out: Path) -> None:
    shutil.copytree(given / "bare", out)


def in_place(given: Path, out: Path) -> None:
    convert(out, out, modality="audio", space="s", shard_rows=SHARD)


JOB = {"space": "precomputed:s", "modality": "audio", "workers": 0, "shard_items": SHARD}


class WithTokens(precomputed.Precomputed):
    """An encoder whose tokens are the vectors it is given, and their negatives."""

    token_modalities = ("audio",)

    def encode_tokens(self, modality: str, inputs: Any) -> list[tuple[np.ndarray, np.ndarray]]:
        """Two tokens of each vector."""
        places = np.array([[0, 1], [1, 2]], np.float32)
        return [(np.stack([row, -row]), places) for row in inputs["vector"]]


def embed(given: Path, out: Path) -> None:
    isthmus.embed(given / "media", out, **JOB)


def embed_tokens(given: Path, out: Path) -> None:
    isthmus.embed(given / "media", out, **JOB, tokens=True)


def media_of(out: Path) -> Path:
    return out.with_name(out.name + "-media")


def embedded(given: Path, out: Path) -> None:
    shutil.copytree(given / "media", media_of(out))
    isthmus.embed(media_of(out), out, **JOB, tokens=True)


def edit_and_prune(given: Path, out: Path) -> None:
    """Lose, move, change and add files of an embedded folder, and embed again with prune."""
    own = media_of(out)
    if not (own / "moved.npy").exists():
        (own / "01.npy").unlink(missing_ok=True)
        np.save(own / "02.npy", VECTORS[2] + 1)
        np.save(own / "new.npy", VECTORS[0] + 1)
        (own / "05.npy").rename(own / "moved.npy")
    isthmus.embed(own, out, **JOB, tokens=True, prune=True)


def sides() -> list[dict[str, Embeddings]]:
    draw = np.random.default_rng(1)
    meaning = draw.normal(size=(120, 6))

    def rows(modality: str, space: str, dim: int) -> Embeddings:
        mixed = meaning @ draw.normal(size=(6, dim)) + 0.1 * draw.normal(size=(120, dim))
        return Embeddings.from_array(mixed.astype(np.float32), modality=modality, space=space, ids=range(120))

    return [
        {"text": rows("text", "clip", 12), "image": rows("image", "clip", 12)},
        {"text": rows("text", "clap", 10), "audio": rows("audio", "clap", 10)},
    ]


SIDES = sides()


def train(given: Path, out: Path) -> None:
    """Connect with a checkpoint after every step, and save the connector."""
    loop.CHECKPOINT_SECONDS = 0.0
    save_checkpoint = Checkpoint.save

    def save_and_acknowledge(self: Checkpoint, step: int, *state: Any) -> None:
        save_checkpoint(self, step, *state)
        acknowledge(step)

    Checkpoint.save = save_and_acknowledge
    config = CmcrConfig(
        projector="clap-clip", optimisation=OptimisationConfig(epochs=1, min_steps=STEPS, batch_size=32)
    )
    isthmus.connect(*SIDES, method=config, checkpoint=out / "training.checkpoint").save(out / "connector")


def read_set(out: Path) -> Content:
    """Every row and token by id, of whole modalities; `IsthmusError` if one is unfinished."""
    found = {}
    if (out / "manifest.json").exists() or any(out.glob("*_emb")):
        for rows in open_set(out).values():
            found |= dict(zip(rows.ids, rows.vectors, strict=True))
    if any(out.glob("*_tokens/manifest.json")):
        tokens = open_tokens(out)
        for row, name in enumerate(tokens.ids):
            found[f"tokens of {name}"] = tokens.vectors[tokens.offsets[row] : tokens.offsets[row + 1]]
    return found


def read_connector(out: Path) -> Content:
    return {name: tensor.numpy() for name, tensor in Connector.load(out).tensors()}


def read_graph(out: Path) -> Content:
    legs = SpaceGraph.load(out).legs
    return {f"{leg.space} {name}": tensor.numpy() for leg in legs for name, tensor in leg.tensors()}


def read_codes(out: Path) -> Content:
    return {name: tensor.numpy() for name, tensor in CodeModel.load(out).state_dict().items()}


def read_assignment(out: Path) -> Content:
    found = Assignment.load(out)
    return {name: np.asarray(getattr(found, name)) for name in ("codes", "offsets", "places", "ids")}


def read_trained(out: Path) -> Content:
    return read_connector(out / "connector") if (out / "connector" / "config.json").exists() else {}


def rows_kept(out: Path) -> int:
    return read_manifest(out)["audio"].rows


def steps_kept(out: Path) -> int:
    with safe_open(out / "training.checkpoint", framework="np") as file:
        return int(json.loads(file.metadata()["isthmus"])["step"])


@dataclass(frozen=True)
class Writer:
    """What is killed, how its result is read, what was there before, and how much of what it acknowledged is there."""

    write: Callable[[Path, Path], None]
    read: Callable[[Path], Content] = read_set
    before: Callable[[Path, Path], None] | None = None
    kept: Callable[[Path], int] | None = None


def over(kind: Any, read: Callable[[Path], Content], old: str, new: Callable[[], Any]) -> Writer:
    """Saving over an artifact."""
    made = new()
    return Writer(lambda given, out: made.save(out), read, lambda given, out: kind.load(SAVED / old).save(out))


def another_assignment() -> Assignment:
    old = Assignment.load(SAVED / "assignment")
    few = int(old.offsets[5])
    return replace(
        old, codes=(old.codes[:few] + 1) % 6, offsets=old.offsets[:6], places=old.places[:few], ids=old.ids[5:10]
    )


WRITERS: dict[str, Writer] = {
    "EmbeddingWriter": Writer(append, kept=rows_kept),
    "Embeddings.save": Writer(save),
    "save_tokens": Writer(save_some_tokens),
    "convert": Writer(converted),
    "convert in place": Writer(in_place, before=bare),
    "embed": Writer(embed),
    "embed with tokens": Writer(embed_tokens),
    "edit, embed with prune": Writer(edit_and_prune, before=embedded),
    "over a connector": over(
        Connector, read_connector, "connector-cca", lambda: Connector.load(SAVED / "connector-cmcr")
    ),
    "over a graph": over(SpaceGraph, read_graph, "graph-joint", lambda: SpaceGraph.load(SAVED / "graph-star")),
    "over a code model": over(CodeModel, read_codes, "codes", lambda: CodeModel.load(SAVED / "codes-literal")),
    "over an assignment": over(Assignment, read_assignment, "assignment", another_assignment),
    "training": Writer(train, read_trained, kept=steps_kept),
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


def run(write: Callable[[Path, Path], None], given: Path, out: Path, after: float | None) -> bool:
    """Run a writer in a forked process and kill it ``after`` seconds; whether it was killed."""
    acknowledge(0)
    child = os.fork()
    if child == 0:
        try:
            write(given, out)
            os._exit(0)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code > 0:
        raise RuntimeError(f"{write.__name__}: the run ended with {code}")
    return code < 0


def same(one: Content, other: Content) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def after_kill(out: Path, writer: Writer, states: list[Content]) -> list[str]:
    """What is wrong right after a kill."""
    found = []
    acknowledged = int.from_bytes(ACKNOWLEDGED[:], "little")
    try:
        now = writer.read(out) if out.exists() else {}
        if not any(same(now, state) for state in states):
            found.append(f"opens {len(now)} arrays of neither state")
    except IsthmusError as error:
        if "unfinished" not in str(error):
            found.append(f"refused: {error}")
    if writer.kept is not None and acknowledged:
        try:
            kept = writer.kept(out)
        except (IsthmusError, OSError, SafetensorError) as error:
            return [*found, f"{acknowledged} acknowledged are lost: {error}"]
        if kept < acknowledged:
            found.append(f"{kept} of {acknowledged} acknowledged are left")
    return found


def after_second_run(out: Path, given: Path, writer: Writer, whole: Path) -> list[str]:
    """What is wrong after the next run."""
    found = []
    try:
        run(writer.write, given, out, None)
        if not same(writer.read(out), writer.read(whole)):
            found.append("the second run differs")
        if (out / "manifest.json").exists():
            verify_set(out)
        if any(out.glob("*_tokens/manifest.json")):
            verify_tokens(out, "audio")
    except (IsthmusError, RuntimeError) as error:
        found.append(f"second run: {error}")
    files, expected = ({str(f.relative_to(own)) for f in own.rglob("*")} for own in (out, whole))
    # Numbers of shards that were rewritten depend on the kill.
    if writer.write is edit_and_prune:
        files, expected = ({re.sub(r"\d{2,}|_\d+", "N", name) for name in names} for names in (files, expected))
    if files != expected:
        found.append(f"stale files {sorted(files ^ expected)}")
    return found


def starting(writer: Writer, given: Path, out: Path) -> None:
    if writer.before is not None:
        run(writer.before, given, out, None)


def timed(write: Callable[[Path, Path], None]) -> Callable[[Path, Path], None]:
    """The same, acknowledging its microseconds: the parent would count the start and the end of the process, too."""

    def write_timed(given: Path, out: Path) -> None:
        started = time.monotonic()
        write(given, out)
        acknowledge(int(1e6 * (time.monotonic() - started)))

    return write_timed


def kill_often(
    writer: Writer, given: Path, folder: Path, wanted: int, draw: random.Random
) -> tuple[int, int, list[str]]:
    """How many runs were killed, how many ended first, and what is wrong."""
    old, whole, took = folder / "old", folder / "whole", math.inf
    starting(writer, given, old)
    for out in (folder / "another", whole):
        starting(writer, given, out)
        run(timed(writer.write), given, out, None)
        took = min(took, int.from_bytes(ACKNOWLEDGED[:], "little") / 1e6)
    states = [writer.read(whole), writer.read(old) if writer.before else {}]
    assert not same(*states)
    killed = ended = 0
    problems = []
    for number in range(3 * wanted):
        if killed == wanted:
            break
        out = folder / f"{number}"
        starting(writer, given, out)
        if run(writer.write, given, out, draw.uniform(0, SLOWEST_START * took)):
            killed += 1
            found = after_kill(out, writer, states) + after_second_run(out, given, writer, whole)
            problems += [f"kill {number}: {problem}" for problem in found]
        else:
            ended += 1
        for used in (out, media_of(out)):
            shutil.rmtree(used, ignore_errors=True)
    return killed, ended, problems


def main(kills: int, part: str) -> int:
    warnings.simplefilter("ignore")
    for name in IMPORTED_WHILE_RUNNING:
        import_module(name)
    torch.set_num_threads(1)
    precomputed.load = lambda weights: WithTokens()
    draw, failures = random.Random(0), 0
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    given = made(folder / "given")
    print(f"{'writer':22} {'kills':>6} {'ended first':>12} {'violations':>11}")
    chosen = {name: writer for name, writer in WRITERS.items() if part in name}
    for number, (name, writer) in enumerate(chosen.items()):
        (folder / str(number)).mkdir()
        killed, ended, problems = kill_often(writer, given, folder / str(number), -(-kills // len(chosen)), draw)
        print(f"{name:22} {killed:6} {ended:12} {len(problems):11}", flush=True)
        for problem in problems[:5]:
            print(f"  {problem}", flush=True)
        failures += len(problems)
    shutil.rmtree(folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300, sys.argv[2] if len(sys.argv) > 2 else ""))
