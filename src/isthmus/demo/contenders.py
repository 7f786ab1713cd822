"""Contenders: everything the demo compares, each under the name it has in ``summary.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from isthmus.connectors.config import (
    AutoConfig,
    CcaConfig,
    CmcrConfig,
    ExmcrConfig,
    MethodConfig,
    ProcrustesConfig,
    RidgeConfig,
)
from isthmus.training.config import OptimisationConfig

Baseline = Literal["raw", "chain", "soft_chain"]
BRIEF = OptimisationConfig(epochs=6, min_steps=120)
"""The ablation's schedule, the same for every variant: a sixth of the full one."""
ABLATION_TEXTS = 6000
"""Texts every variant of the ablation learns from."""


@dataclass(frozen=True)
class Contender:
    """A method or baseline: its label and what it does, in a sentence for a newcomer."""

    label: str
    note: str
    setting: MethodConfig | Baseline


BASELINES: Mapping[str, Contender] = {
    "raw": Contender("Raw cosine", "the two spaces as they are, compared as if they were one", "raw"),
    "chain": Contender("Chain", "via the nearest text and its twin in the other space", "chain"),
    "soft_chain": Contender("Soft chain", "via all texts, weighted by likeness", "soft_chain"),
}
CLOSED_FORMS: Mapping[str, Contender] = {
    "procrustes": Contender("Procrustes", "one rotation, fitted to the texts", ProcrustesConfig()),
    "ridge": Contender("Ridge", "one regression, fitted to texts and pseudo pairs", RidgeConfig()),
    "cca": Contender("CCA", "canonical correlations of texts and pseudo pairs", CcaConfig()),
}
TRAINED: Mapping[str, Contender] = {
    "cmcr": Contender("C-MCR", "the paper's method with its own settings", CmcrConfig()),
    "exmcr": Contender(
        "Ex-MCR",
        "the image space stays, the sounds are mapped into it",
        ExmcrConfig(optimisation=OptimisationConfig(epochs=8, min_steps=300, batch_size=512)),
    ),
}
AUTO: Mapping[str, Contender] = {
    "auto": Contender(
        "auto (default)", "chooses closed forms without a single pair, blends them with a trained C-MCR", AutoConfig()
    ),
}
CONTENDERS = {**BASELINES, **CLOSED_FORMS, **TRAINED, **AUTO}
SHOWN = "auto"
"""The contender whose connector is saved and shown."""
ORACLES: Mapping[str, Contender] = {
    "oracle_cca": Contender(
        "Paired closed form", "CCA fitted to true pairs", CcaConfig(source="overlap", centring="mean")
    ),
    "oracle": Contender("Paired oracle", "C-MCR's projectors fitted to true pairs", CmcrConfig()),
}
QUICK = {name: CONTENDERS[name] for name in ("raw", "chain", "procrustes", "cca", "auto")}
QUICK_ORACLES = {"oracle_cca": ORACLES["oracle_cca"]}

FULL = CmcrConfig(optimisation=BRIEF)
ABLATION: Mapping[str, Contender] = {
    "full": Contender("C-MCR, all components", "as in the paper", FULL),
    "no_consistency": Contender(
        "without consistency", "texts alone, no pseudo pairs", replace(FULL, pseudo_weight=0.0, intra_weight=0.0)
    ),
    "texts_only": Contender("without consistency and completion", "texts alone, as they are",
                            replace(FULL, pseudo_weight=0.0, intra_weight=0.0, noise_variance=0.0)),
    "no_noise": Contender("without completion", "no noise is added", replace(FULL, noise_variance=0.0)),
    "no_pseudo_inter": Contender("without the pseudo inter term", "pseudo pairs only attract their own text",
                                 replace(FULL, pseudo_weight=0.0)),
    "no_text_inter": Contender("without the text inter term", "only pseudo pairs are contrasted",
                               replace(FULL, overlap_weight=0.0)),
    "no_intra": Contender("without the intra term", "the gap inside each space is left",
                          replace(FULL, intra_weight=0.0)),
    "siglip": Contender("SigLIP loss", "pairwise in place of softmax", replace(FULL, contrast="siglip")),
    "matched_centring": Contender("matched centring", "each modality's own offset is taken off first",
                                  replace(FULL, centring="matched")),
}  # fmt: skip
"""C-MCR with one component changed at a time."""
CSLS = Contender("+ CSLS at search time", "hubs are corrected, nothing is retrained", FULL)
