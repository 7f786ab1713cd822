"""Connectors on vectors of real encoders: every method, the best closed form, the paired oracle, and the estimate.

    python benchmarks/real_spaces.py --data ../shared/data/real --digits ../shared/data/digits --cache digit-vectors
    python benchmarks/real_spaces.py --data ../shared/data/real --draws 5 --methods auto cca --only miniclip
    python benchmarks/real_spaces.py --data ../shared/data/real --quick  # one draw of `auto`, nothing else
    python benchmarks/real_spaces.py --own FOLDER

The worlds are those of `worlds/every_real.py`: MiniClip joined by captions and by pictures, animals with and without
the scored names, digits in three kinds of spaces, few texts, and each of the changes of `worlds/real_variants.py`. The
first run with ``--digits`` trains four small spaces, some minutes on one core each, and keeps their vectors in
``--cache``. ``--own`` takes folders of .npz files in the layouts of `worlds/own_worlds.py`.

Scores are R@10 (MiniClip), R@1 (digits) or mAP (animals) in percent. "best" is the best of the pool's 108 closed
forms, chosen by the truth (`worlds/pool.py`); figures in brackets are ratios to it. The oracle is `cca` on true pairs,
for animals on pairs of the same animal. "estimate" is the report's band of the MRR among 200 with `auto`, and "true"
that MRR (`RealWorld.mrr200`). Trained methods take long: they run in unchanged worlds only, or in all with
``--trained-everywhere``.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

import isthmus
from isthmus.connectors.connector import Connector
from isthmus.connectors.methods.linear import linear_member
from isthmus.connectors.overlap.materials import assemble
from isthmus.connectors.pseudo.centred import centred_materials
from real_table import Row, summary, table
from worlds.every_real import Folders, every_real_world
from worlds.pool import CENTRINGS, candidates, fit_candidates
from worlds.real_world import RealWorld

METHODS: dict[str, tuple[str, dict]] = {
    "auto": ("auto", {}),
    "procrustes": ("procrustes", {}),
    "ridge": ("ridge", {}),
    "cca": ("cca", {}),
    "cmcr": ("cmcr", {}),
    "cmcr, equal": ("cmcr", {"pair_weights": "equal"}),
    "exmcr": ("exmcr", {}),
    "exmcr, equal": ("exmcr", {"pair_weights": "equal"}),
}
DEFAULT = ("auto", "procrustes", "ridge", "cca", "cmcr", "exmcr")
AHEAD = 8
"""Worlds that are drawn before their turn."""
TRAINED = ("cmcr", "cmcr, equal", "exmcr", "exmcr, equal")


@dataclass(frozen=True)
class Wanted:
    """What to measure in a world: methods, whether the trained ones in changed worlds too, and what to compare with."""

    methods: tuple[str, ...]
    trained_everywhere: bool = False
    compared: bool = True

    def of(self, world: RealWorld) -> Iterator[str]:
        """The methods for a world."""
        for name in self.methods:
            if name not in TRAINED or self.trained_everywhere or not world.change:
                yield name


def cosines(connector: Connector, world: RealWorld) -> np.ndarray:
    """Cosines of the world's gallery in the joint space, (left, right)."""
    return connector.project(world.left).vectors @ connector.project(world.right).vectors.T


def best_single(world: RealWorld) -> float:
    """The score of the pool's best closed form, fitted to all overlap rows."""
    materials = assemble(*world.sides, world.overlap)
    rows = torch.arange(len(materials.left.overlap))
    views = {centring: centred_materials(materials, centring, rows) for centring in CENTRINGS}
    pool, found = candidates(), []
    for candidate, maps in zip(pool, fit_candidates(pool, views, rows), strict=True):
        member = linear_member(candidate, maps, views[candidate.centring].centres)
        items = ((member.left, world.left), (member.right, world.right))
        left, right = (head.project(torch.from_numpy(own.vectors), own.modality) for head, own in items)
        found.append(world.score((left @ right.T).numpy()))
    return max(found)


def paired_oracle(world: RealWorld) -> float | None:
    """The score of `cca` on true pairs."""
    if world.pairs is None:
        return None
    left, right = world.pairs
    paired = isthmus.Embeddings.from_array(right.vectors, modality=left.modality, space=right.space, ids=left.ids)
    connector = isthmus.connect({left.modality: left}, {left.modality: paired}, overlap=left.modality, method="cca")
    # The modality of the right items is that of the left ones here, so that the pairs are an overlap.
    items = world.right.vectors
    asked = isthmus.Embeddings.from_array(items, modality=left.modality, space=right.space, ids=world.right.ids)
    return world.score(connector.project(world.left).vectors @ connector.project(asked).vectors.T)


def measured(task: tuple[int, RealWorld], wanted: Wanted) -> Row:
    """Scores by method and of what they are compared with, seconds, and the estimate beside the truth."""
    warnings.simplefilter("ignore")
    seed, world = task
    row: Row = {"world": world.name, "family": world.family, "change": world.change, "seed": seed}
    if wanted.compared:
        row |= {"best": best_single(world), "oracle": paired_oracle(world)}
    for name in wanted.of(world):
        method, options = METHODS[name]
        started = time.perf_counter()
        connector = isthmus.connect(
            *world.sides, overlap=world.overlap, method=method, seed=seed, device="cpu", **options
        )
        row[f"{name} seconds"] = round(time.perf_counter() - started, 2)
        found = cosines(connector, world)
        row[name] = world.score(found)
        if name == "auto":
            row |= {"true": world.mrr200(found), **estimated(connector)}
    return row


def estimated(connector: Connector) -> Row:
    """The report's first band, its reason if there is none, and its verdict."""
    report = connector.report
    assert report is not None
    band = report.bands[0] if report.bands else None
    ends = {end: None if band is None else getattr(band, end) for end in ("low", "middle", "high")}
    return {**ends, "no_estimate": str(report.no_estimate or ""), "verdict": " ".join(report.verdict)}


def drawn(folders: Folders, draws: int, only: str, unchanged: bool) -> Iterator[tuple[int, RealWorld]]:
    """Every world whose name contains ``only``, perhaps without the changed ones, draw by draw."""
    for seed in range(draws):
        for world in every_real_world(folders, seed):
            if only in world.name and not (unchanged and world.change):
                yield seed, world


def in_turn(
    processes: Executor, measure: Callable[[tuple[int, RealWorld]], Row], tasks: Iterable[tuple[int, RealWorld]]
) -> Iterator[Row]:
    """Rows of tasks in their order; only a few worlds are drawn ahead, as all of them together would fill memory."""
    waiting: deque[Future[Row]] = deque()
    for task in tasks:
        waiting.append(processes.submit(measure, task))
        if len(waiting) > AHEAD:
            yield waiting.popleft().result()
    for own in waiting:
        yield own.result()


def one_line(row: Row, methods: tuple[str, ...]) -> str:
    """A row as it is found, for whoever waits."""
    shares = "  ".join(f"{name} {row[name]:.1f}" for name in ("best", *methods, "oracle") if row.get(name) is not None)
    band = f"{row['low']:.2f} to {row['high']:.2f}" if row.get("low") is not None else "no estimate"
    truth = f"  true {row['true']:.2f}, {band}" if "true" in row else ""
    return f"{row['world']:60} {row['seed']}  {shares}{truth}"


def main() -> None:
    """Print a line for each world and draw as it is found, then the tables in Markdown."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, help="folder with miniclip.npz and animals.npz")
    options.add_argument("--digits", type=Path, help="folder with mnist_8k.npz and fsdd_8k.npz")
    options.add_argument("--cache", type=Path, default=Folders.cache, help="folder that keeps the vectors of digits")
    options.add_argument("--own", type=Path, nargs="+", default=[], help="folders with worlds of your own")
    options.add_argument("--draws", type=int, default=5)
    options.add_argument("--methods", nargs="+", choices=METHODS, default=DEFAULT)
    options.add_argument("--trained-everywhere", action="store_true", help="train in changed worlds too")
    options.add_argument("--quick", action="store_true", help="one draw of auto, nothing to compare with")
    options.add_argument("--only", default="", help="worlds whose name contains this")
    options.add_argument("--unchanged", action="store_true", help="leave out the changed worlds")
    options.add_argument("--jobs", type=int, default=2, help="processes, each with one thread")
    options.add_argument("--out", type=Path, help="write the figures here as JSON, after every world")
    given = options.parse_args()
    if not (given.data or given.digits or given.own):
        options.error("give a folder with --data, --digits or --own")
    methods = ("auto",) if given.quick else tuple(given.methods)
    wanted = Wanted(methods, given.trained_everywhere, not given.quick)
    folders = Folders(given.data, given.digits, given.cache, given.own)
    tasks = drawn(folders, 1 if given.quick else given.draws, given.only, given.unchanged)
    rows = []
    with ProcessPoolExecutor(given.jobs, get_context("spawn"), torch.set_num_threads, (1,)) as processes:
        for row in in_turn(processes, partial(measured, wanted=wanted), tasks):
            rows.append(row)
            print(one_line(row, methods), flush=True)
            if given.out:
                given.out.write_text(json.dumps(rows, indent=1))
    print("\n".join(["", *table(rows, methods), "", *summary(rows, methods)]))


if __name__ == "__main__":
    main()
