"""Codebook health: figures that together show whether modalities share the codes. None of them proves it alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from isthmus.codes.reading.use import (
    Contrast,
    active,
    joint_use,
    joint_use_by_all,
    largest_shares,
    least_use,
    nmi,
    perplexity,
    purity,
    use_shares,
)

LEAST_SHARED, LEAST_CONTRAST, LEAST_SPREAD = 0.5, 1.2, 2.0
"""The report warns below these values of joint use, of overlap (same over different things) and of perplexity."""


@dataclass(frozen=True)
class HealthReport:
    """All health figures; per modality if they differ between modalities. ``purity`` and ``nmi`` need labels.

    ``owned`` is a histogram of the active codes by the largest share that one modality has of their uses, in ten bins
    from 0 to 1.
    """

    size: int
    active: int
    joint_use: float
    joint_use_by_all: float
    use: Mapping[str, float]
    perplexity: Mapping[str, float]
    owned: tuple[int, ...]
    overlap: Mapping[str, Contrast]
    purity: Mapping[str, float]
    nmi: Mapping[str, float]

    @property
    def warnings(self) -> list[str]:
        """What is wrong, most serious first; empty if every figure is fine."""
        found = []
        if self.joint_use < LEAST_SHARED:
            found.append(
                f"THE CODES ARE NOT SHARED: {self.joint_use:.0%} of the active codes are used jointly, the rest by "
                "one modality only: raise matching-weight, keep normalization, or add pair sources"
            )
        for pair, contrast in self.overlap.items():
            if contrast.equal < LEAST_CONTRAST * contrast.different:
                found.append(
                    f"codes of {pair} overlap as much for different things ({contrast.different:.2f}) as for the same "
                    f"thing ({contrast.equal:.2f}): joint use of {self.joint_use:.0%} means nothing here"
                )
        for modality, spread in self.perplexity.items():
            if spread < LEAST_SPREAD:
                found.append(f"{modality} uses only {spread:.1f} codes (perplexity): the codebook has collapsed for it")
        return found

    def lines(self) -> list[str]:
        """The figures, one per line, warnings last."""
        spread = ", ".join(f"{name} {value:.1f}" for name, value in self.perplexity.items())
        use = ", ".join(f"{name} {value:.0%}" for name, value in self.use.items())
        found = [
            f"joint use: {self.joint_use:.0%} of {self.active} active codes of {self.size} "
            f"(by every two modalities: {self.joint_use_by_all:.0%})",
            f"codes used: {use}; perplexity: {spread}",
            f"largest share of one modality, codes by tenths: {' '.join(map(str, self.owned))}",
        ]
        found += [
            f"overlap of code use, {pair}: {contrast.equal:.2f} for the same thing, {contrast.different:.2f} for others"
            for pair, contrast in self.overlap.items()
        ]
        found += [f"{name}: purity {self.purity[name]:.2f}, NMI {self.nmi[name]:.2f}" for name in self.purity]
        return found + [f"WARNING: {warning}" for warning in self.warnings]


def health(
    codes: Mapping[str, Int[np.ndarray, " _"]],
    size: int,
    *,
    overlap: Mapping[str, Contrast] | None = None,
    labels: Mapping[str, Int[np.ndarray, " _"]] | None = None,
) -> HealthReport:
    """The health of ``size`` codes, from the codes of each modality's tokens and, if known, the tokens' labels."""
    shares = use_shares(codes, size)
    used = active(shares)
    tenths, _ = np.histogram(largest_shares(shares)[used], bins=10, range=(0, 1))
    known = labels or {}
    return HealthReport(
        size=size,
        active=int(used.sum()),
        joint_use=joint_use(shares),
        joint_use_by_all=joint_use_by_all(shares),
        use=dict(zip(codes, (shares > least_use(size)).mean(1).tolist(), strict=True)),
        perplexity=dict(zip(codes, perplexity(shares).tolist(), strict=True)),
        owned=tuple(tenths.tolist()),
        overlap=dict(overlap or {}),
        purity={name: purity(codes[name], own) for name, own in known.items()},
        nmi={name: nmi(codes[name], own) for name, own in known.items()},
    )
