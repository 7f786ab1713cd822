"""Are codes shared? Every figure at once, against the truth of a gallery: sharing, purity, transfer, pointing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float

from isthmus.codes.use import joint_use, joint_use_by_all, nmi, purity, top_codes, use_shares
from isthmus.embeddings.tokens import Tokens
from isthmus.evaluate.pointing import label_queries, pointing
from isthmus.evaluate.token_labels import Labelled
from isthmus.evaluate.transfer import events, taught_head
from isthmus.localize import LEAST_HEAT

TokenCodes = Callable[[Tokens], Float[np.ndarray, "tokens codes"]]
"""Logarithms of the code distributions of tokens, as `CodeModel.token_codes` gives them."""


def code_figures(
    token_codes: TokenCodes,
    taught: Mapping[str, Labelled],
    asked: Mapping[str, Mapping[str, Labelled]],
    *,
    least_heat: float = LEAST_HEAT,
) -> dict[str, float]:
    """Figures from 0 to 1 by name, like ``transfer.image_to_audio.seen``.

    ``taught`` holds one labelled gallery a modality, on whose codes heads are trained and from whose tokens queries
    are made; ``asked`` other galleries of these modalities by name, on which all is measured. ``same_top_code`` counts
    the labels whose most frequent code is the same in every modality, as a share of all labels.
    """
    known = {name: own.labels() for name, own in taught.items()}
    count = 1 + max(int(labels.max()) for labels in known.values())
    heads, queries = {}, {}
    for name, own in taught.items():
        log_codes = token_codes(own.tokens)
        size = log_codes.shape[1]
        heads[name] = taught_head(events(log_codes.argmax(1), known[name], own.tokens.offsets, size))
        queries[name] = label_queries(log_codes, known[name], count)

    found: dict[str, float] = {}
    for gallery, modalities in asked.items():
        log_codes_of = {name: token_codes(own.tokens) for name, own in modalities.items()}
        codes = {name: log_codes.argmax(1) for name, log_codes in log_codes_of.items()}
        labels = {name: own.labels() for name, own in modalities.items()}
        shares = use_shares(codes, size)
        found[f"joint_use.{gallery}"] = joint_use(shares)
        found[f"joint_use_by_all.{gallery}"] = joint_use_by_all(shares)
        tops = np.stack([top_codes(codes[name], labels[name]) for name in codes])
        found[f"same_top_code.{gallery}"] = float((tops == tops[0]).all(0).mean())
        for name, own in modalities.items():
            found[f"purity.{name}.{gallery}"] = purity(codes[name], labels[name])
            found[f"nmi.{name}.{gallery}"] = nmi(codes[name], labels[name])
            test = events(codes[name], labels[name], own.tokens.offsets, size)
            for teacher, head in heads.items():
                found[f"transfer.{teacher}_to_{name}.{gallery}"] = float(head.score(test.uses, test.labels))
                if teacher != name and name != "text":
                    pointed = pointing(log_codes_of[name], own.tokens, own.regions, queries[teacher], least_heat)
                    found[f"pointing.{teacher}_to_{name}.{gallery}"] = pointed.hits
                    found[f"iou.{teacher}_to_{name}.{gallery}"] = pointed.iou
    return found
