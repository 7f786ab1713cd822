"""Localisation in frames: where the source of an audio clip is, and whether it is there at all.

Queries are embedded in bulk like the media of any other task. Frames are divided into parts by `isthmus.localize`, one
at a time, and what was found of each sample is kept in a journal: a killed run continues after the last frame.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float

from isthmus.base.errors import IsthmusError
from isthmus.base.hashing import fingerprint_of
from isthmus.base.progress import OnProgress, Stage, reporting
from isthmus.connectors.connector import Connector
from isthmus.connectors.graph.space_graph import SpaceGraph
from isthmus.evaluate.annotations.data import Sample, Samples
from isthmus.evaluate.annotations.folder import DataFolder
from isthmus.evaluate.coverage import DataCoverage, MediaCount
from isthmus.evaluate.running.figures import Subset, intervals_of
from isthmus.evaluate.running.journal import Journal
from isthmus.evaluate.running.sources import EncoderSource, Found, named_sources, videos_of
from isthmus.evaluate.running.views import SpacePair
from isthmus.localize import (
    DenseLocalizer,
    JointEncoder,
    Localizer,
    Parts,
    ProposalLocalizer,
    load_detector,
    localized,
)
from isthmus.localize.confidence import FEWEST
from isthmus.localize.windows import SCALES, SHAPES, STEP
from isthmus.media.item import stamp_of
from isthmus.metrics import (
    box_mask,
    centre_box,
    ciou,
    consensus,
    detection_scores,
    localization_scores,
    published_detection_scores,
    success_auc,
)
from isthmus.metrics.localization import AUC_STEPS, SUCCESS
from isthmus.spaces.registry import load_space

By = Literal["proposals", "dense"]
MOST_UNRELATED = 100
"""Audio clips of other samples with which the confidence of a sample is calibrated."""
LENIENT = 0.3
"""The cIoU of a success that MUSIC-Duet is usually scored at."""
CENTRE = 0.5
"""Side of the centre box, the trivial baseline, as a share of the frame's."""


@dataclass(frozen=True)
class Localisations:
    """What was found of the samples that have a frame and an audio clip.

    Attributes:
        samples: These samples.
        cious: cIoU of each; NaN of negatives.
        baselines: cIoU of positives by trivial baseline.
        covered: Which have a truth that covers a pixel.
        confidences: How sure it is that the frame shows the source.
        calibrated: Whether confidences are percentiles among unrelated clips; otherwise they are highest cosines.
    """

    samples: list[Sample]
    cious: Float[np.ndarray, " samples"]
    baselines: Mapping[str, Float[np.ndarray, " samples"]]
    covered: Bool[np.ndarray, " samples"]
    confidences: Float[np.ndarray, " samples"]
    calibrated: bool

    @property
    def positive(self) -> Bool[np.ndarray, " samples"]:
        """Which frames show the source."""
        return np.array([own.positive for own in self.samples])


def localisations(
    data: Samples,
    view: SpacePair,
    sounds: Found,
    folder: DataFolder,
    *,
    by: By = "proposals",
    detector: str = "",
    progress: bool | OnProgress = False,
) -> tuple[Localisations, DataCoverage]:
    """Look for every sample's audio clip in its frame.

    Args:
        data: The samples.
        view: The encoder of frames and the projection.
        sounds: The vectors of the clips.
        folder: Where the frames are.
        by: Windows that are embedded one by one, as C-MCR localizes, or the encoder's tokens.
        detector: Object detector that makes the windows, as for `load_detector`; by default several sizes and shapes.
        progress: As for `embed`.

    Raises:
        IsthmusError: Frames come from a set, which has no parts of images, or no sample has both.
    """
    if not isinstance(view.left, EncoderSource):
        raise IsthmusError("localisation embeds parts of frames, which sets do not have: give encoders with --space")
    images = {own.image.id: own.image for own in data.samples}
    named = named_sources("image", list(images.values()), folder, view.left.take)
    paths = {name: Path(path) for name, path in named.items()}
    having = [own for own in data.samples if own.image.id in paths and own.sound.id in sounds.row_of]
    if not having:
        raise IsthmusError(f"{folder}: no sample has a frame and an audio clip: see what --check says")
    queries = _queries(having, view, sounds)
    divider = Divider(view.left, view.joint, by, detector)
    journal = Journal(view.left.work / "localised" / f"{divider.fingerprint(queries.unrelated_rows)}.jsonl")
    unreadable = _compute(having, paths, divider, queries, journal, progress)
    kept = [own for own in having if own.image.id not in unreadable]
    found = _collected(kept, paths, queries, journal, data)
    missing = tuple(name for name in images if name not in paths)
    taken = len(videos_of(list(images.values()), folder))
    found_frames = len(images) - len(missing) - len(unreadable)
    count = MediaCount(len(images), found_frames, missing, unreadable, from_videos=taken)
    coverage = DataCoverage(data.account, {"image": count, "audio": sounds.side}, len(data.samples), len(kept))
    return found, coverage


def localisation_subset(found: Localisations, name: str) -> Subset:
    """cIoU as a success rate and AUC, of the model and of trivial baselines: the centre box and the whole frame."""
    figures: dict[str, float] = {}
    for way, cious in {"": found.cious, **found.baselines}.items():
        start = f"{way}." if way else ""
        scores = localization_scores(cious, found.covered)
        figures |= {f"{start}ciou": scores.success, f"{start}auc": scores.auc, f"{start}mean_ciou": scores.mean_ciou}
        figures[f"{start}ciou30"] = float((cious >= LENIENT).mean())
    steps = np.arange(AUC_STEPS + 1) / AUC_STEPS
    reached = (found.cious[:, None] >= steps).astype(np.float64)
    areas = (reached[:, :-1] + reached[:, 1:]).sum(1) / (2 * AUC_STEPS)
    assert np.isclose(areas.mean(), success_auc(found.cious))
    each = {
        "ciou": (found.cious >= SUCCESS).astype(np.float64),
        "ciou30": (found.cious >= LENIENT).astype(np.float64),
        "auc": areas,
        "mean_ciou": found.cious,
    }
    facts = {"items": len(found.cious), "without_truth": int((~found.covered).sum())}
    return Subset(name, figures, intervals_of(each), facts)


def counterfactual_subset(found: Localisations, name: str, *, public: bool = False) -> Subset:
    """AP, max-F1 and LocAcc; ``public`` follows the benchmark's own code, which takes some of the thresholds only."""
    score = published_detection_scores if public else detection_scores
    scores = score(found.confidences, found.cious, found.positive)
    figures = {"ap": scores.ap, "max_f1": scores.max_f1, "loc_acc": scores.loc_acc}
    right = (found.cious[found.positive] >= SUCCESS).astype(np.float64)
    facts = {
        "positives": scores.positives,
        "negatives": scores.negatives,
        "confidence": "percentile among unrelated clips" if found.calibrated else "highest cosine",
    }
    return Subset(name, figures, intervals_of({"loc_acc": right}), facts)


@dataclass(frozen=True)
class Divider:
    """Divides frames into parts: with which encoder, and how."""

    source: EncoderSource
    joint: Connector | SpaceGraph | None
    by: By
    detector: str

    def load(self) -> Callable[[Path], Parts]:
        """Load the encoder and the detector; the result divides one frame."""
        options = self.source.options
        space = load_space(self.source.spec, device=options.device, precision=options.precision)
        encoder = JointEncoder((space,), self.joint)
        localizer: Localizer = DenseLocalizer(encoder)
        if self.by == "proposals":
            found = load_detector(self.detector, device=options.device) if self.detector else None
            localizer = ProposalLocalizer(encoder, found)
        return lambda path: localizer.parts([str(path)])[0]

    def fingerprint(self, unrelated: Float[np.ndarray, "queries dim"]) -> str:
        """Changes with everything that changes results, besides frames and clips."""
        joint = "" if self.joint is None else self.joint.space
        windows = [list(SCALES), list(SHAPES), STEP, version("isthmus")]
        how = [self.by, self.detector, self.source.options.precision, *windows]
        return fingerprint_of(self.source.space, self.source.revision, joint, *map(str, how), unrelated.tobytes().hex())


@dataclass(frozen=True)
class _Queries:
    """The clips in the joint space, by id, and a fixed choice of them as unrelated queries."""

    rows: Mapping[str, Float[np.ndarray, " dim"]]
    unrelated: tuple[str, ...]

    @property
    def unrelated_rows(self) -> Float[np.ndarray, "queries dim"]:
        """Their rows."""
        return np.stack([self.rows[own] for own in self.unrelated])

    def others(self, sample: Sample) -> Float[np.ndarray, "queries dim"] | None:
        """Unrelated queries of a sample: neither its clip nor that of its frame; None if there are too few."""
        names = [own for own in self.unrelated if own not in (sample.sound.id, sample.image.id)]
        return np.stack([self.rows[own] for own in names]) if len(names) >= FEWEST else None


def _queries(having: Sequence[Sample], view: SpacePair, sounds: Found) -> _Queries:
    names = list(dict.fromkeys(own.sound.id for own in having))
    rows, _ = view.rows(sounds, names)
    some = np.unique(np.linspace(0, len(names) - 1, min(len(names), MOST_UNRELATED)).astype(int))
    return _Queries(dict(zip(names, rows, strict=True)), tuple(names[own] for own in some))


def _key(sample: Sample, paths: Mapping[str, Path], queries: _Queries) -> str:
    """What a sample's result depends on: both ids, the file of the frame and the vector of the clip."""
    row = fingerprint_of(queries.rows[sample.sound.id].tobytes().hex())
    return f"{sample.image.id} {stamp_of(paths[sample.image.id])} {sample.sound.id} {row}"


def _compute(
    having: Sequence[Sample],
    paths: Mapping[str, Path],
    divider: Divider,
    queries: _Queries,
    journal: Journal,
    progress: bool | OnProgress,
) -> dict[str, str]:
    """Localize what the journal lacks, frame by frame; returns why frames could not be read, by id."""
    lacking = [own for own in having if _key(own, paths, queries) not in journal.known]
    by_frame: dict[str, list[Sample]] = {}
    for own in lacking:
        by_frame.setdefault(own.image.id, []).append(own)
    unreadable: dict[str, str] = {}
    if not by_frame:
        return unreadable
    divide = divider.load()
    stage = Stage("localising in frames", len(by_frame))
    with reporting(progress) as report, journal.writing() as write:
        for number, (name, samples) in enumerate(by_frame.items(), start=1):
            try:
                parts = divide(paths[name])
            except IsthmusError as error:
                unreadable[name] = str(error)
                continue
            for own in samples:
                write(_key(own, paths, queries), _found(parts, own, queries))
            report(stage.at(number))
    return unreadable


def _found(parts: Parts, sample: Sample, queries: _Queries) -> dict[str, Any]:
    """The predicted mask as runs of pixels, the highest cosine and the confidence."""
    others = queries.others(sample)
    where = localized(parts, queries.rows[sample.sound.id], others)
    return {"score": where.score, "confidence": where.confidence, "mask": _runs(where.mask())}


def _collected(
    kept: Sequence[Sample], paths: Mapping[str, Path], queries: _Queries, journal: Journal, data: Samples
) -> Localisations:
    results = [journal.known[_key(own, paths, queries)] for own in kept]
    truths = [truth_of(own, agreeing=data.agreeing) for own in kept]
    positive = np.array([own.positive for own in kept])
    cious = [ciou(_mask(own["mask"]), truth) for own, truth in zip(results, truths, strict=True)]
    trivial = {"centre_box": box_mask(centre_box(CENTRE)), "whole_frame": box_mask(np.array([[0.0, 0.0, 1.0, 1.0]]))}
    calibrated = all(own["confidence"] is not None for own in results)
    return Localisations(
        samples=list(kept),
        cious=np.where(positive, cious, np.nan),
        baselines={name: np.array([ciou(mask, truth) for truth in truths]) for name, mask in trivial.items()},
        covered=np.array([bool(truth.any()) for truth in truths]),
        confidences=np.array([own["confidence" if calibrated else "score"] for own in results]),
        calibrated=calibrated,
    )


def truth_of(sample: Sample, agreeing: int | None) -> Float[np.ndarray, "height width"]:
    """The weight of each pixel: the consensus of annotators if so many have to agree, else the union of all boxes."""
    masks = np.stack([box_mask(np.array(own).reshape(-1, 4)) for own in sample.boxes or ((),)])
    return np.asarray(masks.any(0).astype(np.float64) if agreeing is None else consensus(masks, agreeing))


def _runs(mask: Bool[np.ndarray, "height width"]) -> list[int]:
    """The lengths of runs of equal pixels, row by row, beginning with False; short enough for a line of text."""
    flat = np.concatenate([[False], mask.ravel(), [not mask.flat[-1]]])
    edges = np.flatnonzero(np.diff(flat))
    return [*mask.shape, *np.diff(np.concatenate([[0], edges])).tolist()]


def _mask(runs: Sequence[int]) -> Bool[np.ndarray, "height width"]:
    """The mask whose runs these are."""
    height, width, *lengths = runs
    values = np.arange(len(lengths)) % 2 == 1
    return np.repeat(values, lengths).reshape(height, width)
