"""Random fits: every fit ends in a one-line error, or in a connector whose vectors can be used.

    python benchmarks/random_fits.py --fits 500      # prints counts; exit code 1 if a fit breaks the rule

A fit draws sizes, dimensions, ranks, duplicates, constant rows, scales, precisions, missing memories, and every field
of a method's config within its documented range. A connector passes if its rows are finite, have unit length, do not
depend on the rows beside them and are bit for bit the same after saving, and if its report has only finite figures.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

import isthmus
from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings

DIMS = (2, 3, 4, 7, 16, 33, 64, 128, 300, 600)
TEXTS = (10, 11, 13, 20, 40, 90, 250)
ITEMS = (0, 10, 30, 120, 300)
TOO_FEW = 0.03
"""Share of dimensions and of numbers of rows that are too small to connect."""
METHODS = ("auto", "procrustes", "ridge", "cca", "cmcr", "exmcr")
SHARE_OF_METHODS = (0.08, 0.2, 0.22, 0.24, 0.13, 0.13)
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Drawn:
    """What one fit is given."""

    left: dict[str, Embeddings]
    right: dict[str, Embeddings]
    method: str
    options: dict[str, Any]


def draw_fit(random: np.random.Generator) -> Drawn:
    """Two sides and a method. Raises `IsthmusError` if a side's vectors are zero or not finite."""
    dims = [_drawn(random, DIMS) for _ in range(2)]
    latent = int(random.integers(1, 1 + random.choice((1, 2, 5, 20, 100))))
    texts = _drawn(random, TEXTS)
    meaning = random.standard_normal((texts, latent))
    kind = random.choice(("shared", "shared", "shared", "unrelated"))
    sides = []
    for number, (space, modality) in enumerate((("left", "image"), ("right", "audio"))):
        view = random.standard_normal((latent, dims[number]))
        noise = float(random.choice((0.0, 1e-6, 0.1, 1.0)))
        own = meaning if number == 0 or kind == "shared" else random.standard_normal(meaning.shape)
        names = [f"t{row}" for row in random.permutation(texts)] if random.random() < 0.1 else None
        parts = {"text": _rows(random, own @ view, noise, "text", space, names)}
        items = _drawn(random, ITEMS)
        if items or random.random() < 0.5:
            found = random.standard_normal((items, latent)) @ view + float(random.choice((0, 0.5, 20)))
            parts[modality] = _rows(random, found, noise, modality, space, None)
        sides.append(parts)
    method = str(random.choice(METHODS, p=SHARE_OF_METHODS))
    return Drawn(sides[0], sides[1], method, draw_options(random, method))


def _drawn(random: np.random.Generator, sizes: tuple[int, ...]) -> int:
    """A size, rarely one that is too small."""
    return int(random.integers(1, 10)) if random.random() < TOO_FEW else int(random.choice(sizes))


def _rows(
    random: np.random.Generator, rows: np.ndarray, noise: float, modality: str, space: str, ids: list[str] | None
) -> Embeddings:
    """Rows with noise, some of them with duplicates, constant rows or columns, a scale, or few digits."""
    rows = rows + noise * random.standard_normal(rows.shape)
    if len(rows) and random.random() < 0.15:
        rows = rows[random.integers(0, max(1, len(rows) // 3), len(rows))]
    if len(rows) and random.random() < 0.08:
        rows[random.random(len(rows)) < random.choice((0.3, 0.9, 1.0))] = 1.0
    if random.random() < 0.1:
        rows[:, random.random(rows.shape[1]) < 0.5] = 0.0
    if random.random() < 0.05:
        rows = np.sign(rows)
    dtype = random.choice(("float16", "float32", "float64"), p=(0.2, 0.5, 0.3))
    largest = {"float16": 4, "float32": 37, "float64": 300}[str(dtype)]
    scale = 10.0 ** random.integers(-largest, largest) if random.random() < 0.2 else 1.0
    with np.errstate(over="ignore", under="ignore"):
        made = (rows * scale).astype(str(dtype))
    ids = [f"t{row}" for row in range(len(rows))] if ids is None else ids
    return Embeddings.from_array(made, modality=modality, space=space, ids=ids)


def draw_options(random: np.random.Generator, method: str) -> dict[str, Any]:
    """Every field of the method's config, each left at its default half of the time."""
    training = {
        "optimisation": {
            "epochs": int(random.integers(1, 3)),
            "min_steps": int(random.integers(0, 4)),
            "batch_size": int(random.choice((1, 2, 7, 64))),
            "learning_rate": float(10.0 ** random.uniform(-6, -1)),
        },
        "consistency": {
            "temperature": float(10.0 ** random.uniform(-3, 1)),
            "method": str(random.choice(("auto", "exact", "lists"))),
            "tolerance": float(10.0 ** random.uniform(-6, 0)),
            "seed": int(random.integers(0, 9)),
        },
        "noise_variance": float(random.choice((0.0, 0.004, 10.0))),
        "contrast": str(random.choice(("infonce", "siglip"))),
        "temperature": float(10.0 ** random.uniform(-3, 2)),
        "intra": str(random.choice(("squared", "plain"))),
        "centring": str(random.choice(("none", "mean", "matched"))),
    }
    linear = {
        "pair_weights": str(random.choice(("cycle", "equal"))),
        "source": str(random.choice(("overlap", "pseudo", "both"))),
        "centring": str(random.choice(("none", "mean", "matched"))),
    }
    penalty = float(random.choice((1e-300, 1e-30, 1e-12, 1e-6, 1e-3, 1.0, 1e6, 1e30, 1e300)))
    fields: Mapping[str, dict[str, Any]] = {
        "auto": {"trained_share": float(random.choice((0.0, 0.5, 0.99)))},
        "procrustes": linear,
        "ridge": {**linear, "penalty": penalty},
        "cca": {
            **linear,
            "penalty": penalty,
            "right_penalty": float(random.choice((1e-9, 1e-2, 1e3))),
            "power": float(random.choice((0.0, 0.5, 1.0, 2.0, 30.0, 1e4))),
        },
        "cmcr": {
            **training,
            "overlap_weight": float(random.choice((0.0, 1.0, 100.0))),
            "pseudo_weight": float(random.choice((0.5, 1.0))),
            "intra_weight": float(random.choice((0.0, 0.1, 100.0))),
            "projector": str(random.choice(("auto", "clap-clip", "ulip-clip", "linear"))),
            "joint_dim": int(random.choice((1, 3, 50))),
        },
        "exmcr": {
            **training,
            "base": str(random.choice(("left", "right"))),
            "projector": str(random.choice(("auto", "two-mlps", "linear"))),
        },
    }
    return {name: value for name, value in fields[method].items() if name == "optimisation" or random.random() < 0.5}


def judge(drawn: Drawn, folder: Path) -> str:
    """What is wrong with the connector of a fit, or "". Raises `IsthmusError` if there is none."""
    connector = isthmus.connect(drawn.left, drawn.right, method=drawn.method, force=True, **drawn.options)
    projected = [(own, connector.project(own)) for side in (drawn.left, drawn.right) for own in side.values()]
    loaded = isthmus.Connector.load(connector.save(folder))
    for own, joint in projected:
        rows = joint.vectors
        if not np.isfinite(rows).all():
            return f"{own.modality}: rows are not finite"
        if len(rows) and np.abs(np.linalg.norm(rows.astype(np.float64), axis=1) - 1).max() > TOLERANCE:
            return f"{own.modality}: rows do not have unit length"
        if not np.array_equal(loaded.project(own).vectors, rows):
            return f"{own.modality}: rows differ after saving"
        for step in (1, 7):
            some = np.arange(min(len(own), 3 * step))
            for start in range(0, len(some), step):
                alone = connector.project(own.take(some[start : start + step])).vectors
                if np.abs(alone - rows[start : start + step]).max(initial=0) > TOLERANCE:
                    return f"{own.modality}: a row depends on the rows beside it"
    assert connector.report is not None
    if not _finite(connector.report.as_dict()) or not _finite(connector.choice):
        return "the report has figures that are not finite"
    text = json.dumps(connector.report.as_dict(), allow_nan=False) + str(connector.report)
    return "the report prints nan" if "nan" in text.split() else ""


def _finite(value: Any) -> bool:
    match value:
        case Mapping():
            return all(map(_finite, value.values()))
        case list() | tuple():
            return all(map(_finite, value))
        case float():
            return math.isfinite(value)
        case _:
            return True


def outcome(seed: int, number: int) -> tuple[str, str]:
    """How one fit ended ("connected", "refused" or "broken"), and the fit with its fault, or the error's message."""
    random = np.random.default_rng([seed, number])
    try:
        with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", UserWarning)
            drawn = draw_fit(random)
            wrong = judge(drawn, Path(folder) / "connector")
            return ("broken" if wrong else "connected"), f"{drawn.method} {drawn.options}: {wrong}"
    except IsthmusError as error:
        return ("broken" if "\n" in str(error) else "refused"), str(error)
    except Exception as error:  # no other error may leave the library
        return "broken", f"{type(error).__name__}: {error}"


def main() -> None:
    """Run the fits, print how they ended, and exit with code 1 if one is broken."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--fits", type=int, default=500)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--only", type=int, help="run this fit alone, with its traceback")
    given = options.parse_args()
    if given.only is not None:
        drawn = draw_fit(np.random.default_rng([given.seed, given.only]))
        print(drawn)
        print(judge(drawn, Path(tempfile.mkdtemp())) or "connected")
        return
    started, ended, refusals = time.monotonic(), Counter[str](), Counter[str]()
    for number in track(range(given.fits), description="fitting", transient=True):
        how, what = outcome(given.seed, number)
        ended[how] += 1
        if how == "refused":
            refusals[what[:60]] += 1
        if how == "broken":
            print(f"fit {number}: {what}")
    print(f"{given.fits} fits, seed {given.seed}: {dict(ended)}, {time.monotonic() - started:.0f} s")
    print(f"refusals: {len(refusals)} messages, the most common: {refusals.most_common(3)}")
    sys.exit(1 if ended["broken"] else 0)


if __name__ == "__main__":
    main()
