"""The estimates beside the truth, in synthetic and real worlds at once, each family left out of what judges it.

    python benchmarks/trust.py --data ../shared/data/real --digits ../shared/data/digits
    python benchmarks/trust.py --data ../shared/data/real --digits ../shared/data/digits --fit  # writes estimate.json

Worlds are the bank's (`worlds/bank.py`) and all of `worlds/every_real.py`; connectors are those of ``--methods``,
`auto` without its trained member. A case is judged unless the report abstains or its band is wider than .5. Fitted are
the two margins of the band before any query, and three of the band for given queries and gallery.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize

import isthmus.connectors
from isthmus.base.errors import IsthmusError
from isthmus.connectors.choosing.chain import Chain
from isthmus.connectors.config import AutoConfig, method_config
from isthmus.connectors.connect import connect_prepared, prepare
from isthmus.connectors.connector import Connector
from isthmus.connectors.trust import estimate
from isthmus.connectors.trust.estimate import ERRORS, LEAST, band_from_chain, band_from_neighbours, log_odds
from isthmus.connectors.trust.verdict import GOOD, GOOD_LEAST
from isthmus.metrics import mutual_neighbour_rates
from worlds.bank import RECIPES, bank_world
from worlds.every_real import Folders, every_real_world
from worlds.real_world import RealWorld

Case = dict[str, Any]
MARGIN_SHARE = 0.95
"""Share of the cases that each fitted margin covers."""
SIZES = ((50, 50), (50, 200), (200, 200), (200, 600))
"""Numbers of queries, and of gallery items (all counterparts among them)."""
SATURATED = 0.85
"""Share beyond chance from which log-odds are at the end of their range, and tell nothing of the shift."""
POOR = 0.3
"""A true MRR below this must not be called likely good."""


def every_world(folders: Folders, seeds: Sequence[int], only: str) -> Iterator[tuple[int, RealWorld]]:
    """Bank and real worlds, draw by draw."""
    for seed in seeds:
        synthetic = (from_bank(name, seed) for recipes in RECIPES.values() for name in recipes)
        for world in chain(synthetic, every_real_world(folders, seed)):
            if only in f"{world.family} {world.name}":
                yield seed, world


def from_bank(name: str, seed: int) -> RealWorld:
    """A world of the bank in the form of the real ones; ``change`` names the assumption of a band that it violates."""
    drawn = bank_world(name, seed)
    (gallery,) = drawn.world.galleries.values()
    relevant = gallery.relevant()
    broken = "other content in the gallery" if drawn.shifted else ""
    broken = broken or ("" if relevant.sum(1).max() == 1 else "several counterparts")
    sides = (dict(drawn.world.left), dict(drawn.world.right))
    return RealWorld(name, f"bank: {drawn.family}", sides, gallery.left, gallery.right, relevant, "r1", change=broken)


def judged(task: tuple[int, RealWorld], methods: Sequence[str]) -> list[Case]:
    """One case for each method in a world."""
    warnings.simplefilter("ignore")
    seed, world = task
    refused = ""
    try:
        prepared = prepare(*world.sides, world.overlap, seed)
    except IsthmusError as error:
        refused, prepared = str(error), prepare(*world.sides, world.overlap, seed, force=True)
    found = []
    for method in methods:
        config = AutoConfig(trained_share=0.0) if method == "auto" else method_config(method, {})
        connector = connect_prepared(prepared, config)
        report = connector.report
        assert report is not None
        left, right = connector.project(world.left).vectors, connector.project(world.right).vectors
        case: Case = {"world": world.name, "family": world.family, "change": world.change, "seed": seed}
        case |= {"method": method, "held": report.held_out, "chain": dict(report.criteria)}
        case |= {"covered": min((own.covered for own in report.coverage), default=None)}
        case |= {"reason": refused or report.no_estimate, "verdict": " ".join(report.verdict)}
        case |= {"true": world.mrr200(left @ right.T)}
        if world.relevant.sum(1).max() == 1:
            sizes = [size for size in SIZES if size[0] <= len(left)]
            case["asked"] = [asked(connector, world, *size) for size in sizes]
        found.append(case)
    return found


def asked(connector: Connector, world: RealWorld, queries: int, gallery: int) -> list[float]:
    """For some queries and a gallery with their counterparts.

    Sizes, share of queries found again by their nearest neighbour, the same by chance, and true MRR.
    """
    draw = np.random.default_rng(queries + gallery)
    rows = draw.permutation(np.flatnonzero(world.relevant.any(1)))[:queries]
    own = world.relevant[rows].argmax(1)
    others = draw.permutation(np.setdiff1d(np.arange(len(world.right)), own))[: max(0, gallery - len(rows))]
    left = connector.project(world.left.take(rows))
    right = connector.project(world.right.take(np.concatenate((own, others))))
    rate, _ = mutual_neighbour_rates(left.vectors, right.vectors)
    scores = left.vectors @ right.vectors.T
    place = (scores >= np.diagonal(scores)[:, None]).sum(1)
    return [len(left), len(right), rate, connector.scores.chance_neighbours(left, right), float((1 / place).mean())]


def holds(case: Case) -> bool:
    """Whether the band's assumptions hold: one counterpart for each query, a gallery like the memories."""
    return case["change"] not in ("other content in the gallery", "several counterparts")


def fitted_margins(cases: Sequence[Case]) -> tuple[float, float]:
    """The margin below that covers nearly all of the cases that the report may judge, and that above, all of them."""
    excess = []
    for case in cases:
        if holds(case) and not case["reason"]:
            band = band_from_chain(Chain(**case["chain"]), (0.0, 0.0))
            low, high, truth = log_odds(band.low), log_odds(band.high), log_odds(case["true"])
            excess.append((low - truth, truth - high))
    below, above = np.array(excess).T
    return round(max(0.0, float(np.quantile(below, MARGIN_SHARE))), 2), round(max(0.0, float(above.max())), 2)


def fitted_neighbours(cases: Sequence[Case]) -> dict[str, float]:
    """What the log-odds of the MRR are above those of the share beyond chance, by items per query, and the margin."""
    known = np.array([own for case in cases for own in case.get("asked", ())])
    queries, items, rates, chance, truth = known.T
    crowd = np.log(items / queries)
    error = ERRORS * np.sqrt(np.maximum(rates * (1 - rates), LEAST) / queries)
    most = np.maximum(rates, chance) + error
    middle, low, high = (odds_beyond(own, chance) for own in (rates, rates - error, most))
    odds = np.array([log_odds(own) for own in truth])
    told = beyond(rates - error, chance) > LEAST
    unsaturated = told & (beyond(rates, chance) < SATURATED)
    slope, shift = least_absolute(crowd[unsaturated], (odds - middle)[unsaturated])
    above = shift + slope * crowd
    excess = np.maximum(np.where(told, low + above - odds, 0), odds - high - above)
    margin = max(0.0, float(np.quantile(excess, MARGIN_SHARE)))
    return {"shift": round(shift, 2), "crowding": round(-slope, 2), "margin": round(margin, 2)}


def least_absolute(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope and intercept with the least sum of absolute errors."""
    found = minimize(lambda line: np.abs(y - line[0] * x - line[1]).sum(), (0.0, np.median(y)), method="Nelder-Mead")
    return float(found.x[0]), float(found.x[1])


def beyond(rates: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """`beyond_chance` of many."""
    return (rates - chance) / np.maximum(1 - chance, LEAST)


def odds_beyond(rates: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Log-odds of `beyond`."""
    return np.array([log_odds(own) for own in beyond(rates, chance)])


def left_family_out(cases: Sequence[Case]) -> None:
    """Add to each case the bands that the other families' cases give; the shipped ones if there is no other family."""
    for family in {case["family"] for case in cases}:
        rest = [case for case in cases if case["family"] != family]
        shipped = estimate.calibration()
        margins = fitted_margins(rest) if rest else (shipped["chain"]["below"], shipped["chain"]["above"])
        fit = fitted_neighbours(rest) if rest else shipped["counterparts"]
        for case in cases:
            if case["family"] == family:
                band = band_from_chain(Chain(**case["chain"]), margins) if case["chain"] else None
                wide = band is not None and band.high - band.low > estimate.WIDEST
                told = band is not None and not case["reason"] and not wide
                case["band"] = [band.low, band.middle, band.high] if told and band is not None else None
                case["given"] = [given_band(fit, own) for own in case.get("asked", ())]


def given_band(fit: dict[str, float], known: Sequence[float]) -> list[float]:
    """Low, middle and high end, and the truth."""
    queries, gallery, rate, chance, truth = known
    band = band_from_neighbours(rate, chance, int(queries), int(gallery), fit)
    return [band.low, band.middle, band.high, truth]


def summary(cases: Sequence[Case]) -> Iterator[str]:
    """What the tables of docs/benchmarks.md say."""
    groups = {"all": list(cases), "synthetic": [c for c in cases if c["family"].startswith("bank")]}
    groups["real"] = [c for c in cases if not c["family"].startswith("bank")]
    for name, own in groups.items():
        fair = [case for case in own if holds(case)]
        told = [case for case in fair if case["band"]]
        inside = [case["band"][0] <= case["true"] <= case["band"][2] for case in told]
        errors = [abs(case["band"][1] - case["true"]) for case in told]
        widths = [case["band"][2] - case["band"][0] for case in told]
        given = np.array([band for case in own for band in case["given"]]).reshape(-1, 4)
        narrow = given[given[:, 2] - given[:, 0] <= estimate.WIDEST]
        within = (narrow[:, 0] <= narrow[:, 3]) & (narrow[:, 3] <= narrow[:, 2])
        misled = ((narrow[:, 1] >= GOOD) & (narrow[:, 0] >= GOOD_LEAST) & (narrow[:, 3] < POOR)).sum()
        yield (
            f"{name}: {len(own)} cases, {len(fair)} meet the assumptions, {len(told)} judged: inside "
            f"{np.mean(inside):.3f}, mean error {np.mean(errors):.3f}, width {np.mean(widths):.2f}"
        )
        yield (
            f"{name}, given queries and gallery: {len(given)} cases, {len(narrow)} judged: inside {within.mean():.3f}, "
            f"mean error {np.abs(narrow[:, 1] - narrow[:, 3]).mean():.3f}, width "
            f"{(narrow[:, 2] - narrow[:, 0]).mean():.2f}; called good below {POOR}: {misled}"
        )


def line(case: Case) -> str:
    """A case as one line."""
    steps = " ".join(f"{name} {value:.2f}" for name, value in case["chain"].items())
    band = case.get("band")
    told = f"{band[0]:.2f} to {band[2]:.2f} (middle {band[1]:.2f})" if band else "none"
    missed = " OUTSIDE" if band and not band[0] <= case["true"] <= band[2] else ""
    covered = "" if case["covered"] is None else f"covered {case['covered']:.2f}"
    name = f"{case['family']}: {case['world']} {case['seed']} {case['method']}"
    return f"{name:90} true {case['true']:.2f} band {told}{missed}  {steps} {covered} {case['reason']}"


def main() -> None:
    """Judge every world, print each case and the summary, and perhaps write the calibration."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True, help="folder with miniclip.npz and animals.npz")
    options.add_argument("--digits", type=Path, help="folder with mnist_8k.npz and fsdd_8k.npz")
    options.add_argument("--cache", type=Path, default=Folders.cache, help="folder that keeps the vectors of digits")
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    options.add_argument("--methods", nargs="+", default=["auto", "cca"])
    options.add_argument("--only", default="", help="worlds whose family and name contain this")
    options.add_argument("--jobs", type=int, default=2, help="processes, each with one thread")
    options.add_argument("--cases", type=Path, help="read the cases from this file instead of judging worlds")
    options.add_argument("--out", type=Path, default=Path("trust.json"))
    options.add_argument("--fit", action="store_true", help="write the package's calibration")
    given = options.parse_args()
    if given.cases:
        cases = json.loads(given.cases.read_text())
    else:
        cases = []
        tasks = every_world(Folders(given.data, given.digits, given.cache), given.seeds, given.only)
        with ProcessPoolExecutor(given.jobs, get_context("spawn"), torch.set_num_threads, (1,)) as processes:
            for found in processes.map(partial(judged, methods=given.methods), tasks):
                cases += found
                print(line(found[0]), flush=True)
                given.out.write_text(json.dumps(cases, indent=1))
    left_family_out(cases)
    given.out.write_text(json.dumps(cases, indent=1))
    print("\n".join(["", *map(line, cases), "", *summary(cases)]))
    if given.fit:
        path = Path(isthmus.connectors.__file__).parent / "trust" / "estimate.json"
        known = json.loads(path.read_text())
        below, above = fitted_margins(cases)
        chained = {**known["chain"], "below": below, "above": above}
        fitted = {"chain": chained, "counterparts": fitted_neighbours(cases)}
        path.write_text(json.dumps(fitted, indent=1) + "\n")
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
