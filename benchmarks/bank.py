"""The bank of worlds: how good `auto` is, and how well the report estimates on families it was not fitted to.

    python benchmarks/bank.py --seeds 0 1 --plot docs/estimate.png  # leave-one-family-out figures
    python benchmarks/bank.py --seeds 0 1 --fit                     # and write estimate.json

Ratios are true mean reciprocal ranks divided by that of the world's best single candidate of `worlds/pool.py`, chosen
by the truth. `auto` has no fitted coefficients; its trained member is left out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from rich.progress import track
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge
from torch import Tensor
from torch.nn import functional

import isthmus.connectors
from isthmus.connectors.choosing.auto import six
from isthmus.connectors.choosing.criteria import GALLERY, linear_projection, score
from isthmus.connectors.choosing.evidence import gather_evidence
from isthmus.connectors.connect import hold_out
from isthmus.connectors.member import recentred
from isthmus.connectors.methods.linear import Candidate
from isthmus.connectors.overlap.materials import assemble
from isthmus.connectors.pseudo.centred import centred_materials
from isthmus.connectors.trust.estimate import criteria_evidence, log_odds, neighbour_evidence, rate_of
from worlds.bank import BankWorld, bank
from worlds.pool import CENTRINGS, candidates, fit_candidates

ESTIMATE_SHRINKAGE = 1.0
BANDS = {"criteria": 0.98, "counterparts": 0.80}
"""Share of the left-out residuals within each band; single candidates scatter more than blends."""
SIZES = ((50, 50), (50, 200), (50, 600), (200, 200), (200, 600), (600, 600))
"""Numbers of queries, and of gallery items (all counterparts among them), on which an estimate is calibrated."""
POOL = len(candidates())
OTHERS = 8
"""Single candidates per world that the estimate is calibrated on, in addition to the blend."""


@dataclass(frozen=True)
class Judged:
    """A world's pool, after it the members of `auto`, with their criteria and truth."""

    name: str
    family: str
    pool: list[Candidate]
    scores: list[dict[str, float]]
    cosines: list[list[Tensor]]
    relevant: list[Tensor]
    shifted: bool
    known: dict[tuple[bytes, int, int], tuple[float, float]] = field(default_factory=dict)

    @property
    def one_counterpart(self) -> bool:
        """Whether every item has at most one counterpart, as both bands assume."""
        return all(int(wanted.sum(1).max()) == 1 for wanted in self.relevant)

    @property
    def like_memories(self) -> bool:
        """Whether galleries have content like the memories', as the band from criteria assumes."""
        return not self.shifted

    @cached_property
    def singles(self) -> np.ndarray:
        """True mean reciprocal rank of every candidate of the pool."""
        return np.array([self.truth(alone) for alone in np.eye(len(self.pool))[:POOL]])

    @cached_property
    def auto(self) -> np.ndarray:
        """The weight of every candidate in the blend."""
        weights = np.zeros(len(self.pool))
        weights[POOL:] = 1 / (len(self.pool) - POOL)
        return weights

    def truth(self, weights: np.ndarray, gallery: int | None = None) -> float:
        """True mean reciprocal rank of a blend of the pool, over galleries and both directions."""
        return float(np.mean([mrr(s, r, gallery) for s, r in zip(self.blended(weights), self.relevant, strict=True)]))

    def asked(self, weights: np.ndarray, queries: int, gallery: int) -> tuple[float, float]:
        """The share of queries found again by their nearest neighbour in a part of the gallery, and the true rate.

        Both are means over galleries and directions.
        """
        key = (weights.tobytes(), queries, gallery)
        if key not in self.known:
            self.known[key] = self._asked(weights, queries, gallery)
        return self.known[key]

    def _asked(self, weights: np.ndarray, queries: int, gallery: int) -> tuple[float, float]:
        found = []
        for scores, relevant in zip(self.blended(weights), self.relevant, strict=True):
            for own, wanted in ((scores, relevant), (scores.T, relevant.T)):
                part = _part(wanted, queries, gallery)
                found.append((_returned(own[part]), one_way(own[part], wanted[part], None)))
        rate, truth = np.mean(found, axis=0)
        return float(rate), float(truth)

    def blended(self, weights: np.ndarray) -> list[Tensor]:
        """Cosines of a blend, one matrix per gallery."""
        used = np.flatnonzero(weights)
        galleries = range(len(self.relevant))
        return [sum(float(weights[i]) * self.cosines[i][g].float() for i in used) for g in galleries]

    def criteria(self, weights: np.ndarray) -> dict[str, float]:
        """Criteria of a blend: the mean of its members'."""
        return {name: float(weights @ [entry[name] for entry in self.scores]) for name in self.scores[0]}


def _part(wanted: Tensor, queries: int, gallery: int) -> tuple[Tensor, Tensor]:
    """Some queries with a counterpart, and a part of the gallery with all their counterparts, as an index."""
    draw = torch.Generator().manual_seed(queries + gallery)
    asked = wanted.any(1).nonzero()[:, 0]
    asked = asked[torch.randperm(len(asked), generator=draw)[:queries]]
    counterparts = wanted[asked].any(0)
    others = (~counterparts).nonzero()[:, 0]
    spare = max(0, min(gallery, wanted.shape[1]) - int(counterparts.sum()))
    kept = torch.cat((counterparts.nonzero()[:, 0], others[torch.randperm(len(others), generator=draw)[:spare]]))
    return asked[:, None], kept[None, :]


def _returned(scores: Tensor) -> float:
    """The share of queries that are the nearest neighbour of their own nearest neighbour."""
    return (scores.argmax(0)[scores.argmax(1)] == torch.arange(len(scores))).double().mean().item()


def mrr(scores: Tensor, relevant: Tensor, gallery: int | None = None) -> float:
    """Mean reciprocal rank of the first relevant item, both directions; expected in a gallery of a given size."""
    return (one_way(scores, relevant, gallery) + one_way(scores.T, relevant.T, gallery)) / 2


def one_way(scores: Tensor, relevant: Tensor, gallery: int | None) -> float:
    """`mrr` of the rows as queries; rows without a relevant item are left out."""
    asked = relevant.any(1)
    scores, relevant = scores[asked], relevant[asked]
    best = scores.masked_fill(~relevant, -torch.inf).amax(1, keepdim=True)
    above = ((scores >= best) & ~relevant).sum(1).double()
    if gallery is not None:
        above = above * (min(gallery, scores.shape[1]) - 1) / (scores.shape[1] - 1)
    return (1 / (1 + above)).mean().item()


def judge(drawn: BankWorld, seed: int) -> Judged:
    """Fit the pool without the held-out rows; measure criteria and truth of every candidate."""
    world = drawn.world
    materials = assemble(world.left, world.right, world.overlap)
    rows = len(materials.left.overlap)
    fitted, held = hold_out(rows, seed)
    views = {centring: centred_materials(materials, centring, torch.arange(rows)) for centring in CENTRINGS}
    pool = [*candidates(), *six(len(fitted))]
    maps = fit_candidates(pool, views, fitted)
    evidence = {centring: gather_evidence(own, fitted, held, seed=seed) for centring, own in views.items()}
    cosines = []
    for candidate, (left, right) in zip(pool, maps, strict=True):
        own = views[candidate.centring].centres
        cosines.append(
            [
                (_projected(g.left, own[0], left) @ _projected(g.right, own[1], right).T).half()
                for g in world.galleries.values()
            ]
        )
    return Judged(
        name=world.name,
        family=drawn.family,
        pool=pool,
        scores=[score(evidence[c.centring], linear_projection(m)) for c, m in zip(pool, maps, strict=True)],
        cosines=cosines,
        relevant=[torch.from_numpy(g.relevant()) for g in world.galleries.values()],
        shifted=drawn.shifted,
    )


def _projected(items, centres, weights) -> Tensor:
    rows = recentred(torch.from_numpy(items.vectors), centres[items.modality])
    return functional.normalize(rows @ weights, dim=-1)


def evidence_and_truth(world: Judged, weights: np.ndarray, band: str) -> list[tuple[dict[str, float], float]]:
    """The evidence that a band is linear in, and the truth, for a blend of candidates; one entry for each size."""
    if band == "criteria":
        return [(criteria_evidence(world.criteria(weights)), world.truth(weights, GALLERY))]
    found = []
    for queries, gallery in SIZES:
        rate, truth = world.asked(weights, queries, gallery)
        found.append((neighbour_evidence(rate, queries, gallery), truth))
    return found


def fit_estimate(worlds: Sequence[Judged], band: str) -> dict:
    """Coefficients of one band: ridge regression of the log-odds of the truth, ends from left-family-out residuals.

    Worlds that violate the bands' assumptions are left out.
    """
    rows, truths, families = [], [], []
    for world in worlds:
        if not world.one_counterpart or (band == "criteria" and not world.like_memories):
            continue
        spaced = np.eye(len(world.pool))[np.linspace(0, POOL - 1, OTHERS).astype(int)]
        for weights in [world.auto, *spaced] if band == "counterparts" else [world.auto]:
            for evidence, truth in evidence_and_truth(world, weights, band):
                rows.append(list(evidence.values()))
                truths.append(log_odds(truth))
                families.append(world.family)
    seen, known, family = np.array(rows), np.array(truths), np.array(families)
    residuals = np.concatenate(
        [
            known[family == own] - _regress(seen[family != own], known[family != own]).predict(seen[family == own])
            for own in sorted(set(families))
        ]
    )
    whole = _regress(seen, known)
    # Residuals scatter more where few queries meet a large gallery: the band holds for the worst of the sizes.
    of_size = residuals.reshape(-1, len(SIZES) if band == "counterparts" else 1)
    low, high = np.quantile(of_size, [(1 - BANDS[band]) / 2, (1 + BANDS[band]) / 2], axis=0)
    return {
        "intercept": round(float(whole.intercept_), 4),
        "weights": {name: round(float(weight), 4) for name, weight in zip(evidence, whole.coef_, strict=True)},
        "low": round(float(low.min()), 4),
        "high": round(float(high.max()), 4),
    }


def _regress(rows: np.ndarray, truths: np.ndarray) -> Ridge:
    return Ridge(alpha=ESTIMATE_SHRINKAGE).fit(rows, truths)


def left_family_out(worlds: Sequence[Judged]) -> list[dict]:
    """Each world, judged by an estimate fitted without its family."""
    found = []
    for family in track(sorted({w.family for w in worlds}), description="leaving families out"):
        rest = [w for w in worlds if w.family != family]
        bands = {name: fit_estimate(rest, name) for name in ("criteria", "counterparts")}
        found += [_left_out(w, bands) for w in worlds if w.family == family]
    return found


def _left_out(world: Judged, bands: dict[str, dict]) -> dict:
    weights, singles = world.auto, world.singles
    row = {
        "world": world.name,
        "family": world.family,
        "best": singles.max(),
        "best_candidate": str(world.pool[int(singles.argmax())]),
        "blend": world.truth(weights) / singles.max(),
        "singles": (singles / singles.max()).round(4).tolist(),
        "one_counterpart": world.one_counterpart,
        "like_memories": world.like_memories,
    }
    for name, fit in bands.items():
        of_sizes = evidence_and_truth(world, weights, name)
        row[f"{name}_truth"] = [truth for _, truth in of_sizes]
        centres = [
            fit["intercept"] + sum(w * values[key] for key, w in fit["weights"].items()) for values, _ in of_sizes
        ]
        for end in ("low", "middle", "high"):
            row[f"{name}_{end}"] = [rate_of(centre + fit.get(end, 0.0)) for centre in centres]
    return row


def summary(rows: list[dict], pool: list[Candidate]) -> dict:
    """The figures of docs/benchmarks.md."""
    shares = np.array([row["singles"] for row in rows])
    fixed = int(shares.mean(0).argmax())
    found = {
        "worlds": len(rows),
        "auto_mean": np.mean([row["blend"] for row in rows]),
        "auto_worst": min(row["blend"] for row in rows),
        "best_fixed_setting": str(pool[fixed]),
        "fixed_mean": shares[:, fixed].mean(),
        "fixed_worst": shares[:, fixed].min(),
    }
    rows = [row for row in rows if row["one_counterpart"]]
    found |= trust([row for row in rows if row["like_memories"]], "criteria") | trust(rows, "counterparts")
    found["criteria_rank_correlation_with_shifted_worlds"] = trust(rows, "criteria")["criteria_rank_correlation"]
    return {name: value if isinstance(value, str | int) else round(float(value), 4) for name, value in found.items()}


def trust(rows: list[dict], name: str) -> dict:
    """How well a band estimates the truth."""
    truth = np.array([row[f"{name}_truth"] for row in rows])
    middle, low, high = (np.array([row[f"{name}_{end}"] for row in rows]) for end in ("middle", "low", "high"))
    within = ((low <= truth) & (truth <= high)).mean(0)
    by_size = dict(zip(SIZES, within.round(3).tolist(), strict=True)) if name == "counterparts" else {}
    return {
        **{f"{name}_band_coverage_{queries}_in_{gallery}": share for (queries, gallery), share in by_size.items()},
        f"{name}_rank_correlation": spearmanr(middle.ravel(), truth.ravel()).statistic,
        f"{name}_mean_error": np.abs(middle - truth).mean(),
        f"{name}_band_coverage": ((low <= truth) & (truth <= high)).mean(),
        f"{name}_band_width": (high - low).mean(),
    }


def draw_scatter(rows: list[dict], path: Path) -> None:
    """Estimate against truth, both bands, families by colour; hollow where a band's assumptions do not hold."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 5.2), layout="constrained", sharex=True, sharey=True)
    families = sorted({row["family"] for row in rows})
    titles = {"criteria": "Before any query is seen", "counterparts": "From unlabelled queries and gallery"}
    for axis, (name, title) in zip(axes, titles.items(), strict=True):
        for number, family in enumerate(families):
            own = [row for row in rows if row["family"] == family]
            kept = [row["one_counterpart"] and (row["like_memories"] or name == "counterparts") for row in own]
            colours = [f"C{number}" if holds else "none" for holds in kept]
            middle, truth = ([row[f"{name}_{key}"][-1] for row in own] for key in ("middle", "truth"))
            axis.scatter(middle, truth, c=colours, edgecolors=f"C{number}", label=family, s=34)
        axis.plot([0, 1], [0, 1], color="0.6", linewidth=1, zorder=0)
        axis.set(title=title, xlabel="estimated MRR", xlim=(0, 1.02), ylim=(0, 1.02))
    axes[0].set_ylabel("true MRR")
    axes[0].legend(fontsize=8, frameon=False)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Judge the bank, print and write the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1], help="draws of every world")
    options.add_argument("--fit", action="store_true", help="fit to all worlds and write the package's coefficients")
    options.add_argument("--out", type=Path, default=Path("bank.json"))
    options.add_argument("--plot", type=Path, help="draw estimate against truth here")
    given = options.parse_args()
    drawn = [(seed, world) for seed in given.seeds for world in bank(seed)]
    worlds = [judge(world, seed) for seed, world in track(drawn, description="fitting the pool in every world")]
    rows = left_family_out(worlds)
    found = summary(rows, worlds[0].pool)
    given.out.write_text(json.dumps({"summary": found, "worlds": rows}, indent=1))
    for row in rows:
        print(f"{row['family']:16} {row['world']:28} best {row['best']:.3f}  auto {row['blend']:.3f}", end="  ")
        truth, low, high = (row[f"criteria_{name}"][0] for name in ("truth", "low", "high"))
        print(f"truth {truth:.2f} in {low:.2f} to {high:.2f}")
    print(json.dumps(found, indent=1))
    if given.plot:
        draw_scatter(rows, given.plot)
    if given.fit:
        package = Path(isthmus.connectors.__file__).parent
        bands = {name: fit_estimate(worlds, name) for name in ("criteria", "counterparts")}
        (package / "trust" / "estimate.json").write_text(json.dumps(bands, indent=1) + "\n")
        print(f"wrote {package}/trust/estimate.json")


if __name__ == "__main__":
    main()
