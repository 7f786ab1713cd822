"""The methods, baselines, oracles and variants of C-MCR that the demo compares, by their name in ``summary.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from isthmus.connectors.config import (
    AutoConfig,
    BridgeConfig,
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
"""The schedule of the ablation: a sixth of the full one."""
ABLATION_TEXTS = 6000
"""Texts that every variant of the ablation is trained on."""


@dataclass(frozen=True)
class ComparedMethod:
    """A method or baseline with its label and a one-line description."""

    label: str
    note: str
    setting: MethodConfig | Baseline


BASELINES: Mapping[str, ComparedMethod] = {
    "raw": ComparedMethod("Raw cosine", "the two spaces compared as if they were one", "raw"),
    "chain": ComparedMethod("Chain", "through the nearest text and its counterpart in the other space", "chain"),
    "soft_chain": ComparedMethod("Soft chain", "through all texts, weighted by similarity", "soft_chain"),
}
CLOSED_FORMS: Mapping[str, ComparedMethod] = {
    "procrustes": ComparedMethod("Procrustes", "one rotation, fitted to the texts", ProcrustesConfig()),
    "ridge": ComparedMethod("Ridge", "one regression, fitted to texts and pseudo pairs", RidgeConfig()),
    "cca": ComparedMethod("CCA", "canonical correlations of texts and pseudo pairs", CcaConfig()),
    "bridge": ComparedMethod("Bridge", "items are carried over by the texts that they are like", BridgeConfig()),
}
TRAINED: Mapping[str, ComparedMethod] = {
    "cmcr": ComparedMethod("C-MCR", "the paper's method with its settings", CmcrConfig(pair_weights="equal")),
    "exmcr": ComparedMethod(
        "Ex-MCR",
        "the image space is kept, audio is mapped into it",
        ExmcrConfig(pair_weights="equal", optimisation=OptimisationConfig(epochs=8, min_steps=300, batch_size=512)),
    ),
}
AUTO: Mapping[str, ComparedMethod] = {
    "auto": ComparedMethod(
        "auto (default)", "blends six closed forms, a bridge and a trained C-MCR by their worth", AutoConfig()
    ),
}
METHODS = {**BASELINES, **CLOSED_FORMS, **TRAINED, **AUTO}
SHOWN = "auto"
"""The method whose connector is saved and shown."""
ORACLES: Mapping[str, ComparedMethod] = {
    "oracle_cca": ComparedMethod(
        "Paired closed form", "CCA fitted to true pairs", CcaConfig(source="overlap", centring="mean")
    ),
    "oracle": ComparedMethod("Paired oracle", "C-MCR's projectors fitted to true pairs", CmcrConfig()),
}
QUICK_METHODS = {name: METHODS[name] for name in ("raw", "chain", "procrustes", "cca", "auto")}
QUICK_ORACLES = {"oracle_cca": ORACLES["oracle_cca"]}

FULL = CmcrConfig(pair_weights="equal", optimisation=BRIEF)
ABLATION: Mapping[str, ComparedMethod] = {
    "full": ComparedMethod("C-MCR, all components", "as in the paper", FULL),
    "no_consistency": ComparedMethod(
        "without consistency", "texts only, no pseudo pairs", replace(FULL, pseudo_weight=0.0, intra_weight=0.0)
    ),
    "texts_only": ComparedMethod(
        "without consistency and completion",
        "texts only, without noise",
        replace(FULL, pseudo_weight=0.0, intra_weight=0.0, noise_variance=0.0),
    ),
    "no_noise": ComparedMethod("without completion", "no noise is added", replace(FULL, noise_variance=0.0)),
    "no_pseudo_inter": ComparedMethod(
        "without the pseudo inter term", "pseudo pairs only in the intra term", replace(FULL, pseudo_weight=0.0)
    ),
    "no_text_inter": ComparedMethod(
        "without the text inter term", "only pseudo pairs are contrasted", replace(FULL, overlap_weight=0.0)
    ),
    "no_intra": ComparedMethod(
        "without the intra term", "the gap within each space is not closed", replace(FULL, intra_weight=0.0)
    ),
    "siglip": ComparedMethod("SigLIP loss", "sigmoid loss instead of softmax", replace(FULL, contrast="siglip")),
    "matched_centring": ComparedMethod(
        "matched centring", "the mean of each modality is subtracted first", replace(FULL, centring="matched")
    ),
}
"""C-MCR with one component changed at a time."""
CSLS = ComparedMethod("+ CSLS at search time", "corrects hubs, nothing is retrained", FULL)
