"""Worlds of vectors that real encoders made, read from a folder that the project does not contain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isthmus.embeddings import Embeddings

Sides = tuple[dict[str, Embeddings], dict[str, Embeddings]]
MINICLIP_ROWS = 800
CIFAR_CLASSES_SHARE = 0.8


@dataclass(frozen=True)
class RealWorld:
    """Two sides to connect, a gallery with the true counterparts, and true pairs for an oracle.

    ``metric`` is "r10", the share of queries with a counterpart among the first ten, mean of both directions, or "map",
    the mean average precision of right queries over left items, macro over classes.
    """

    name: str
    sides: Sides
    left: Embeddings
    right: Embeddings
    relevant: np.ndarray
    metric: str
    pairs: tuple[Embeddings, Embeddings] | None = None
    classes: np.ndarray | None = None

    def score(self, cosines: np.ndarray) -> float:
        """The world's metric, in percent, of cosines ``(left, right)``."""
        if self.metric == "r10":
            return 100 * float(np.mean([_within_ten(own, self.relevant) for own in (cosines, cosines.T)]))
        assert self.classes is not None
        precisions = np.array([_average_precision(*pair) for pair in zip(cosines.T, self.relevant.T, strict=True)])
        return 100 * float(np.mean([precisions[self.classes == name].mean() for name in np.unique(self.classes)]))


def _within_ten(cosines: np.ndarray, relevant: np.ndarray) -> float:
    """The share of rows whose own column, the one with the same number, is among the ten largest."""
    own = np.diagonal(cosines)[:, None]
    return float(((cosines >= own).sum(1) <= 10).mean())


def _average_precision(scores: np.ndarray, relevant: np.ndarray) -> float:
    hits = relevant[np.argsort(-scores, kind="stable")]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


def _rows(vectors: np.ndarray, modality: str, space: str, ids: np.ndarray) -> Embeddings:
    return Embeddings.from_array(vectors, modality=modality, space=space, ids=[str(own) for own in ids])


def miniclip(folder: Path, seed: int, overlap: str = "text", texts: int = MINICLIP_ROWS) -> RealWorld:
    """Two image-text models over 1000 pictures and captions; captions or pictures connect, the others are scored."""
    data = np.load(folder / "miniclip.npz")
    scored = {"text": "image", "image": "text"}[overlap]
    order = np.random.default_rng(seed).permutation(1000)
    train, test, draw = order[:MINICLIP_ROWS], order[MINICLIP_ROWS:], np.random.default_rng(100 + seed)
    shared = train[:texts]
    sides = []
    for space in "ab":
        memory = draw.permutation(train)
        sides.append(
            {
                overlap: _rows(data[f"{overlap}_{space}"][shared], overlap, space, shared),
                scored: _rows(data[f"{scored}_{space}"][memory], scored, space, memory),
            }
        )
    (left, right), pairs = (
        [_rows(data[f"{scored}_{space}"][rows], scored, space, rows) for space in "ab"] for rows in (test, train)
    )
    few = "" if texts == MINICLIP_ROWS else f", {texts} texts"
    name = f"miniclip by {'captions' if overlap == 'text' else 'pictures'}{few}"
    return RealWorld(
        name, (sides[0], sides[1]), left, right, np.eye(len(test), dtype=bool), "r10", (pairs[0], pairs[1])
    )


def animals(folder: Path, seed: int, *, scored_names: bool = False, texts: int | None = None) -> RealWorld:
    """Photographs and sounds of animals joined by names, with or without the names that are scored."""
    with np.load(folder / "animals.npz", allow_pickle=False) as data:
        found = {name: data[name] for name in data.files if name != "names"}
    rows = np.arange(len(found["text_1"]))
    rows = rows if scored_names else np.setdiff1d(rows, found["class_row"])
    if seed:
        rows = np.random.default_rng(seed).permutation(rows)[: int(CIFAR_CLASSES_SHARE * len(rows))]
    if texts:
        rows = np.random.default_rng(50 + seed).permutation(rows)[:texts]
    sides = tuple(
        {
            "text": _rows(found[f"text_{number}"][rows], "text", space, rows),
            modality: _rows(found[f"{modality}_memory"], modality, space, np.arange(len(found[f"{modality}_memory"]))),
        }
        for number, space, modality in ((1, "photographs", "image"), (2, "sounds", "audio"))
    )
    cifar = found["image_is_cifar"].astype(bool)
    labels, heard = found["image_label"][cifar], found["audio_label"]
    asked = np.isin(heard, labels)
    images, sounds = found["image_test"][cifar], found["audio_test"][asked]
    few = f", {texts} names" if texts else ""
    return RealWorld(
        f"animals {'with' if scored_names else 'without'} the scored names{few}",
        (sides[0], sides[1]),
        _rows(images, "image", "photographs", np.arange(len(images))),
        _rows(sounds, "audio", "sounds", np.arange(len(sounds))),
        labels[:, None] == heard[asked][None],
        "map",
        classes=heard[asked],
    )


def real_worlds(folder: Path, seed: int) -> Iterator[RealWorld]:
    """Every world, one draw."""
    yield miniclip(folder, seed)
    yield miniclip(folder, seed, "image")
    yield animals(folder, seed)
    yield animals(folder, seed, scored_names=True)
    for texts in (50, 100, 200):
        yield miniclip(folder, seed, texts=texts)
        yield animals(folder, seed, texts=texts)
