"""Figures of codes against the truth of labelled galleries: sharing, purity, transfer, pointing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from isthmus.codes.reading.use import best_f1, joint_use, joint_use_by_all, nmi, purity, top_codes, use_shares
from isthmus.embeddings.tokens import Tokens
from isthmus.evaluate.pointing import label_queries, part_queries, pointing
from isthmus.evaluate.token_labels import NOTHING, LabelledTokens
from isthmus.evaluate.transfer import events, fit_head

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

NAMED_F1 = 0.8
"""A code names a label if it finds the label's tokens with this F1 or a higher one (papers B, code analysis)."""
TokenCodes = Callable[[Tokens], Float[np.ndarray, "tokens codes"]]
"""Log code distributions of tokens, as `CodeModel.token_codes` gives them."""


@dataclass(frozen=True)
class TransferSource:
    """What is learned from one modality's labelled tokens: a classifier of code use, and queries for each label.

    ``queries`` are made of all of a label's tokens, ``single`` of one part of one item.
    """

    head: LogisticRegression
    queries: Float[np.ndarray, "labels codes"]
    single: Float[np.ndarray, "labels codes"]


def code_figures(
    token_codes: TokenCodes,
    training: Mapping[str, LabelledTokens],
    galleries: Mapping[str, Mapping[str, LabelledTokens]],
) -> dict[str, float]:
    """Figures in [0, 1] by name, like ``transfer.image_to_audio.seen``.

    ``training`` maps modality to the labelled tokens that classifiers and queries are made of; ``galleries`` maps a
    gallery's name to the labelled tokens of each modality that figures are measured on. ``same_top_code`` is the share
    of labels whose most frequent code is the same in every modality, among the labels that every modality shows;
    ``named.audio`` the share of labels that one code finds in audio with an F1 of at least 0.8. ``pointing_by_part``
    is ``pointing`` by queries that are made of a single part of one item.
    """
    labels = {name: own.labels() for name, own in training.items()}
    every = [training, *galleries.values()]
    count = 1 + max(
        int(truth.labels.max(initial=NOTHING)) for split in every for own in split.values() for truth in own.regions
    )
    sources = {}
    for name, own in training.items():
        log_codes = token_codes(own.tokens)
        head = fit_head(events(log_codes.argmax(1), own, log_codes.shape[1]))
        sources[name] = TransferSource(
            head, label_queries(log_codes, labels[name], count), part_queries(log_codes, own, count)
        )
    figures: dict[str, float] = {}
    for gallery, modalities in galleries.items():
        log_codes_of = {name: token_codes(own.tokens) for name, own in modalities.items()}
        measured = _sharing(log_codes_of, modalities)
        for name, own in modalities.items():
            measured |= _transfer(sources, name, own, log_codes_of[name])
        figures |= {f"{figure}.{gallery}": value for figure, value in measured.items()}
    return figures


def _sharing(log_codes_of: Mapping[str, np.ndarray], modalities: Mapping[str, LabelledTokens]) -> dict[str, float]:
    """How far a gallery's modalities share codes, and how pure the codes are in each."""
    codes = {name: log_codes.argmax(1) for name, log_codes in log_codes_of.items()}
    labels = {name: own.labels() for name, own in modalities.items()}
    shares = use_shares(codes, next(iter(log_codes_of.values())).shape[1])
    shown = set.intersection(*(set(own.tolist()) for own in labels.values())) - {NOTHING}
    tops = [top_codes(codes[name], labels[name]) for name in codes]
    same = [len({int(own[label]) for own in tops}) == 1 for label in shown]
    figures = {
        "joint_use": joint_use(shares),
        "joint_use_by_all": joint_use_by_all(shares),
        "same_top_code": float(np.mean(same)),
    }
    for name, own in codes.items():
        figures |= {f"purity.{name}": purity(own, labels[name]), f"nmi.{name}": nmi(own, labels[name])}
        best = best_f1(own, labels[name])
        figures[f"named.{name}"] = float((best[np.isfinite(best)] >= NAMED_F1).mean())
    return figures


def _transfer(
    sources: Mapping[str, TransferSource], name: str, own: LabelledTokens, log_codes: np.ndarray
) -> dict[str, float]:
    """Accuracy of every source's classifier, and pointing of its queries, on one modality's items."""
    test = events(log_codes.argmax(1), own, log_codes.shape[1])
    figures = {}
    for source, learned in sources.items():
        figures[f"transfer.{source}_to_{name}"] = float(learned.head.score(test.uses, test.labels))
        if source != name and name != "text":
            way = f"{source}_to_{name}"
            pointed = pointing(log_codes, own.tokens, own.regions, learned.queries)
            figures |= {f"pointing.{way}": pointed.hits, f"iou.{way}": pointed.iou}
            figures[f"pointing_by_part.{way}"] = pointing(log_codes, own.tokens, own.regions, learned.single).hits
    return figures
