"""The connector report: what can be said of a connection without a single pair, as plain data and as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

CLEARLY = 5
"""Standard errors by which twins must be found beyond chance."""


@dataclass(frozen=True)
class Coverage:
    """How well a memory covers the overlap, in one space, after matched centring.

    ``rows``: items in the memory. ``top_cosine``: median over texts of the cosine to the nearest item.
    ``effective_neighbours``: median of 1/Σw² over the weights w of the softmax over the memory (τ = 0.01).
    """

    modality: str
    rows: int
    top_cosine: float
    effective_neighbours: float


@dataclass(frozen=True)
class Gap:
    """Distance between the mean of a modality and the mean of another, before and after projection."""

    modalities: tuple[str, str]
    before: float | None
    after: float


@dataclass(frozen=True)
class Band:
    """An estimate of the mean reciprocal rank of cross-modal retrieval in a gallery of ``gallery`` items, in [0, 1].

    ``low`` to ``high`` held the truth in nine of ten worlds that were left out of its calibration.
    """

    assumes: str
    low: float
    middle: float
    high: float
    gallery: int


@dataclass(frozen=True)
class ConnectorReport:
    """What was measured on held-out overlap rows and on the memories. Rates and ranks are in [0, 1].

    ``overlap_mrr``: mean reciprocal rank of a held-out overlap row's twin in the joint space, both directions.
    ``chance_mrr``: the same for random vectors. ``hubness``: skewness of how often a memory item is among the ten
    nearest of the other side's items. ``criteria`` are those of `criteria.score`; they and ``bands`` are empty where a
    memory is missing.
    """

    held_out: int
    overlap_mrr: float
    overlap_r1: float
    chance_mrr: float
    gaps: tuple[Gap, ...]
    coverage: tuple[Coverage, ...]
    hubness: float | None
    criteria: Mapping[str, float]
    bands: tuple[Band, ...]
    verdict: tuple[str, ...]

    @property
    def found_twins(self) -> bool:
        """Whether held-out rows find their twins beyond chance: by five standard errors of a random order."""
        ranks = range(1, self.held_out + 1)
        spread = math.sqrt(max(0.0, sum(1 / rank**2 for rank in ranks) / self.held_out - self.chance_mrr**2))
        return self.overlap_mrr > self.chance_mrr + CLEARLY * spread / math.sqrt(self.held_out)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ConnectorReport:
        """The inverse of `as_dict`."""
        return cls(
            **{
                **data,
                "gaps": tuple(Gap(**{**gap, "modalities": tuple(gap["modalities"])}) for gap in data["gaps"]),
                "coverage": tuple(Coverage(**entry) for entry in data["coverage"]),
                "bands": tuple(Band(**band) for band in data["bands"]),
                "verdict": tuple(data["verdict"]),
            }
        )

    def lines(self) -> list[str]:
        """The report as text, one fact a line, the verdict last."""
        found = [
            f"held-out overlap ({self.held_out} rows): twin first for {self.overlap_r1:.0%}, "
            f"mean reciprocal rank {self.overlap_mrr:.2f} (chance {self.chance_mrr:.2f})"
        ]
        for gap in self.gaps:
            before = "" if gap.before is None else f"{gap.before:.2f} before, "
            found.append(f"gap {gap.modalities[0]}-{gap.modalities[1]}: {before}{gap.after:.2f} after")
        for entry in self.coverage:
            found.append(
                f"{entry.modality} memory ({entry.rows} rows): median top cosine {entry.top_cosine:.2f}, "
                f"{entry.effective_neighbours:.1f} effective neighbours"
            )
        if self.hubness is not None:
            found.append(f"hubness (skewness of 10-occurrence): {self.hubness:.1f}")
        for band in self.bands:
            found.append(
                f"estimated cross-modal MRR in a gallery of {band.gallery}: {band.low:.2f} to {band.high:.2f} "
                f"(middle {band.middle:.2f}), {band.assumes}"
            )
        return found + list(self.verdict)

    def __str__(self) -> str:
        return "\n".join(self.lines())
