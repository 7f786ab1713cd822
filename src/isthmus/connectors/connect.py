"""Connect: the public function. Checks the input, holds rows out, fits a method, measures, gives a `Connector`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from isthmus.base.errors import IsthmusError
from isthmus.base.options import make_config
from isthmus.base.progress import OnProgress
from isthmus.connectors.choosing.auto import Choice, choose
from isthmus.connectors.choosing.evidence import Evidence, gather_evidence
from isthmus.connectors.choosing.trained_member import TRAINED, TRAINED_ROWS, join_trained
from isthmus.connectors.config import METHODS, AutoConfig, Centring, CmcrConfig, ExmcrConfig, MethodConfig
from isthmus.connectors.connector import Connector
from isthmus.connectors.member import Member, project_blend
from isthmus.connectors.methods.cmcr import fit_cmcr
from isthmus.connectors.methods.exmcr import fit_exmcr
from isthmus.connectors.methods.linear import fit_linear_twice
from isthmus.connectors.narrowing import narrow_basis
from isthmus.connectors.overlap.materials import Materials, assemble
from isthmus.connectors.pseudo.centred import CentredMaterials, view
from isthmus.connectors.trust.measure import coverage_of, measure
from isthmus.connectors.trust.report import Coverage
from isthmus.embeddings import Embeddings
from isthmus.training.config import OptimisationConfig

HELD_OUT_SHARE = 0.2
HELD_OUT_ROWS = 400
FEWEST_ROWS = 10
VIEW_ROWS = 20_000
"""Fitted overlap rows that `auto` and the report look at; methods by name are fitted to all."""


@dataclass(frozen=True)
class ConnectInput:
    """What every method starts from: checked materials, overlap rows fitted to and held out, and the matched view.

    The view holds ``sampled``: 20 000 of the fitted rows at most, then all held-out ones; ``known`` and ``asked``
    number the two within it.
    """

    materials: Materials
    fitted: Int[Tensor, " fitted"]
    held: Int[Tensor, " held"]
    sampled: Int[Tensor, " sampled"]
    matched: CentredMaterials
    overlap: str
    seed: int

    @property
    def known(self) -> Int[Tensor, " known"]:
        """The fitted rows of the view."""
        return torch.arange(len(self.sampled) - len(self.held))

    @property
    def asked(self) -> Int[Tensor, " held"]:
        """The held-out rows of the view."""
        return torch.arange(len(self.sampled) - len(self.held), len(self.sampled))

    @cached_property
    def evidence(self) -> Evidence | None:
        """What a connector is judged by; ``None`` where a side has no memory."""
        if any(memory is None for memory in self.matched.memories):
            return None
        return gather_evidence(self.matched, self.known, self.asked, seed=self.seed)

    @cached_property
    def coverages(self) -> tuple[Coverage, ...]:
        """How each memory covers the texts."""
        return coverage_of(self.matched, self.materials)


@dataclass(frozen=True)
class Fit:
    """What fitting gave.

    ``measured`` members did not see the held-out rows, ``members`` may have; ``weights`` are those of both. ``choice``
    says what was chosen and why (empty where nothing was to choose).
    """

    measured: tuple[Member, ...]
    members: tuple[Member, ...]
    weights: tuple[float, ...]
    choice: dict[str, Any]


def connect(
    left: Mapping[str, Embeddings],
    right: Mapping[str, Embeddings],
    *,
    overlap: str = "text",
    method: str | MethodConfig = "auto",
    seed: int = 0,
    device: str | None = None,
    checkpoint: str | Path | None = None,
    progress: bool | OnProgress = False,
    **options: Any,
) -> Connector:
    """Connect two embedding spaces through the modality they share, without a pair of their other modalities.

    ``left`` and ``right`` map modality to embeddings: the overlap (rows matched by id) and one unpaired memory each.
    ``method`` is a name (`config.METHODS`) whose ``options`` are keywords here, or a config. A fifth of the overlap,
    400 rows at most, is held out to measure the connector for its report; closed forms are then refitted to all rows
    (`auto`: to 20 000 and the held-out ones).
    ``checkpoint`` is a file from which an interrupted training continues.

    Raises `IsthmusError` for input that cannot be connected and for unknown methods and options; warns where overlap
    rows have no partner and where a side has no memory.
    """
    config = method_config(method, options)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise IsthmusError(f"seed {seed!r}: give a whole number from 0")
    where = None if checkpoint is None else Path(checkpoint)
    return connect_prepared(prepare(left, right, overlap, seed), config, device, where, progress)


def prepare(left: Mapping[str, Embeddings], right: Mapping[str, Embeddings], overlap: str, seed: int) -> ConnectInput:
    """Check and match the input, hold rows out and draw the matched view. Raises as `connect`."""
    materials = assemble(left, right, overlap)
    rows = len(materials.left.overlap)
    if rows < FEWEST_ROWS:
        raise IsthmusError(f"only {rows} {overlap} rows are on both sides: connecting needs at least {FEWEST_ROWS}")
    fitted, held = hold_out(rows, seed)
    spaced = torch.linspace(0, len(fitted) - 1, min(len(fitted), VIEW_ROWS), dtype=torch.float64).long()
    sampled = torch.cat((fitted[spaced], held))
    return ConnectInput(materials, fitted, held, sampled, view(materials, "matched", sampled), overlap, seed)


def connect_prepared(
    prepared: ConnectInput,
    config: MethodConfig,
    device: str | None,
    checkpoint: Path | None,
    progress: bool | OnProgress,
) -> Connector:
    """Fit a method to what was prepared, and measure it."""
    materials, seed = prepared.materials, prepared.seed
    fit = _fit(prepared, config, {"seed": seed, "device": device, "checkpoint": checkpoint, "progress": progress})

    def project(block: Tensor, side: int, modality: str) -> Tensor:
        heads = [member.right if side else member.left for member in fit.measured]
        return project_blend(heads, fit.weights, block, modality)

    return Connector(
        left_space=materials.left.space,
        right_space=materials.right.space,
        overlap=prepared.overlap,
        members=fit.members,
        weights=fit.weights,
        config={"method": method_name(config), "seed": seed, **asdict(config)},
        choice=fit.choice,
        basis=narrow_basis(fit.members, fit.weights, materials),
        revisions={side.space: side.overlap.revision for side in (materials.left, materials.right)},
        report=measure(project, materials, prepared.matched, prepared.held, prepared.evidence, prepared.coverages),
    )


def _fit(prepared: ConnectInput, config: MethodConfig, run: Mapping[str, Any]) -> Fit:
    fitted, held = prepared.fitted.numpy(), prepared.held.numpy()
    match config:
        case AutoConfig():
            chosen = _chosen(prepared, config, run)
            return Fit(chosen.judged, chosen.members, chosen.weights, chosen.as_dict())
        case CmcrConfig():
            member = fit_cmcr(prepared.materials.taken(fitted), config, **run)
            return Fit((member,), (member,), (1.0,), {})
        case ExmcrConfig():
            member = fit_exmcr(prepared.materials.taken(fitted), config, **run)
            return Fit((member,), (member,), (1.0,), {})
        case _:
            judged, member = fit_linear_twice(prepared.materials, config, fitted, held)
            return Fit((judged,), (member,), (1.0,), {})


def _chosen(prepared: ConnectInput, config: AutoConfig, run: Mapping[str, Any]) -> Choice:
    """Auto's blend of closed forms, with a trained member where texts are many enough to train it."""
    materials, evidence = prepared.materials, prepared.evidence
    views: dict[Centring, CentredMaterials] = {
        "matched": prepared.matched,
        "mean": view(materials, "mean", prepared.sampled),
    }
    chosen = choose(views, config, prepared.known, prepared.asked, evidence, seed=prepared.seed)
    if config.trained_share == 0 or evidence is None or len(prepared.fitted) < TRAINED_ROWS:
        return chosen
    member = fit_cmcr(materials.taken(prepared.fitted.numpy()), TRAINED, **run)
    return join_trained(chosen, member, evidence, config.trained_share)


def method_config(method: str | MethodConfig, options: Mapping[str, Any]) -> MethodConfig:
    """The config a name and keyword options ask for. Raises `IsthmusError` naming what is unknown."""
    if not isinstance(method, str):
        if not isinstance(method, tuple(METHODS.values())):
            raise IsthmusError(f"method {method!r}: give a name ({', '.join(METHODS)}) or a config")
        if options:
            raise IsthmusError(f"option {next(iter(options))} stands beside a config: set it in the config")
        return method
    if method not in METHODS:
        raise IsthmusError(f"unknown method {method!r}: choose one of {', '.join(METHODS)}")
    known = [field.name for field in fields(METHODS[method])]
    unknown = [name for name in options if name not in known]
    if unknown:
        hint = ""
        if "optimisation" in known and unknown[0] in {field.name for field in fields(OptimisationConfig)}:
            hint = f" (write optimisation={{{unknown[0]!r}: …}})"
        raise IsthmusError(f"method {method} has no option {unknown[0]!r}{hint}: it has {', '.join(known)}")
    return make_config(METHODS[method], options)


def method_name(config: MethodConfig) -> str:
    """The name users give a config's method."""
    return next(name for name, kind in METHODS.items() if isinstance(config, kind))


def hold_out(rows: int, seed: int) -> tuple[Int[Tensor, " fitted"], Int[Tensor, " held"]]:
    """Row numbers to fit to and row numbers kept apart to measure on, each in order."""
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(seed))
    held = min(HELD_OUT_ROWS, int(rows * HELD_OUT_SHARE))
    return order[held:].sort().values, order[:held].sort().values
