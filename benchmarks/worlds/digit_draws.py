"""Worlds of handwriting and speech joined by the words of digit strings, in spaces of our own training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from isthmus.embeddings import Embeddings
from worlds.digit_spaces import real_recordings, space_vectors
from worlds.real_world import RealWorld

KINDS = {"as in the package": "image", "other towers": "image, other towers", "one of low rank": "image, low rank"}
TEXTS, MEMORY, GALLERY = 2000, 1500, 200
Vectors = dict[str, np.ndarray]


def digits(
    folder: Path, cache: Path, seed: int, kind: str = "as in the package", texts: int = TEXTS, *, unseen: bool = False
) -> RealWorld:
    """Images and audio clips of digit strings; texts, memories and gallery are drawn from the vectors of two spaces.

    ``kind`` is one of `KINDS`; ``unseen`` takes the gallery's audio from a speaker who is in neither training nor
    memory. ``folder`` has the recordings, ``cache`` keeps the spaces' vectors.
    """
    source = real_recordings(folder)
    image, audio = (space_vectors(space, source, cache) for space in (KINDS[kind], "audio"))
    return drawn(kind, image, audio, seed, texts, unseen=unseen)


def drawn(
    kind: str, image: Vectors, audio: Vectors, seed: int, texts: int = TEXTS, *, unseen: bool = False
) -> RealWorld:
    """One draw of the world of an image and an audio space."""
    draw = np.random.default_rng(seed)
    text_rows = draw.permutation(len(image["texts"]))[:texts]
    gallery = draw.permutation(len(image["test"]))[:GALLERY]

    def rows(vectors: np.ndarray, modality: str, space: str, ids: np.ndarray) -> Embeddings:
        return Embeddings.from_array(vectors, modality=modality, space=space, ids=[str(own) for own in ids])

    sides, pairs, found = [], [], []
    for modality, own, role in (("image", image, "test"), ("audio", audio, "unseen" if unseen else "test")):
        memory = draw.permutation(len(own["memory"]))[:MEMORY]
        sides.append(
            {
                "text": rows(own["texts"][text_rows], "text", f"digits-{modality}", text_rows),
                modality: rows(own["memory"][memory], modality, f"digits-{modality}", memory),
            }
        )
        pairs.append(rows(own["pairs"], modality, f"digits-{modality}", np.arange(len(own["pairs"]))))
        found.append(rows(own[role][gallery], modality, f"digits-{modality}", gallery))
    few = f", {texts} texts" if texts != TEXTS else ""
    return RealWorld(
        f"digits, {kind}{few}{', new voice' if unseen else ''}",
        "digits",
        (sides[0], sides[1]),
        found[0],
        found[1],
        np.eye(len(gallery), dtype=bool),
        "r1",
        (pairs[0], pairs[1]),
        change="new voice" if unseen else "few texts" if few else "",
    )


def digit_worlds(folder: Path, cache: Path, seed: int) -> Iterator[RealWorld]:
    """The three kinds, a new voice, and few texts."""
    for kind in KINDS:
        yield digits(folder, cache, seed, kind)
    yield digits(folder, cache, seed, unseen=True)
    for texts in (50, 200, 800):
        yield digits(folder, cache, seed, texts=texts)
