"""Connect: the public function. Checks the input, holds rows out, fits a method, measures, gives a `Connector`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from isthmus.connecting.auto import choose
from isthmus.connecting.cmcr import fit_cmcr
from isthmus.connecting.config import METHODS, AutoConfig, CmcrConfig, ExmcrConfig, MethodConfig
from isthmus.connecting.connector import Connector
from isthmus.connecting.evidence import gather_evidence
from isthmus.connecting.exmcr import fit_exmcr
from isthmus.connecting.linear import fit_linear
from isthmus.connecting.materials import Materials, Side, assemble
from isthmus.connecting.measure import measure
from isthmus.connecting.member import Member, project_blend
from isthmus.connecting.progress import OnProgress
from isthmus.connecting.trained import TRAINED, TRAINED_ROWS, join_trained
from isthmus.connecting.view import view
from isthmus.embeddings import Embeddings
from isthmus.errors import IsthmusError

HELD_OUT_SHARE = 0.2
HELD_OUT_ROWS = 400
FEWEST_ROWS = 10


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
    progress: OnProgress | None = None,
    **options: Any,
) -> Connector:
    """Connect two embedding spaces through the modality they share, without a pair of their other modalities.

    ``left`` and ``right`` map modality to embeddings: the overlap (rows matched by id) and one unpaired memory each.
    ``method`` is a name (`config.METHODS`) whose ``options`` are keywords here, or a config. A fifth of the overlap,
    400 rows at most, is held out to measure the connector for its report; closed forms are then refitted to all rows.
    ``checkpoint`` is a file from which an interrupted training continues.

    Raises `IsthmusError` for input that cannot be connected and for unknown methods and options.
    """
    config = method_config(method, options)
    materials = assemble(left, right, overlap)
    rows = len(materials.left.overlap)
    if rows < FEWEST_ROWS:
        raise IsthmusError(f"only {rows} {overlap} rows are on both sides: connecting needs at least {FEWEST_ROWS}")
    fitted, held = hold_out(rows, seed)
    training = _taken(materials, fitted)
    matched = view(materials, "matched")
    where = None if checkpoint is None else Path(checkpoint)
    match config:
        case AutoConfig():
            chosen = choose(materials, matched, config, fitted, held, seed=seed)
            complete = materials.left.memory is not None and materials.right.memory is not None
            if config.trained_share > 0 and complete and len(fitted) >= TRAINED_ROWS:
                member = fit_cmcr(training, TRAINED, seed=seed, device=device, checkpoint=where, progress=progress)
                evidence = gather_evidence(matched, fitted, held, seed=seed)
                chosen = join_trained(chosen, member, evidence, config.trained_share)
            fit = Fit(chosen.judged, chosen.members, chosen.weights, chosen.as_dict())
        case CmcrConfig():
            fit = _trained(fit_cmcr(training, config, seed=seed, device=device, checkpoint=where, progress=progress))
        case ExmcrConfig():
            fit = _trained(fit_exmcr(training, config, seed=seed, device=device, checkpoint=where, progress=progress))
        case _:
            fit = Fit((fit_linear(training, config),), (fit_linear(materials, config),), (1.0,), {})

    def project(block: Tensor, side: int, modality: str) -> Tensor:
        heads = [member.right if side else member.left for member in fit.measured]
        return project_blend(heads, fit.weights, block, modality)

    return Connector(
        left_space=materials.left.space,
        right_space=materials.right.space,
        overlap=overlap,
        members=fit.members,
        weights=fit.weights,
        config={"method": method_name(config), "seed": seed, **asdict(config)},
        choice=fit.choice,
        report=measure(project, materials, matched, fitted, held, seed=seed),
    )


def _trained(member: Member) -> Fit:
    return Fit((member,), (member,), (1.0,), {})


def method_config(method: str | MethodConfig, options: Mapping[str, Any]) -> MethodConfig:
    """The config a name and keyword options ask for. Raises `IsthmusError` naming what is unknown."""
    if not isinstance(method, str):
        if options:
            raise IsthmusError(f"option {next(iter(options))} stands beside a config: set it in the config")
        return method
    if method not in METHODS:
        raise IsthmusError(f"unknown method {method!r}: choose one of {', '.join(METHODS)}")
    known = [field.name for field in fields(METHODS[method])]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise IsthmusError(f"method {method} has no option {unknown[0]!r}: it has {', '.join(known)}")
    return METHODS[method](**options)


def method_name(config: MethodConfig) -> str:
    """The name users give a config's method."""
    return next(name for name, kind in METHODS.items() if isinstance(config, kind))


def hold_out(rows: int, seed: int) -> tuple[Int[Tensor, " fitted"], Int[Tensor, " held"]]:
    """Row numbers to fit to and row numbers kept apart to measure on, each in order."""
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(seed))
    held = min(HELD_OUT_ROWS, int(rows * HELD_OUT_SHARE))
    return order[held:].sort().values, order[:held].sort().values


def _taken(materials: Materials, rows: Int[Tensor, " rows"]) -> Materials:
    """The materials with only some of the overlap's rows."""
    index = rows.numpy().astype(np.int64)
    return Materials(
        Side(materials.left.overlap.take(index), materials.left.memory),
        Side(materials.right.overlap.take(index), materials.right.memory),
    )
