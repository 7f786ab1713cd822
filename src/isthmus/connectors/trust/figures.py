"""The figures of a report, as plain data: what was measured without pairs, and the items it shows by id."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

CLEARLY, PERHAPS = 5, 2
"""Standard errors above chance at which the MRR of held-out rows is clearly better, and perhaps better."""
FEW_HELD_OUT = 40
"""With fewer held-out rows all figures are rough."""


@dataclass(frozen=True)
class ShownItem:
    """An item that the report shows: its id and, if it is a text with another id, the text."""

    id: str
    text: str = ""

    def __str__(self) -> str:
        return self.text or self.id


@dataclass(frozen=True)
class WorstText:
    """An overlap row that a memory covers badly, and what it retrieves instead.

    Args:
        text: The overlap row.
        cycle: Its cycle score, in [0, 1].
        item: The item of the memory that is nearest to it.
        cosine: The cosine to that item.
        leads_to: The overlap row that is nearest to that item.
    """

    text: ShownItem
    cycle: float
    item: ShownItem
    cosine: float
    leads_to: ShownItem


@dataclass(frozen=True)
class Coverage:
    """How well a memory covers the overlap, in one space, after matched centring.

    Args:
        modality: The memory's modality.
        rows: Number of items in the memory.
        top_cosine: Median over texts of the cosine to the nearest item.
        effective_neighbours: Median over texts of 1/Σw², for the weights w of the softmax over the memory (τ = 0.01).
        space: Name of the space; None in reports of version 0.1.
        cycle: Median over texts of the cycle score; NaN in reports of version 0.1.
        cycles: Number of texts by cycle score, in twenty equal parts of [0, 1].
        worst: The texts with the lowest cycle scores, worst first.
    """

    modality: str
    rows: int
    top_cosine: float
    effective_neighbours: float
    space: str | None = None
    cycle: float = math.nan
    cycles: tuple[int, ...] = ()
    worst: tuple[WorstText, ...] = ()

    @property
    def name(self) -> str:
        """Space and modality, such as "clap audio"."""
        return f"{self.space} {self.modality}" if self.space else self.modality

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities of a side's memories, of which `modality` is the list in words."""
        return tuple(self.modality.split(" and "))

    @property
    def covered(self) -> float:
        """Mean cycle score, from the counts: 1 if every text's pseudo counterpart leads back to it; NaN if unknown."""
        parts = len(self.cycles)
        total = sum(self.cycles)
        return sum(n * (place + 0.5) / parts for place, n in enumerate(self.cycles)) / total if total else math.nan

    @property
    def lacking(self) -> float | None:
        """The share of texts with a cycle score below one half; None if unknown."""
        return sum(self.cycles[: len(self.cycles) // 2]) / sum(self.cycles) if sum(self.cycles) else None


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
        low: Lower end.
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
class GalleryEstimate:
    """The estimate for the user's own queries and gallery.

    Args:
        queries: Name of the queries, such as "clap audio".
        gallery: Name of the gallery.
        count: Number of queries.
        band: The estimate; None if there is none.
        reason: Why there is none.
    """

    queries: str
    gallery: str
    count: int
    band: Band | None
    reason: str = ""


@dataclass(frozen=True)
class FoundItems:
    """An item of one memory, and the nearest items of the other, best first, with their cosines in the joint space."""

    query: ShownItem
    hits: tuple[ShownItem, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True)
class Half:
    """What half of the fitted overlap rows achieve, with one closed form on overlap pairs alone.

    Args:
        rows: Number of fitted rows of which half were taken (at most 20 000).
        mrr: MRR of the held-out rows with all of those.
        half_mrr: MRR of the held-out rows with half of them.
        error: Standard error of the difference.
    """

    rows: int
    mrr: float
    half_mrr: float
    error: float

    @property
    def still_rises(self) -> bool:
        """Whether the second half of the rows helped by more than two standard errors."""
        return self.mrr - self.half_mrr > 2 * self.error


@dataclass(frozen=True)
class ReportFigures:
    """The fields of a `ConnectorReport`, which documents them."""

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
    spaces: tuple[str, ...] = ()
    rows: int = 0
    dims: tuple[int, ...] = ()
    half: Half | None = None
    examples: tuple[FoundItems, ...] = ()
    given: GalleryEstimate | None = None
    media: Mapping[tuple[str, str, str], str] = field(default_factory=dict, repr=False, compare=False)

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

    @property
    def at_chance(self) -> bool:
        """Whether the MRR of held-out rows is within two standard errors of that of a random order."""
        return self.overlap_mrr <= self._chance_plus(PERHAPS)

    @property
    def main_band(self) -> Band | None:
        """The band that the verdict follows from: that of the given gallery, or the first one."""
        if self.given is not None:
            return self.given.band
        return self.bands[0] if self.bands else None

    def _chance_plus(self, errors: int) -> float:
        """The MRR of a random order plus some standard errors."""
        rows = max(1, self.held_out)
        spread = math.sqrt(max(0.0, sum(1 / rank**2 for rank in range(1, rows + 1)) / rows - self.chance_mrr**2))
        return self.chance_mrr + errors * spread / math.sqrt(rows)
