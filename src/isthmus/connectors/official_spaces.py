"""Which encoders the heads of official checkpoints take: the authors' own, and a warning about any other."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from isthmus.embeddings import Embeddings


@dataclass(frozen=True)
class TrainedOn:
    """The encoder that the authors trained the heads of a space on.

    Attributes:
        checkpoint: The authors' name of its weights.
        spaces: Names of spaces that stand for it: the family alone, or ``family:file``.
        remedy: How to embed with it.
    """

    checkpoint: str
    spaces: tuple[str, ...]
    remedy: str


TRAINED_ON = {
    "clip": TrainedOn(
        "openai/clip-vit-base-patch32", ("clip", "clip:clip-vit-base-patch32"), "embed with --space clip"
    ),
    "clap": TrainedOn(
        "LAION's 630k-fusion-best.pt",
        ("clap:630k-fusion-best", "clap:laion_clap_fullset_fusion"),
        "convert that file to a transformers folder named 630k-fusion-best and embed with --space clap:FOLDER",
    ),
    "ulip": TrainedOn(
        "ULIP's pointbert_ULIP-2.pt",
        ("ulip", "ulip:pointbert_ULIP-2"),
        "embed with --space ulip:pointbert_ULIP-2.pt",
    ),
}
"""From the READMEs of C-MCR and Ex-MCR. transformers has another fused checkpoint: laion/clap-htsat-fused is LAION's
630k-audioset-fusion-best.pt (LAION-AI/CLAP issue 123)."""


def official_space(space: str, spaces: Sequence[str]) -> str:
    """Which space of an official checkpoint vectors of a space belong to; ``space`` itself if it is of another family.

    An official file is of families, ``ulip``, while vectors are of a checkpoint, ``ulip:pointbert_ULIP-2``.

    Example:
        >>> official_space("ulip:pointbert_ULIP-2", ["clip", "ulip"])
        'ulip'
    """
    family = space.partition(":")[0]
    return family if family in spaces and family in TRAINED_ON else space


def warn_of_another(embeddings: Embeddings, file: str) -> None:
    """Warn unless embeddings are of the checkpoint that the authors trained the heads in ``file`` on.

    They are not refused, because the name of a checkpoint does not prove what is in it.
    """
    trained = TRAINED_ON.get(embeddings.space.partition(":")[0])
    if trained is not None and embeddings.space not in trained.spaces:
        warnings.warn(
            f"the {embeddings.modality} vectors are of {embeddings.space!r}, but {file} was trained on those of "
            f"{trained.checkpoint}, and others may be ranked no better than by chance: {trained.remedy}",
            stacklevel=3,
        )
