"""The code table: the meaning of each code, from the labels of its tokens (papers B, code analysis)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from isthmus.codes.reading.use import active, contingency, use_shares


@dataclass(frozen=True)
class CodeRow:
    """A code, its label, and how well the two agree in each modality.

    ``use`` is the share of the modality's tokens that have the code, ``precision`` the share of the code's tokens that
    have the label, ``recall`` the share of the label's tokens that have the code. ``label`` is -1 if most of the code's
    tokens have no label.
    """

    code: int
    label: int
    use: Mapping[str, float]
    precision: Mapping[str, float]
    recall: Mapping[str, float]

    def f1(self, modality: str) -> float:
        """Harmonic mean of precision and recall in a modality."""
        precision, recall = self.precision[modality], self.recall[modality]
        return 2 * precision * recall / max(precision + recall, 1e-12)


def code_table(
    codes: Mapping[str, Int[np.ndarray, " _"]], labels: Mapping[str, Int[np.ndarray, " _"]], size: int
) -> list[CodeRow]:
    """A row for each active code, sorted by label, codes without a label last.

    ``labels`` are those of the tokens, -1 for none. A code's label is the one with the highest mean precision over the
    modalities that use the code.
    """
    shares = use_shares(codes, size)
    count = 1 + max(int(own.max(initial=0)) for own in labels.values())
    # "No label" is label 0 here, so that a code for silence has a precision too.
    tables = {name: _filled(contingency(own, labels[name] + 1), (size, count + 1)) for name, own in codes.items()}
    rows = [
        _row(int(code), tables, dict(zip(codes, shares[:, code].tolist(), strict=True)))
        for code in np.flatnonzero(active(shares))
    ]
    return sorted(rows, key=lambda row: (row.label < 0, row.label, -sum(row.precision.values())))


def _row(code: int, tables: Mapping[str, np.ndarray], use: Mapping[str, float]) -> CodeRow:
    precisions = {name: own[code] / max(own[code].sum(), 1) for name, own in tables.items()}
    label = int(np.mean([own for name, own in precisions.items() if use[name] > 0], axis=0).argmax())
    recall = {name: float(own[code, label] / max(own[:, label].sum(), 1)) for name, own in tables.items()}
    precision = {name: float(own[label]) for name, own in precisions.items()}
    return CodeRow(code, label - 1, use, precision, recall)


def _filled(table: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    found = np.zeros(shape, dtype=np.int64)
    found[: table.shape[0], : table.shape[1]] = table
    return found
