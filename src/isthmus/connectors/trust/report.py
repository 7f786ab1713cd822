"""The connector report: figures that need no pairs, as plain data and as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

CLEARLY, PERHAPS = 5, 2
"""Standard errors above chance at which the MRR of held-out rows is clearly better, and perhaps better."""
FEW_HELD_OUT = 40
"""With fewer held-out rows all figures are rough."""


@dataclass(frozen=True)
class Coverage:
    """How well a memory covers the overlap, in one space, after matched centring.

    Args:
        modality: The memory's modality.
        rows: Number of items in the memory.
        top_cosine: Median over texts of the cosine to the nearest item.
        effective_neighbours: Median over texts of 1/Σw², for the weights w of the softmax over the memory (τ = 0.01).
    """

    modality: str
    rows: int
    top_cosine: float
    effective_neighbours: float


@dataclass(frozen=True)
class Gap:
    """Euclidean distance between the means of two modalities, before and after projection into the joint space.

    Args:
        modalities: The two modalities.
        before: Their distance in the space that has both; None if no space has both.
        after: Their distance in the joint space.
        space: Name of the space that has both; None if there is none, or for reports of version 0.1.
    """

    modalities: tuple[str, str]
    before: float | None
    after: float
    space: str | None = None


@dataclass(frozen=True)
class Band:
    """An estimate of the MRR of cross-modal retrieval, all figures in [0, 1].

    Args:
        assumes: The condition under which the estimate holds.
        low: Lower end; the band contained the true MRR in nine of ten worlds left out of its calibration.
        middle: The MRR in the middle of the estimate.
        high: Upper end.
        gallery: Size of the gallery for which the MRR is stated.
    """

    assumes: str
    low: float
    middle: float
    high: float
    gallery: int


@dataclass(frozen=True)
class ConnectorReport:
    """Figures from held-out overlap rows and from the memories, without pairs of the other modalities.

    ``print(connector.report)`` shows it as text, the verdict last.

    Args:
        held_out: Number of overlap rows that were not used for fitting.
        overlap_mrr: MRR, in [0, 1], of a held-out row's counterpart among all held-out rows in the joint space, mean of
            both directions.
        overlap_r1: R@1 of the same, in [0, 1].
        chance_mrr: The MRR of random vectors.
        gaps: The modality gaps of each space, and between the two memories.
        coverage: How well each memory covers the overlap.
        hubness: Skewness of how often a memory item is among the ten nearest of the other memory's items; None without
            a memory on both sides.
        criteria: The figures by which ``auto`` ranks methods, in [0, 1]; empty without a memory on both sides.
        bands: Estimates of cross-modal retrieval; empty if a memory is missing or too small.
        verdict: What the figures mean and what to do, one sentence each.
        overlap: The modality of the overlap.
        no_estimate: Why there is no band, which the verdict does not repeat.

    Example:
        >>> import isthmus, numpy as np
        >>> draw = np.random.default_rng(0)
        >>> shared = draw.standard_normal((100, 8))
        >>> kind = {"modality": "text", "ids": range(100)}
        >>> left = {"text": isthmus.Embeddings.from_array(shared, space="clip", **kind)}
        >>> right = {"text": isthmus.Embeddings.from_array(-shared, space="clap", **kind)}
        >>> import warnings
        >>> with warnings.catch_warnings(action="ignore"):  # neither side has a memory
        ...     report = isthmus.connect(left, right, method="procrustes").report
        >>> print(report.lines()[0])
        held-out text (20 rows): R@1 100 %, MRR 1.00 (chance 0.18)
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
    overlap: str = "overlap"
    no_estimate: str = ""

    @property
    def beats_chance(self) -> bool:
        """Whether the MRR of held-out rows exceeds that of a random order by five standard errors."""
        return self.overlap_mrr > self._chance_plus(CLEARLY)

    @property
    def too_few_to_tell(self) -> bool:
        """Whether so few rows were held out that a good order looks like a random one.

        Either not even a perfect order would be clearly better than a random one, or this order is perhaps better.
        """
        if self.beats_chance or self.held_out >= FEW_HELD_OUT:
            return False
        return self._chance_plus(CLEARLY) >= 1 or self.overlap_mrr > self._chance_plus(PERHAPS)

    def _chance_plus(self, errors: int) -> float:
        """The MRR of a random order plus some standard errors."""
        rows = max(1, self.held_out)
        spread = math.sqrt(max(0.0, sum(1 / rank**2 for rank in range(1, rows + 1)) / rows - self.chance_mrr**2))
        return self.chance_mrr + errors * spread / math.sqrt(rows)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ConnectorReport:
        """The inverse of `as_dict`; reads reports of version 0.1 too."""
        gaps = [{**gap, "modalities": tuple(gap["modalities"])} for gap in data["gaps"]]
        nested = {
            "gaps": tuple(Gap(**_measured(Gap, gap)) for gap in gaps),
            "coverage": tuple(Coverage(**_measured(Coverage, entry)) for entry in data["coverage"]),
            "bands": tuple(Band(**_measured(Band, band)) for band in data["bands"]),
            "criteria": {name: math.nan if value is None else value for name, value in data["criteria"].items()},
            "verdict": tuple(data["verdict"]),
        }
        return cls(**{**_measured(cls, data), **nested})

    def lines(self) -> list[str]:
        """The report as text, one fact a line, the verdict last."""
        found = [
            f"held-out {self.overlap} ({self.held_out} rows): R@1 {100 * self.overlap_r1:.0f} %, "
            f"MRR {self.overlap_mrr:.2f} (chance {self.chance_mrr:.2f})"
        ]
        for gap in self.gaps:
            before = "" if gap.before is None else f"{gap.before:.2f} in {gap.space or 'its space'}, "
            found.append(f"gap {'-'.join(gap.modalities)}: {before}{gap.after:.2f} in the joint space")
        found += [
            f"{entry.modality} memory ({entry.rows} items): median cosine to the nearest item {entry.top_cosine:.2f}, "
            f"{entry.effective_neighbours:.1f} effective neighbours"
            for entry in self.coverage
        ]
        if self.hubness is not None:
            found.append(f"hubness (skewness of top-10 counts): {self.hubness:.1f}")
        found += [
            f"estimated cross-modal MRR in a gallery of {band.gallery}: {band.low:.2f} to {band.high:.2f} "
            f"(middle {band.middle:.2f}), {band.assumes}"
            for band in self.bands
        ]
        if self.no_estimate:
            found.append(f"no estimate: {self.no_estimate}")
        return found + list(self.verdict)

    def __str__(self) -> str:
        return "\n".join(self.lines())


def _measured(kind: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a dataclass, with NaN for figures that are null: JSON has no NaN."""
    figures = {field.name for field in fields(kind) if field.type == "float"}
    return {name: math.nan if value is None and name in figures else value for name, value in data.items()}
