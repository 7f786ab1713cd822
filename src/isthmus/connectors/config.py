"""What each method can be asked: one frozen dataclass is at once Python argument, CLI options and saved JSON.

Nothing here imports torch, so that `isthmus connect --help` stays light. Defaults are the papers' where a paper
states one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from isthmus.base.options import check_types, require
from isthmus.training.config import DEFAULT_OPTIMISATION, OptimisationConfig

Centring = Literal["none", "mean", "matched"]
FittedPairs = Literal["overlap", "pseudo", "both"]
Contrast = Literal["infonce", "siglip"]
Intra = Literal["squared", "plain"]
ProjectorFamily = Literal["auto", "clap-clip", "ulip-clip", "linear"]
LeafProjector = Literal["auto", "two-mlps", "linear"]
ConsistencyMethod = Literal["auto", "exact", "lists"]
Base = Literal["left", "right"]


@dataclass(frozen=True)
class ConsistencyConfig:
    """Semantic consistency: how pseudo pairs are drawn from the memories."""

    temperature: float = 0.01
    """Softmax temperature τ1 over the memory."""
    method: ConsistencyMethod = "auto"
    """exact weighs every memory row; lists only those of lists that matter, auto where exact would take minutes."""
    tolerance: float = 1e-3
    """Mean cosine error lists may have; it is measured on a sample of queries and reported."""
    seed: int = 0
    """Seed of the lists."""

    def __post_init__(self) -> None:
        check_types(self)
        require(self.temperature > 0, "consistency.temperature", "above 0", self.temperature)
        require(self.tolerance > 0, "consistency.tolerance", "above 0", self.tolerance)


@dataclass(frozen=True)
class CmcrConfig:
    """C-MCR: both spaces are projected into a new one by trained projectors."""

    centring: Centring = "none"
    """What is subtracted from each modality first; the paper subtracts nothing."""
    consistency: ConsistencyConfig = ConsistencyConfig()
    """Semantic consistency."""
    noise_variance: float = 0.004
    """Semantic completion: variance σ² of the noise added to each coordinate, drawn afresh each step."""
    contrast: Contrast = "infonce"
    """The contrastive loss of the inter-space terms."""
    temperature: float = 0.05
    """Temperature τ2 of the contrastive loss."""
    overlap_weight: float = 1.0
    """Weight of the inter term between the native overlap rows; 0 switches it off."""
    pseudo_weight: float = 1.0
    """Weight of the inter term between pseudo pairs; 0 switches it off."""
    intra: Intra = "squared"
    """Norm of the intra-space alignment."""
    intra_weight: float = 0.1
    """Weight λ of the intra-space alignment; 0 switches it off."""
    projector: ProjectorFamily = "auto"
    """Architecture of both projectors; auto takes linear for few overlap rows, the published MLP for many."""
    joint_dim: int | None = None
    """Dimension of the joint space; by default the smaller of the two spaces'."""
    optimisation: OptimisationConfig = DEFAULT_OPTIMISATION
    """The optimiser."""

    def __post_init__(self) -> None:
        check_types(self)
        require(self.noise_variance >= 0, "noise-variance", "at least 0", self.noise_variance)
        require(self.temperature > 0, "temperature", "above 0", self.temperature)
        for option in ("overlap_weight", "pseudo_weight", "intra_weight"):
            require(getattr(self, option) >= 0, option.replace("_", "-"), "at least 0", getattr(self, option))
        inter = self.overlap_weight + self.pseudo_weight
        require(inter > 0, "overlap-weight plus pseudo-weight", "above 0", inter)
        require(self.joint_dim is None or self.joint_dim >= 1, "joint-dim", "at least 1", self.joint_dim)


@dataclass(frozen=True)
class ExmcrConfig:
    """Ex-MCR: one space is the base and stays as it is; the other, the leaf, is mapped into it."""

    base: Base = "left"
    """The side whose embeddings stay unchanged."""
    centring: Centring = "none"
    """What is subtracted from each of the leaf's modalities first; the base is never centred."""
    consistency: ConsistencyConfig = ConsistencyConfig()
    """Semantic consistency, queried from every modality."""
    noise_variance: float = 0.004
    """Semantic completion: variance σ² of the noise added to each coordinate, drawn afresh each step."""
    contrast: Contrast = "infonce"
    """The contrastive loss of the inter-space terms."""
    temperature: float = 0.05
    """Temperature τ2 of the contrastive loss."""
    intra: Intra = "squared"
    """Norm of the intra-space alignment."""
    projector: LeafProjector = "auto"
    """What maps the leaf into the base: the paper's two MLPs one after another, or one linear layer (for few texts)."""
    optimisation: OptimisationConfig = DEFAULT_OPTIMISATION
    """The optimiser."""

    def __post_init__(self) -> None:
        check_types(self)
        require(self.noise_variance >= 0, "noise-variance", "at least 0", self.noise_variance)
        require(self.temperature > 0, "temperature", "above 0", self.temperature)


@dataclass(frozen=True)
class ProcrustesConfig:
    """Procrustes: the rotation that brings the two sides of the pairs closest."""

    source: FittedPairs = "overlap"
    """Pairs it is fitted to: the overlap's own, pseudo pairs drawn from the memories, or both."""
    centring: Centring = "matched"
    """What is subtracted from each modality first."""

    def __post_init__(self) -> None:
        check_types(self)


@dataclass(frozen=True)
class RidgeConfig:
    """Ridge regression from the right space into the left."""

    penalty: float = 0.01
    """Penalty on the squared map, in units of the variance of one coordinate of unit rows."""
    source: FittedPairs = "both"
    """Pairs it is fitted to: the overlap's own, pseudo pairs drawn from the memories, or both."""
    centring: Centring = "matched"
    """What is subtracted from each modality first."""

    def __post_init__(self) -> None:
        check_types(self)
        require(self.penalty > 0, "penalty", "above 0", self.penalty)


@dataclass(frozen=True)
class CcaConfig:
    """Regularised canonical correlations, axes weighted by their correlation."""

    penalty: float = 0.001
    """Variance added to each coordinate: the size of the noise to be tolerated."""
    right_penalty: float | None = None
    """The same for the right space, where it differs from the left one's."""
    power: float = 1.0
    """Axes are weighted by correlation to this power."""
    source: FittedPairs = "both"
    """Pairs it is fitted to: the overlap's own, pseudo pairs drawn from the memories, or both."""
    centring: Centring = "matched"
    """What is subtracted from each modality first."""

    def __post_init__(self) -> None:
        check_types(self)
        require(self.penalty > 0, "penalty", "above 0", self.penalty)
        require(self.right_penalty is None or self.right_penalty > 0, "right-penalty", "above 0", self.right_penalty)
        require(self.power >= 0, "power", "at least 0", self.power)


@dataclass(frozen=True)
class AutoConfig:
    """Blend the closed forms that criteria without pairs put first, and a trained C-MCR where texts are many."""

    members: int = 12
    """How many of the best closed forms are blended."""
    anchor_share: float = 0.5
    """Share of the closed forms' weight for those that are good on average over many worlds, whatever the ranking."""
    trained_share: float = 0.5
    """Share of the blend for a trained C-MCR member, from 2000 overlap rows on; 0 for closed forms only."""

    def __post_init__(self) -> None:
        check_types(self)
        require(self.members >= 1, "members", "at least 1", self.members)
        require(0 <= self.anchor_share < 1, "anchor-share", "at least 0 and below 1", self.anchor_share)
        require(0 <= self.trained_share < 1, "trained-share", "at least 0 and below 1", self.trained_share)


MethodConfig = ProcrustesConfig | RidgeConfig | CcaConfig | CmcrConfig | ExmcrConfig | AutoConfig

METHODS: dict[str, type[MethodConfig]] = {
    "auto": AutoConfig,
    "procrustes": ProcrustesConfig,
    "ridge": RidgeConfig,
    "cca": CcaConfig,
    "cmcr": CmcrConfig,
    "exmcr": ExmcrConfig,
}
"""Every method by the name users give it."""
