"""Are codes shared? Every figure at once, against the truth of a gallery: sharing, purity, transfer, pointing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from isthmus.codes.reading.use import joint_use, joint_use_by_all, nmi, purity, top_codes, use_shares
from isthmus.embeddings.tokens import Tokens
from isthmus.evaluate.pointing import label_queries, pointing
from isthmus.evaluate.token_labels import NOTHING, Labelled
from isthmus.evaluate.transfer import events, taught_head

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

TokenCodes = Callable[[Tokens], Float[np.ndarray, "tokens codes"]]
"""Logarithms of the code distributions of tokens, as `CodeModel.token_codes` gives them."""


@dataclass(frozen=True)
class Taught:
    """What one modality's labelled tokens teach: a classifier over uses of codes, and a query for each label."""

    head: LogisticRegression
    queries: Float[np.ndarray, "labels codes"]


def code_figures(
    token_codes: TokenCodes, taught: Mapping[str, Labelled], asked: Mapping[str, Mapping[str, Labelled]]
) -> dict[str, float]:
    """Figures from 0 to 1 by name, like ``transfer.image_to_audio.seen``.

    ``taught`` holds one labelled gallery a modality, on whose codes heads are trained and from whose tokens queries
    are made; ``asked`` other galleries of these modalities by name, on which all is measured. ``same_top_code`` counts
    the labels whose most frequent code is the same in every modality, as a share of those that every modality shows.
    """
    known = {name: own.labels() for name, own in taught.items()}
    count = 1 + max(int(labels.max()) for labels in known.values())
    lessons = {}
    for name, own in taught.items():
        log_codes = token_codes(own.tokens)
        head = taught_head(events(log_codes.argmax(1), known[name], own.tokens.offsets, log_codes.shape[1]))
        lessons[name] = Taught(head, label_queries(log_codes, known[name], count))
    found: dict[str, float] = {}
    for gallery, modalities in asked.items():
        log_codes_of = {name: token_codes(own.tokens) for name, own in modalities.items()}
        found |= {f"{figure}.{gallery}": value for figure, value in _sharing(log_codes_of, modalities).items()}
        for name, own in modalities.items():
            measured = _across(lessons, name, own, log_codes_of[name])
            found |= {f"{figure}.{gallery}": value for figure, value in measured.items()}
    return found


def _sharing(log_codes_of: Mapping[str, np.ndarray], modalities: Mapping[str, Labelled]) -> dict[str, float]:
    """How well one gallery's modalities share codes, and how pure each modality's are."""
    codes = {name: log_codes.argmax(1) for name, log_codes in log_codes_of.items()}
    labels = {name: own.labels() for name, own in modalities.items()}
    shares = use_shares(codes, next(iter(log_codes_of.values())).shape[1])
    shown = set.intersection(*(set(own.tolist()) for own in labels.values())) - {NOTHING}
    tops = [top_codes(codes[name], labels[name]) for name in codes]
    same = [len({int(own[label]) for own in tops}) == 1 for label in shown]
    found = {
        "joint_use": joint_use(shares),
        "joint_use_by_all": joint_use_by_all(shares),
        "same_top_code": float(np.mean(same)),
    }
    for name, own in codes.items():
        found |= {f"purity.{name}": purity(own, labels[name]), f"nmi.{name}": nmi(own, labels[name])}
    return found


def _across(lessons: Mapping[str, Taught], name: str, own: Labelled, log_codes: np.ndarray) -> dict[str, float]:
    """What each teacher's head and queries make of one modality's items."""
    test = events(log_codes.argmax(1), own.labels(), own.tokens.offsets, log_codes.shape[1])
    found = {}
    for teacher, lesson in lessons.items():
        found[f"transfer.{teacher}_to_{name}"] = float(lesson.head.score(test.uses, test.labels))
        if teacher != name and name != "text":
            pointed = pointing(log_codes, own.tokens, own.regions, lesson.queries)
            found |= {f"pointing.{teacher}_to_{name}": pointed.hits, f"iou.{teacher}_to_{name}": pointed.iou}
    return found
