"""`connect`: assemble the materials, hold rows out, centre, fit a method, measure it, return a `Connector`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from isthmus.base.devices import checked_device
from isthmus.base.errors import IsthmusError
from isthmus.base.progress import OnProgress, begin, reporting
from isthmus.connectors.choosing.auto import MANY_ROWS, TRAINED, Choice, add_member, blend
from isthmus.connectors.choosing.budget import Budget, OverBudgetError
from isthmus.connectors.choosing.evidence import Evidence, gather_evidence
from isthmus.connectors.config import (
    AutoConfig,
    BridgeConfig,
    Centring,
    CmcrConfig,
    ExmcrConfig,
    MethodConfig,
    method_config,
    method_name,
)
from isthmus.connectors.connector import Connector
from isthmus.connectors.member import Member, architecture, blend_projection, recentred
from isthmus.connectors.methods.bridge import bridge_member, fit_bridge
from isthmus.connectors.methods.cmcr import fit_cmcr, train_cmcr
from isthmus.connectors.methods.exmcr import fit_exmcr
from isthmus.connectors.methods.linear import fit_linear_twice
from isthmus.connectors.methods.plugins import Method, Plugins, split_plugins
from isthmus.connectors.narrowing import narrowed
from isthmus.connectors.overlap.agreement import require_agreement
from isthmus.connectors.overlap.directions import warn_of_other_model
from isthmus.connectors.overlap.materials import Materials, assemble
from isthmus.connectors.pseudo.centred import CentredMaterials, centred_materials
from isthmus.connectors.pseudo.counterparts import pair_groups
from isthmus.connectors.trust.coverage import coverage_of
from isthmus.connectors.trust.figures import Coverage, Half
from isthmus.connectors.trust.half import half_of
from isthmus.connectors.trust.measurement import measure
from isthmus.connectors.trust.scores import scores_of
from isthmus.embeddings import Embeddings
from isthmus.training.processes import join_processes, processes, training_device

LOG = logging.getLogger(__name__)
HELD_OUT_SHARE = 0.2
HELD_OUT_ROWS = 400
FEWEST_ROWS = 10
JUDGED_ROWS = 4000
"""Fitted overlap rows by which connectors are judged, and which the report describes."""
FITTED_ROWS = 20_000
"""Overlap rows that `auto` is fitted to; the other methods are fitted to all rows."""


def connect(
    left: Mapping[str, Embeddings],
    right: Mapping[str, Embeddings],
    *,
    overlap: str = "text",
    method: str | MethodConfig | Method = "auto",
    config: MethodConfig | None = None,
    seed: int = 0,
    device: str | None = None,
    checkpoint: str | Path | None = None,
    progress: bool | OnProgress = False,
    force: bool = False,
    **options: Any,
) -> Connector:
    """Connect two embedding spaces through the modality they share, without pairs of their other modalities.

    A fifth of the overlap rows, at most 400, is held out to measure the connector for its report. Closed forms are then
    fitted again to all rows (``"auto"``: to at most 20 000 and the held-out ones).

    Args:
        left: Embeddings by modality, all of one space: the overlap, ``(n, dim)``, and an unpaired memory of another
            modality. Without a memory only the overlap is used.
        right: The same for the other space.
        overlap: Modality that both spaces share. Its rows are matched by id; rows without a counterpart are dropped.
        method: Name of a method (``"auto"``, ``"procrustes"``, ``"ridge"``, ``"cca"``, ``"bridge"``, ``"cmcr"``,
            ``"exmcr"``), or an object of your own with the `Method` protocol.
        config: The method's config, such as `CcaConfig`; pass either a config or options.
        seed: The same seed on the same machine gives the same connector.
        device: Where methods train: ``"cpu"`` or ``"cuda"``; by default on a GPU if there is one.
        checkpoint: A file from which interrupted training continues.
        progress: True for a bar on stderr, or a function that is called with every `Progress`.
        force: Connect also if overlap rows with equal ids agree no better than shuffled ones, with a warning.
        **options: Options of the method, the fields of its config; nested configs may be mappings. ``projector`` may be
            a function ``(inputs, outputs, generator)`` that returns an `nn.Sequential` (``"cmcr"``, ``"exmcr"``).
            ``loss_terms`` takes objects with the `LossTerm` protocol (``"cmcr"``). Both also go with ``config``.

    Returns:
        The connector with its report.

    Raises:
        IsthmusError: The spaces cannot be connected (no shared ids, ids of other items, too few rows, mixed spaces), or
            a method or option is unknown.

    Example:
        >>> import isthmus, numpy as np
        >>> draw = np.random.default_rng(0)
        >>> meaning = draw.standard_normal((60, 4))
        >>> def rows(modality, space, dim):
        ...     vectors = meaning @ draw.standard_normal((4, dim))
        ...     return isthmus.Embeddings.from_array(vectors, modality=modality, space=space, ids=range(60))
        >>> clip = {"text": rows("text", "clip", 8), "image": rows("image", "clip", 8)}
        >>> clap = {"text": rows("text", "clap", 6), "audio": rows("audio", "clap", 6)}
        >>> connector = isthmus.connect(clip, clap, method="cca", power=2.0)
        >>> connector.project(clap["audio"]).vectors.shape
        (60, 6)
    """
    asked, plugins = _asked(method, config, options)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise IsthmusError(f"seed {seed!r}: pass an integer from 0")
    checked_device(device)
    with reporting(progress) as report:
        prepared = prepare(left, right, overlap, seed, force)
        return connect_prepared(prepared, asked, device, checkpoint, report, plugins)


def _asked(
    method: str | MethodConfig | Method, config: MethodConfig | None, options: Mapping[str, Any]
) -> tuple[MethodConfig | Method, Plugins]:
    """The method, and the plug-ins among its options."""
    plugins, plain = split_plugins(options)
    if isinstance(method, Method):
        if config is not None or options:
            raise IsthmusError(f"method {method.name!r} is an object: set its options in the object itself")
        return method, plugins
    chosen = method_config(method, plain, config)
    if plugins.loss_terms and not isinstance(chosen, CmcrConfig):
        raise IsthmusError(f"method {method_name(chosen)} takes no loss_terms: use method cmcr")
    if plugins.projector and not isinstance(chosen, CmcrConfig | ExmcrConfig):
        raise IsthmusError(f"method {method_name(chosen)} takes no projector: use method cmcr or exmcr")
    return chosen, plugins


@dataclass(frozen=True)
class ConnectInput:
    """What every method starts from: checked materials, the overlap rows to fit to, and those held out.

    ``centred`` is a matched-centred sample of the materials: at most 4000 fitted rows, then all held-out ones.
    ``sampled`` are their numbers among the overlap rows.
    """

    materials: Materials
    fitted: Int[Tensor, " fitted"]
    held: Int[Tensor, " held"]
    sampled: Int[Tensor, " sampled"]
    centred: CentredMaterials
    seed: int

    @cached_property
    def evidence(self) -> Evidence | None:
        """What connectors are judged by; ``None`` if a side has no memory."""
        return gather_evidence(self.materials, self.fitted, self.held, seed=self.seed)

    @cached_property
    def coverages(self) -> tuple[Coverage, ...]:
        """How well each memory covers the overlap."""
        return coverage_of(self.centred, self.materials, self.sampled)

    @cached_property
    def half(self) -> Half | None:
        """What half of the overlap rows achieve."""
        rows = self.rows(FITTED_ROWS)
        sides, own = (self.materials.left, self.materials.right), self.centred.centres
        texts = [
            recentred(torch.from_numpy(side.overlap.take(rows.numpy()).vectors), centre[side.overlap.modality])
            for side, centre in zip(sides, own, strict=True)
        ]
        known = len(rows) - len(self.held)
        return half_of((texts[0], texts[1]), torch.arange(known), torch.arange(known, len(rows)))

    def rows(self, most: int) -> Int[Tensor, " rows"]:
        """The numbers of at most so many fitted rows, evenly spaced, and then of all held-out ones."""
        return rows_with_held(self.fitted, self.held, most)


def prepare(
    left: Mapping[str, Embeddings], right: Mapping[str, Embeddings], overlap: str, seed: int, force: bool = False
) -> ConnectInput:
    """Assemble and check the materials, hold rows out, and centre a sample. Raises as `connect`."""
    materials = assemble(left, right, overlap)
    rows = len(materials.left.overlap)
    if rows < FEWEST_ROWS:
        raise IsthmusError(f"only {rows} {overlap} rows are on both sides: connecting needs at least {FEWEST_ROWS}")
    begin("comparing the overlap")
    require_agreement(materials.left.overlap, materials.right.overlap, force=force)
    for side in (materials.left, materials.right):
        for memory in side.memories:
            warn_of_other_model(side.overlap, memory)
    fitted, held = hold_out(rows, seed)
    sampled = rows_with_held(fitted, held, JUDGED_ROWS)
    return ConnectInput(materials, fitted, held, sampled, centred_materials(materials, "matched", sampled), seed)


def rows_with_held(fitted: Int[Tensor, " fitted"], held: Int[Tensor, " held"], most: int) -> Int[Tensor, " rows"]:
    """At most so many of the fitted rows' numbers, evenly spaced, and then all held-out ones."""
    spaced = torch.linspace(0, len(fitted) - 1, min(len(fitted), most), dtype=torch.float64).long()
    return torch.cat((fitted[spaced], held))


def hold_out(rows: int, seed: int) -> tuple[Int[Tensor, " fitted"], Int[Tensor, " held"]]:
    """The numbers of the rows to fit to, and of those held out to measure on, each in order."""
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(seed))
    held = min(HELD_OUT_ROWS, int(rows * HELD_OUT_SHARE))
    return order[held:].sort().values, order[:held].sort().values


def connect_prepared(
    prepared: ConnectInput,
    method: MethodConfig | Method,
    device: str | None = None,
    checkpoint: str | Path | None = None,
    progress: bool | OnProgress = False,
    plugins: Plugins = Plugins(),  # noqa: B008
) -> Connector:
    """Fit a method to what `prepare` returned, and measure it."""
    where = None if checkpoint is None else Path(checkpoint)
    with reporting(progress) as report:
        run = {"seed": prepared.seed, "device": device, "checkpoint": where, "progress": report}
        fit = _fit(prepared, method, plugins, run)
        return _measured(prepared, method, fit, plugins)


def _measured(prepared: ConnectInput, method: MethodConfig | Method, fit: Fit, plugins: Plugins) -> Connector:
    """The connector of a fit, with its report."""
    begin("measuring the report")
    materials = prepared.materials
    project = blend_projection(fit.measured, fit.weights)
    narrow = narrowed(fit.members, fit.weights, materials, _most_dimensions(prepared, method))
    own = {"method": method.name} if isinstance(method, Method) else {"method": method_name(method), **asdict(method)}
    connector = Connector(
        left_space=materials.left.space,
        right_space=materials.right.space,
        overlap=materials.left.overlap.modality,
        members=fit.members,
        weights=fit.weights,
        config={**own, "seed": prepared.seed, **plugins.facts()},
        choice={**fit.choice, **({} if narrow is None else {"narrowing": narrow.as_dict()})},
        basis=None if narrow is None else narrow.basis,
        revisions={side.space: side.overlap.revision for side in (materials.left, materials.right)},
        report=measure(
            project,
            materials,
            prepared.centred,
            prepared.held,
            prepared.evidence,
            prepared.coverages,
            prepared.half,
        ),
    )
    begin("scores of unrelated items")
    given = [own for side in (materials.left, materials.right) for own in (side.overlap, *side.memories)]
    return replace(connector, scores=scores_of(connector.project, given))


def _most_dimensions(prepared: ConnectInput, method: MethodConfig | Method) -> int | None:
    """The largest dimension that the joint space of `auto` may have; other methods state theirs by themselves."""
    if not isinstance(method, AutoConfig):
        return None
    return method.joint_dim or max(side.overlap.dim for side in (prepared.materials.left, prepared.materials.right))


@dataclass(frozen=True)
class Fit:
    """A fitted method.

    ``measured`` members were fitted without the held-out rows, ``members`` perhaps with them; ``weights`` are those of
    both. ``choice`` says what `auto` chose and why.
    """

    measured: tuple[Member, ...]
    members: tuple[Member, ...]
    weights: tuple[float, ...]
    choice: Mapping[str, Any]

    @classmethod
    def single(cls, measured: Member, member: Member) -> Fit:
        """A connector of one member."""
        return cls((measured,), (member,), (1.0,), {})


def _fit(prepared: ConnectInput, method: MethodConfig | Method, plugins: Plugins, run: Mapping[str, Any]) -> Fit:
    materials, fitted = prepared.materials, prepared.fitted.numpy()
    match method:
        case AutoConfig():
            return _fit_auto(prepared, method, run)
        case CmcrConfig():
            member = fit_cmcr(materials.taken(fitted), method, plugins=plugins, **run)
        case BridgeConfig():
            return Fit.single(*(fit_bridge(own, method) for own in (materials.taken(fitted), materials)))
        case ExmcrConfig():
            member = fit_exmcr(materials.taken(fitted), method, plugins=plugins, **run)
        case Method():
            member = method.fit(materials.taken(fitted), **run)
            for head in (member.left, member.right):
                architecture(head.projector)
        case _:
            return Fit.single(*fit_linear_twice(materials, method, fitted, prepared.held.numpy()))
    return Fit.single(member, member)


def _fit_auto(prepared: ConnectInput, config: AutoConfig, run: Mapping[str, Any]) -> Fit:
    """A blend of closed forms, and with many overlap rows of a bridge and, if there is time, a trained member."""
    budget = Budget(config.time_budget)
    views, fitted = _views(prepared)
    begin("fitting")
    chosen = blend(views, fitted)
    if prepared.evidence is None or len(prepared.fitted) < MANY_ROWS:
        return Fit(chosen.judged, chosen.members, chosen.weights, chosen.as_dict())
    if config.bridge_share > 0:
        chosen = _with_bridge(chosen, prepared.evidence, views, fitted, config.bridge_share)
    if config.trained_share > 0:
        chosen = _with_trained(chosen, prepared, views["matched"], fitted, config, budget, run)
    return Fit(chosen.judged, chosen.members, chosen.weights, chosen.as_dict())


def _views(prepared: ConnectInput) -> tuple[dict[Centring, CentredMaterials], Int[Tensor, " fitted"]]:
    """At most 20 000 fitted texts and the held-out ones in both centrings; which of them to fit to."""
    materials, rows, matched = prepared.materials, prepared.rows(FITTED_ROWS), prepared.centred
    if len(rows) > len(prepared.sampled):
        matched = centred_materials(materials, "matched", rows, matched.centres)
    mean = centred_materials(materials, "mean", rows)
    return {"matched": matched, "mean": mean}, torch.arange(len(rows) - len(prepared.held))


def _with_bridge(
    chosen: Choice,
    evidence: Evidence,
    views: Mapping[Centring, CentredMaterials],
    fitted: Int[Tensor, " fitted"],
    share: float,
) -> Choice:
    """The blend with a bridge, which counts as much as the worse of its two centrings.

    A memory about other things than the texts has a mean of its own that simulated items share, so that mean centring
    alone would look good (docs/benchmarks.md).
    """
    judged = [bridge_member(views[centring], fitted, BridgeConfig()) for centring in ("mean", "matched")]
    member = bridge_member(views["mean"], torch.arange(len(views["mean"].texts[0])), BridgeConfig())
    return add_member(chosen, "bridge", judged, member, evidence, share)


def _with_trained(
    chosen: Choice,
    prepared: ConnectInput,
    view: CentredMaterials,
    fitted: Int[Tensor, " fitted"],
    config: AutoConfig,
    budget: Budget,
    run: Mapping[str, Any],
) -> Choice:
    """The blend with a C-MCR member that is trained on the view, unless that would take too long."""
    assert prepared.evidence is not None
    join_processes()
    taken = prepared.materials.taken(prepared.rows(FITTED_ROWS)[fitted].numpy())
    rows = view.counterparts(fitted, training_device(run["device"]))
    trained = replace(TRAINED, optimisation=replace(TRAINED.optimisation, precision=config.precision))
    try:
        # Several processes must make every step together, so none of them may decide by its own clock.
        report = run["progress"] if processes() > 1 else budget.watching(run["progress"])
        groups = pair_groups(taken.left.overlap, taken.right.overlap)
        member = train_cmcr(rows, groups, view.centres, trained, **{**run, "progress": report})
    except OverBudgetError as over:
        LOG.info("auto: no trained member, %s", over)
        note = {"method": method_name(trained), "share": 0.0, "left_out": str(over)}
        return replace(chosen, tried={**chosen.tried, "trained": note})
    return add_member(chosen, "trained", (member,), member, prepared.evidence, config.trained_share)
