"""The options of each method: one frozen dataclass is at once Python argument, command-line options and saved JSON.

Nothing here imports torch, so that `isthmus connect --help` stays light. Defaults are the papers' if a paper states
one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from isthmus.base.errors import IsthmusError
from isthmus.base.options import check_types, config_from, make_config, require
from isthmus.training.config import DEFAULT_OPTIMISATION, OptimisationConfig, Precision

Centring = Literal["none", "mean", "matched"]
FittedPairs = Literal["overlap", "pseudo", "both"]
PairWeights = Literal["cycle", "equal"]
Contrast = Literal["infonce", "siglip"]
Intra = Literal["squared", "plain"]
ProjectorFamily = Literal["auto", "clap-clip", "ulip-clip", "linear"]
LeafProjector = Literal["auto", "two-mlps", "linear"]
ConsistencyMethod = Literal["auto", "exact", "lists"]
Base = Literal["left", "right"]


@dataclass(frozen=True)
class ConsistencyConfig:
    """Semantic consistency: how pseudo pairs are drawn from the memories.

    Example:
        >>> import isthmus
        >>> consistency = isthmus.ConsistencyConfig(method="lists", tolerance=1e-4)
        >>> isthmus.CmcrConfig(consistency=consistency).consistency.temperature
        0.01
    """

    temperature: float = 0.01
    """Temperature τ1 of the softmax over the memory."""
    method: ConsistencyMethod = "auto"
    """`exact` weighs every memory row, `lists` only rows near the query, by k-means; `auto` picks `lists` if `exact`
    would take minutes."""
    tolerance: float = 1e-3
    """Largest mean cosine error of lists, measured on a sample of queries."""
    seed: int = 0
    """Seed of the lists."""

    def __post_init__(self) -> None:
        check_types(self)
        require(self.temperature > 0, "consistency.temperature", "above 0", self.temperature)
        require(self.tolerance > 0, "consistency.tolerance", "above 0", self.tolerance)


@dataclass(frozen=True)
class CmcrConfig:
    """C-MCR: train projectors of both spaces into a new joint space.

    Connecting Multi-modal Contrastive Representations, Wang et al., NeurIPS 2023.

    Example:
        >>> import isthmus
        >>> config = isthmus.CmcrConfig(centring="matched", optimisation=isthmus.OptimisationConfig(epochs=6))
        >>> config.optimisation.epochs, config.intra_weight
        (6, 0.1)
    """

    centring: Centring = "none"
    """What to subtract from each modality first; the paper subtracts nothing."""
    consistency: ConsistencyConfig = ConsistencyConfig()
    """Semantic consistency."""
    pair_weights: PairWeights = "cycle"
    """Weights of pseudo pairs: cycle weighs each by whether its items lead back to its text, equal is the paper's 1."""
    noise_variance: float = 0.004
    """Semantic completion: variance σ² of the noise added to each coordinate, drawn afresh in every step."""
    contrast: Contrast = "infonce"
    """Contrastive loss of the inter-space terms."""
    temperature: float = 0.05
    """Temperature τ2 of the contrastive loss."""
    overlap_weight: float = 1.0
    """Weight of the inter-space term of the overlap pairs; 0 switches it off."""
    pseudo_weight: float = 1.0
    """Weight of the inter-space term of the pseudo pairs; 0 switches it off."""
    intra: Intra = "squared"
    """Distance in the intra-space term."""
    intra_weight: float = 0.1
    """Weight λ of the intra-space term; 0 switches it off."""
    projector: ProjectorFamily = "auto"
    """Architecture of both projectors; auto takes linear for few overlap rows, the published MLP for many."""
    joint_dim: int | None = None
    """Dimension of the joint space; by default the smaller of the two spaces' dimensions."""
    optimisation: OptimisationConfig = DEFAULT_OPTIMISATION
    """Optimiser and schedule."""

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
    """Ex-MCR: keep one space, the base, and train a map of the other, the leaf, into it.

    Extending Multi-modal Contrastive Representations, Zhang et al., NeurIPS 2024.

    Example:
        >>> import isthmus
        >>> isthmus.ExmcrConfig(base="right").projector
        'auto'
    """

    base: Base = "left"
    """Side that keeps its vectors."""
    centring: Centring = "none"
    """What to subtract from each of the leaf's modalities first; the base is never centred."""
    consistency: ConsistencyConfig = ConsistencyConfig()
    """Semantic consistency, queried from every modality."""
    pair_weights: PairWeights = "cycle"
    """Weights of pseudo pairs: cycle weighs each by whether its items lead back to its text, equal is the paper's 1."""
    noise_variance: float = 0.004
    """Semantic completion: variance σ² of the noise added to each coordinate, drawn afresh in every step."""
    contrast: Contrast = "infonce"
    """Contrastive loss of the inter-space terms."""
    temperature: float = 0.05
    """Temperature τ2 of the contrastive loss."""
    intra: Intra = "squared"
    """Distance in the intra-space term."""
    projector: LeafProjector = "auto"
    """Map of the leaf into the base: the paper's two consecutive MLPs, or one linear layer; auto takes linear for few
    overlap rows."""
    optimisation: OptimisationConfig = DEFAULT_OPTIMISATION
    """Optimiser and schedule."""

    def __post_init__(self) -> None:
        check_types(self)
        require(self.noise_variance >= 0, "noise-variance", "at least 0", self.noise_variance)
        require(self.temperature > 0, "temperature", "above 0", self.temperature)


@dataclass(frozen=True)
class ProcrustesConfig:
    """Procrustes: the rotation that brings the two sides of the pairs closest to each other.

    Example:
        >>> import isthmus
        >>> isthmus.ProcrustesConfig().centring
        'matched'
    """

    source: FittedPairs = "overlap"
    """Pairs to fit to: overlap pairs, pseudo pairs, or both."""
    pair_weights: PairWeights = "cycle"
    """Weights of pseudo pairs: cycle weighs each by whether its items lead back to its text, equal is the paper's 1."""
    centring: Centring = "matched"
    """What to subtract from each modality first."""

    def __post_init__(self) -> None:
        check_types(self)


@dataclass(frozen=True)
class RidgeConfig:
    """Ridge regression from the right space into the left space.

    Example:
        >>> import isthmus
        >>> isthmus.RidgeConfig(penalty=0.1).source
        'both'
    """

    penalty: float = 0.01
    """Penalty on the squared map, in units of the variance of one coordinate of unit rows."""
    source: FittedPairs = "both"
    """Pairs to fit to: overlap pairs, pseudo pairs, or both."""
    pair_weights: PairWeights = "cycle"
    """Weights of pseudo pairs: cycle weighs each by whether its items lead back to its text, equal is the paper's 1."""
    centring: Centring = "matched"
    """What to subtract from each modality first."""

    def __post_init__(self) -> None:
        check_types(self)
        require(self.penalty > 0, "penalty", "above 0", self.penalty)


@dataclass(frozen=True)
class CcaConfig:
    """Regularized canonical correlation analysis; its axes are weighted by their correlation.

    Example:
        >>> import isthmus
        >>> isthmus.CcaConfig(power=2.0).penalty
        0.001
    """

    penalty: float = 0.001
    """Variance added to each coordinate: the size of the noise that the projection tolerates."""
    right_penalty: float | None = None
    """Penalty of the right space; by default that of the left space."""
    power: float = 1.0
    """Each axis is weighted by its correlation to this power."""
    source: FittedPairs = "both"
    """Pairs to fit to: overlap pairs, pseudo pairs, or both."""
    pair_weights: PairWeights = "cycle"
    """Weights of pseudo pairs: cycle weighs each by whether its items lead back to its text, equal is the paper's 1."""
    centring: Centring = "matched"
    """What to subtract from each modality first."""

    def __post_init__(self) -> None:
        check_types(self)
        require(self.penalty > 0, "penalty", "above 0", self.penalty)
        require(self.right_penalty is None or self.right_penalty > 0, "right-penalty", "above 0", self.right_penalty)
        require(self.power >= 0, "power", "at least 0", self.power)


@dataclass(frozen=True)
class BridgeConfig:
    """Bridge: carry items into the other space by the overlap's texts that they are like, and keep both vectors.

    It takes no training and gets better with every text; a saved connector contains the texts' vectors.

    Example:
        >>> import isthmus
        >>> isthmus.BridgeConfig(temperature=0.3).penalty
        10.0
    """

    temperature: float = 0.2
    """Temperature of the softmax over texts, in standard deviations of the cosines between items and texts."""
    penalty: float = 10.0
    """Penalty of the map that carries what texts do not say about an item, in mean variances of the texts."""
    centring: Centring = "mean"
    """What to subtract from each modality first."""

    def __post_init__(self) -> None:
        check_types(self)
        require(self.temperature > 0, "temperature", "above 0", self.temperature)
        require(self.penalty > 0, "penalty", "above 0", self.penalty)


@dataclass(frozen=True)
class AutoConfig:
    """Blend six closed forms, and with many overlap rows a bridge over the texts and a trained C-MCR.

    Example:
        >>> import isthmus
        >>> isthmus.AutoConfig(trained_share=0.0).precision
        'auto'
    """

    trained_share: float = 0.5
    """Share of the blend for a trained C-MCR member that scores like the others, more or less if it scores better or
    worse; it is trained if at least 2000 overlap rows are fitted. 0 for none."""
    bridge_share: float = 0.5
    """The same for a bridge over the overlap's texts, which is tried before."""
    precision: Precision = "auto"
    """Arithmetic of the trained member's projectors; auto takes bfloat16 on GPUs that have it."""
    joint_dim: int | None = None
    """Largest dimension of the joint space; by default the larger of the two spaces' dimensions."""
    time_budget: float = 90.0
    """Seconds that fitting may take. The closed forms are always fitted; the trained member is left out if it would
    not be trained in time."""

    def __post_init__(self) -> None:
        check_types(self)
        require(self.joint_dim is None or self.joint_dim >= 2, "joint-dim", "at least 2", self.joint_dim)
        require(self.time_budget > 0, "time-budget", "above 0", self.time_budget)
        for option in ("trained_share", "bridge_share"):
            require(
                0 <= getattr(self, option) < 1,
                option.replace("_", "-"),
                "at least 0 and below 1",
                getattr(self, option),
            )


MethodConfig = ProcrustesConfig | RidgeConfig | CcaConfig | BridgeConfig | CmcrConfig | ExmcrConfig | AutoConfig

METHODS: dict[str, type[MethodConfig]] = {
    "auto": AutoConfig,
    "procrustes": ProcrustesConfig,
    "ridge": RidgeConfig,
    "cca": CcaConfig,
    "bridge": BridgeConfig,
    "cmcr": CmcrConfig,
    "exmcr": ExmcrConfig,
}
"""The config of every method by the method's name."""


def method_config(
    method: str | MethodConfig, options: Mapping[str, Any], config: MethodConfig | None = None
) -> MethodConfig:
    """The config that was passed, as ``config`` or as ``method``, or a new one from a method's name and options.

    Raises `IsthmusError` naming an unknown method or option, and if a config comes with options or another method.
    """
    if not isinstance(method, str):
        config, method = method if config is None else config, "auto"
    if config is not None:
        if not isinstance(config, tuple(METHODS.values())):
            raise IsthmusError(f"unknown method {config!r}: pass a name ({', '.join(METHODS)}), a config or a Method")
        if method not in ("auto", method_name(config)):
            raise IsthmusError(f"{type(config).__name__} is the config of method {method_name(config)}, not {method}")
        return config_from(type(config), config, options)
    if method not in METHODS:
        raise IsthmusError(f"unknown method {method!r}: choose one of {', '.join(METHODS)}")
    known = [field.name for field in fields(METHODS[method])]
    unknown = next((name for name in options if name not in known), None)
    if unknown is not None:
        hint = ""
        if "optimisation" in known and unknown in {field.name for field in fields(OptimisationConfig)}:
            hint = f" (write optimisation={{{unknown!r}: …}})"
        raise IsthmusError(f"method {method} has no option {unknown!r}{hint}: choose from {', '.join(known)}")
    return make_config(METHODS[method], options)


def method_name(config: MethodConfig) -> str:
    """The name of a config's method."""
    return next(name for name, kind in METHODS.items() if isinstance(config, kind))
