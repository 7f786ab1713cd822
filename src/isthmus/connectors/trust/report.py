"""The connector report: figures that need no pairs, as plain data, as a screen of text and as a page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from isthmus.base.paths import user_path
from isthmus.connectors.trust.figures import (
    Band,
    Coverage,
    FoundItems,
    GalleryEstimate,
    Gap,
    Half,
    ReportFigures,
    ShownItem,
    WorstText,
)
from isthmus.connectors.trust.page import report_page
from isthmus.connectors.trust.printed import printed
from isthmus.connectors.trust.shown import all_rows, media_of
from isthmus.connectors.trust.verdict import verdict
from isthmus.embeddings import Embeddings
from isthmus.report import write_page


@dataclass(frozen=True)
class ConnectorReport(ReportFigures):
    """Figures from held-out overlap rows and from the memories, without pairs of the other modalities.

    ``print(connector.report)`` shows it as a screen of text, the verdict first; `save` writes it as a page.

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
        criteria: Figures in [0, 1] from which the bands follow; empty without a memory on both sides.
        bands: Estimates of cross-modal retrieval; empty if a memory is missing or too small.
        verdict: What to expect, then what to do next, one sentence or two each.
        overlap: The modality of the overlap.
        no_estimate: Why there is no band.
        spaces: Names of the left and the right space; empty in reports of version 0.1.
        rows: Number of overlap rows on both sides.
        dims: Dimensions of the two spaces.
        half: What half of the overlap rows achieve; None if there are too few or it would take long.
        examples: Some items of the left memory with the nearest items of the right one.
        given: The estimate for the user's own queries and gallery; None if none were given.
        media: Files of the items shown, by space, modality and id, as far as they are on this machine; not saved.

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
        >>> print(report.lines()[-1])
        held-out text (20 rows): R@1 100 %, MRR 1.00 (chance 0.18)
    """

    def judged_on(self, given: GalleryEstimate) -> ConnectorReport:
        """The same figures with the estimate for the user's own queries and gallery, and the verdict by it."""
        found = replace(self, given=given)
        return replace(found, verdict=verdict(found))

    def lines(self) -> list[str]:
        """The report as at most a screen of text: verdict and next steps, then figures and worst-covered texts."""
        return printed(self)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def save(self, path: str | Path, *sets: Mapping[str, Embeddings]) -> Path:
        """Write the report as one HTML page that opens offline; returns its path.

        Images and players are shown where the files are on this machine: after `connect`, those of its embeddings.

        Args:
            path: The file.
            *sets: Embeddings by modality, as `open_set` returns them, where a loaded report finds its items' files.

        Raises:
            IsthmusError: The file cannot be written.

        Example:
            >>> import isthmus, numpy as np, tempfile
            >>> draw = np.random.default_rng(0)
            >>> meaning = draw.standard_normal((60, 4))
            >>> def rows(modality, space):
            ...     vectors = meaning @ draw.standard_normal((4, 8))
            ...     return isthmus.Embeddings.from_array(vectors, modality=modality, space=space, ids=range(60))
            >>> clip = {"text": rows("text", "clip"), "image": rows("image", "clip")}
            >>> clap = {"text": rows("text", "clap"), "audio": rows("audio", "clap")}
            >>> report = isthmus.connect(clip, clap, method="procrustes").report
            >>> report.save(tempfile.mkdtemp() + "/report.html").name
            'report.html'
        """
        shown = replace(self, media={**self.media, **media_of(self, all_rows(sets))}) if sets else self
        return write_page(report_page(shown), user_path(path))

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON; without the places of media."""
        found = asdict(self)
        del found["media"]
        return found

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ConnectorReport:
        """The inverse of `as_dict`; reads reports of version 0.1 too."""
        given = data.get("given")
        half = data.get("half")
        nested = {
            "gaps": tuple(
                Gap(**{**_measured(Gap, own), "modalities": tuple(own["modalities"])}) for own in data["gaps"]
            ),
            "coverage": tuple(_coverage(entry) for entry in data["coverage"]),
            "bands": tuple(Band(**_measured(Band, band)) for band in data["bands"]),
            "criteria": {name: math.nan if value is None else value for name, value in data["criteria"].items()},
            "examples": tuple(map(_found, data.get("examples", ()))),
            "half": None if half is None else Half(**_measured(Half, half)),
            "given": None if given is None else _given(given),
        }
        nested |= {name: tuple(data.get(name, ())) for name in ("verdict", "spaces", "dims")}
        return cls(**{**_measured(cls, data), **nested})


def _coverage(data: Mapping[str, Any]) -> Coverage:
    nested = {"cycles": tuple(data.get("cycles", ())), "worst": tuple(map(_worst, data.get("worst", ())))}
    return Coverage(**{**_measured(Coverage, data), **nested})


def _worst(data: Mapping[str, Any]) -> WorstText:
    items = {name: ShownItem(**data[name]) for name in ("text", "item", "leads_to")}
    return WorstText(**{**_measured(WorstText, data), **items})


def _found(data: Mapping[str, Any]) -> FoundItems:
    hits = tuple(ShownItem(**own) for own in data["hits"])
    return FoundItems(ShownItem(**data["query"]), hits, tuple(data["scores"]))


def _given(data: Mapping[str, Any]) -> GalleryEstimate:
    band = data["band"]
    return GalleryEstimate(**{**data, "band": None if band is None else Band(**_measured(Band, band))})


def _measured(kind: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a dataclass, with NaN for figures that are null: JSON has no NaN."""
    figures = {field.name for field in fields(kind) if field.type == "float"}
    return {name: math.nan if value is None and name in figures else value for name, value in data.items()}
