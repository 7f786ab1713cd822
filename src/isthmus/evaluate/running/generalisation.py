"""Cross-modal generalisation: a head that learns from the codes of one modality, tested on those of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from isthmus.base.errors import IsthmusError
from isthmus.codes.model.model import CodeModel
from isthmus.embeddings import open_tokens, token_modalities
from isthmus.embeddings.tokens import Tokens
from isthmus.evaluate.annotations.data import Streams
from isthmus.evaluate.coverage import DataCoverage
from isthmus.evaluate.generalisation import HELD_OUT, PUBLIC, Protocol, Segments, event_hits, label_counts
from isthmus.evaluate.running.figures import Subset, intervals_of
from isthmus.evaluate.running.streams import CodedStreams, coded_streams
from isthmus.metrics.segments import SegmentCounts
from isthmus.training.checkpoint import hash_of


@dataclass(frozen=True)
class CodedModel:
    """A code model and the tokens of clips.

    Attributes:
        name: How results call it.
        codes: The model.
        tokens: Tokens by modality.
    """

    name: str
    codes: CodeModel
    tokens: Mapping[str, Tokens]

    @property
    def revision(self) -> str:
        """A fingerprint of the codebook."""
        return hash_of([self.codes.codebook.vectors])[:8]


def open_coded_model(codes: Path, sets: Sequence[Path], name: str | None = None) -> CodedModel:
    """Open a code model and the token sets of clips. Raises `IsthmusError` if two sets have the same modality."""
    found: dict[str, Tokens] = {}
    for folder in sets:
        for modality in token_modalities(folder):
            if modality in found:
                raise IsthmusError(f"{folder}: a set before it has {modality} tokens too: give only one")
            found[modality] = open_tokens(folder, modality)
    return CodedModel(name or codes.name, CodeModel.load(codes), found)


def generalisation_subset(data: Streams, model: CodedModel, *, public: bool = False) -> tuple[Subset, DataCoverage]:
    """The figures of both directions.

    By the usual protocol a head learns from the train clips of one modality, is chosen on its dev clips, and is tested
    on the test clips of the other. Public code scores training clips instead, at the epoch that is best on them; where
    seconds are scored, it takes all clips of both modalities, which are the same clips.
    """
    coded = {name: _coded(data, model, name, data.by_modality[name]) for name in data.by_modality}
    taught = coded if data.taught is None else {
        name: _coded(data, model, name, own) for name, own in data.taught.items()
    }  # fmt: skip
    figures: dict[str, float] = {}
    intervals: dict[str, tuple[float, float]] = {}
    facts = {"clips": {name: len(own.streams) for name, own in coded.items()}}
    one, other = data.by_modality
    for source, target in ((one, other), (other, one)):
        way = f"{source}_to_{target}"
        if data.several:
            own = _second_figures(taught[source], coded[target], public=public)
        else:
            own, hits = _event_figures(taught[source], coded[target], len(data.classes), public=public)
            intervals |= {f"{way}.{name}": value for name, value in intervals_of({"accuracy": hits}).items()}
        figures |= {f"{way}.{name}": value for name, value in own.items()}
    for name in own:
        figures[name] = (figures[f"{one}_to_{other}.{name}"] + figures[f"{other}_to_{one}.{name}"]) / 2
    counts = {name: own.count for name, own in coded.items()}
    expected, found = (sum(getattr(own, part) for own in counts.values()) for part in ("expected", "found"))
    return Subset("default", figures, intervals, facts), DataCoverage(data.account, counts, expected, found)


def _coded(data: Streams, model: CodedModel, modality: str, streams: Sequence[Any]) -> CodedStreams:
    if modality not in model.tokens:
        raise IsthmusError(
            f"no {modality} tokens ({', '.join(model.tokens) or 'no sets'} given): embed the clips with isthmus embed "
            "--tokens, and give the set with --sets"
        )
    return coded_streams(list(streams), model.tokens[modality], model.codes, len(data.classes))


def _event_figures(
    taught: CodedStreams, asked: CodedStreams, classes: int, *, public: bool
) -> tuple[dict[str, float], Float[np.ndarray, " streams"]]:
    protocol: Protocol = PUBLIC if public else HELD_OUT
    hits = event_hits(_splits(taught), _splits(asked), classes, protocol).astype(np.float64)
    return {"accuracy": float(hits.mean())}, hits


def _second_figures(taught: CodedStreams, asked: CodedStreams, *, public: bool) -> dict[str, float]:
    learned, scored = (_of_split(taught, None), _of_split(asked, None)) if public else (
        _of_split(taught, "train"), _of_split(asked, "test"))  # fmt: skip
    counts = label_counts(
        (taught.features[learned], taught.labels[learned]), (asked.features[scored], asked.labels[scored])
    )
    whole = sum(counts, SegmentCounts())
    return {"precision": whole.precision, "recall": whole.recall, "f1": whole.f1}


def _of_split(coded: CodedStreams, split: str | None) -> Int[np.ndarray, " rows"]:
    """The clips of a split, or all. Raises `IsthmusError` if there are none."""
    rows = np.arange(len(coded.streams)) if split is None else coded.of_split(split)
    if not len(rows):
        raise IsthmusError(f"none of the {len(coded.streams)} clips found is of the split {split!r}: embed more clips")
    return rows


def _splits(coded: CodedStreams) -> dict[str, Segments]:
    """Features and labels of each split; a second shows its one class or background."""
    labels = np.where(coded.labels.any(2), coded.labels.argmax(2), -1)
    found = {}
    for split in ("train", "dev", "test"):
        rows = _of_split(coded, split)
        found[split] = Segments(coded.features[rows].astype(np.float32), labels[rows])
    return found
