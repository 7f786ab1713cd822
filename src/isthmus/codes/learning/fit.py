"""Fitting codes: train from several starts, keep the one whose codes match best, and report how they are shared."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from isthmus.base.errors import IsthmusError
from isthmus.base.options import config_from
from isthmus.base.progress import OnProgress
from isthmus.codes.learning.objective import OURS, CodesObjective, Terms
from isthmus.codes.learning.pairs import CodeItems, PairSource
from isthmus.codes.learning.same_items import Groups, pair_groups
from isthmus.codes.learning.sharing import mismatch, shared_use
from isthmus.codes.learning.start import build_model
from isthmus.codes.model.config import CodesConfig
from isthmus.codes.model.model import CodeModel
from isthmus.codes.model.view import View
from isthmus.codes.reading.health import HealthReport
from isthmus.training.checkpoint import Checkpoint, fingerprint, hash_of, is_checkpoint
from isthmus.training.loop import half_precision, train
from isthmus.training.processes import join_processes, training_device
from isthmus.training.schedule import Schedule, seed_of

LOG = logging.getLogger(__name__)
SIZES = (8, 16, 32, 64, 128, 256, 512, 1024)
"""Codebook sizes to try, in this order."""
LEAST_SHARED_BY_ALL = 0.5
"""Share of the active codes that every two modalities must use jointly for a larger codebook to be tried."""


@dataclass(frozen=True)
class FitInput:
    """Everything that determines a trained model, except the seed."""

    items: Mapping[str, CodeItems]
    sources: Sequence[PairSource]
    config: CodesConfig
    base: CodeModel | None
    terms: Terms
    groups: Groups = ()


@dataclass(frozen=True)
class Run:
    """How training runs: seed, device, checkpoint with the hash of the data, and progress."""

    seed: int
    device: torch.device
    checkpoint: Path | None = None
    data: str = ""
    progress: bool | OnProgress = False

    def numbered(self, number: int) -> Run:
        """The same run with a separate checkpoint file."""
        return replace(self, checkpoint=self.checkpoint and _numbered(self.checkpoint, number))


def fit_codes(
    items: Mapping[str, CodeItems],
    sources: Sequence[PairSource],
    config: CodesConfig | None = None,
    *,
    base: CodeModel | None = None,
    terms: Terms = OURS,
    seed: int = 0,
    device: str | None = None,
    checkpoint: Path | None = None,
    progress: bool | OnProgress = False,
    **options: Any,
) -> CodeModel:
    """Train heads and a codebook on pairs of items, so that all views share its codes.

    Implements Cross-Modal Discrete Representation Learning (Liu et al., ACL 2022, arXiv 2106.05438) with frozen
    encoders: ``Σ_sources w (L_MMS + α L_CMCM)``, a codebook of moving averages, k-means start and restarts.

    Args:
        items: The items of each view by its name.
        sources: Pairs of rows of two views; every view needs one. See `pairs_by_id` and `link_without_pairs`.
        config: All options at once; or pass single ones as keywords.
        base: A model to extend with the views it lacks; its codebook and views stay exactly as they are. Of the config,
            only ``optimisation`` and ``restarts`` then apply.
        terms: Parts of the objective to replace.
        seed: The same seed on the same machine gives the same model.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``; by default a GPU if there is one.
        checkpoint: Save training next to this path, one numbered file for each start. The same call then continues
            bit-exactly after an interruption. Delete the files (`checkpoints_of`) once the model is saved.
        progress: True shows a bar on stderr; a callable gets every `Progress`.
        **options: Fields of `CodesConfig`.

    Returns:
        The model in evaluation mode; its ``facts["health"]`` reports how well the codes are shared.

    Raises:
        IsthmusError: No source reaches a view, a source names an unknown view, or an option is wrong.

    Example:
        >>> import numpy as np
        >>> from isthmus import CodeItems, Embeddings, PairSource, Tokens
        >>> draw, rows, places = np.random.default_rng(0), np.arange(40), np.zeros((80, 2), np.float32)
        >>> def items(modality):
        ...     vectors = draw.standard_normal((80, 4)).astype(np.float32)
        ...     kind = {"modality": modality, "space": modality}
        ...     tokens = Tokens.from_arrays(vectors, np.arange(0, 81, 2), places, unit="seconds", **kind)
        ...     return CodeItems(tokens, Embeddings.from_array(vectors[::2], **kind))
        >>> data = {"audio": items("audio"), "video": items("video")}
        >>> brief = {"epochs": 1, "min_steps": 3, "batch_size": 16}
        >>> model = fit_codes(data, [PairSource("audio", "video", rows, rows)], codes=4, optimisation=brief)
        >>> len(model.codebook), model.facts["sources"]
        (4, ['40 true pairs of audio and video'])
    """
    config = config_from(CodesConfig, config, options)
    if base is not None:
        config = replace(base.config, optimisation=config.optimisation, restarts=config.restarts)
    given = FitInput(items, sources, config, base, terms)
    place = training_device(device)
    _check(given)
    join_processes()
    given = replace(given, groups=pair_groups(items, sources))
    run = Run(seed, place, checkpoint, _hash_of(given) if checkpoint else "", progress)
    sizes = config.codes == 0 and config.start != "translation"
    model, report = _largest_shared(given, run) if sizes else _best_start(given, run)
    for warning in report.warnings:
        LOG.warning(warning)
    model.facts = _facts(given, report, seed)
    return model


def checkpoints_of(checkpoint: Path) -> list[Path]:
    """The files that `fit_codes` wrote for ``checkpoint``, one for each start."""
    numbered = re.compile(re.escape(checkpoint.name) + r"(\.\d+){1,2}")
    return sorted(path for path in checkpoint.parent.glob("*") if numbered.fullmatch(path.name) and is_checkpoint(path))


def _numbered(checkpoint: Path, number: int) -> Path:
    return checkpoint.with_name(f"{checkpoint.name}.{number}")


def _check(given: FitInput) -> None:
    items, base = given.items, given.base
    for source in given.sources:
        if len(source) == 0 or not 0 <= source.weight < float("inf"):
            raise IsthmusError(
                f"{source} with weight {source.weight}: give at least one pair, and a finite weight from 0"
            )
    reached = {name for source in given.sources for name in (source.left, source.right)}
    for name in reached - set(items):
        raise IsthmusError(f"a pair source names the view {name!r}, which is not one of the views ({', '.join(items)})")
    for source in given.sources:
        for name, rows in ((source.left, source.left_rows), (source.right, source.right_rows)):
            if len(rows) and not (rows.min() >= 0 and rows.max() < len(items[name])):
                raise IsthmusError(
                    f"{source} name rows {rows.min()} to {rows.max()} of {name}, which has {len(items[name])} items: "
                    "make the pairs from the same items"
                )
    for name in set(items) - reached:
        raise IsthmusError(f"no pair source reaches the view {name!r}: add one, or leave the view out")
    for name, own in items.items():
        own.require_finite(name)
    if base is not None:
        for name in set(items) & set(base.views):
            if View.of(items[name].tokens, items[name].pooled) != base.views[name]:
                raise IsthmusError(f"the view {name!r} differs from the base's ({base.views[name]}): rename it")
        if not set(items) - set(base.views):
            raise IsthmusError(f"the base already has every view ({', '.join(base.views)}): add a new one")


def _largest_shared(given: FitInput, run: Run) -> tuple[CodeModel, HealthReport]:
    """Try larger and larger codebooks until the modalities share too few codes; keep the last size before that."""
    kept = None
    for size in SIZES:
        if kept and size > min(int(own.tokens.counts.sum()) for own in given.items.values()):
            break
        sized = replace(given, config=replace(given.config, codes=size))
        model, report = _best_start(sized, run.numbered(size))
        LOG.info("%d codes: %.0f %% are shared by every two modalities", size, 100 * report.joint_use_by_all)
        few = report.joint_use_by_all < LEAST_SHARED_BY_ALL
        if not (kept and few):
            kept = model, report
        if few:
            break
    assert kept is not None
    return kept


def _best_start(given: FitInput, run: Run) -> tuple[CodeModel, HealthReport]:
    """Train from every start; the model with the lowest code matching loss, and its health.

    A translation is a closed form: its starts differ in the draw of cells only, so there is one.
    """
    closed = given.config.start == "translation" and given.base is None
    models = [_fit_once(given, run, number) for number in range(1 if closed else given.config.restarts)]
    data = given.items, given.sources, given.terms.matching, given.groups
    mismatches = [mismatch(model, *data) for model in models]
    if not np.isfinite(mismatches).all():
        raise IsthmusError(
            f"the code matching loss of a start is {max(mismatches, key=np.isnan)}: check terms.matching"
        )
    LOG.info("code matching loss of each start: %s", ", ".join(f"{loss:.3f}" for loss in mismatches))
    best = models[int(np.argmin(mismatches))]
    return best, shared_use(best, given.items, given.sources)


def _fit_once(given: FitInput, run: Run, number: int) -> CodeModel:
    seed, checkpoint = seed_of(run.seed, 4, number), run.numbered(number).checkpoint
    model = build_model(given.items, given.sources, given.config, seed, given.base).to(run.device)
    if model.config.start == "translation" and given.base is None:
        return model.eval()
    asked = given.config.optimisation.precision
    half = asked == "bfloat16" and half_precision(asked, run.device)  # not for auto: it changes a token's nearest code
    objective = CodesObjective(model, given.items, given.sources, given.terms, half, given.groups)
    schedule = Schedule.over(max(map(len, given.sources)), given.config.optimisation, seed)
    saved = Checkpoint(checkpoint, fingerprint(_settings(given, schedule), run.data)) if checkpoint else None
    train(objective, schedule, checkpoint=saved, progress=run.progress, stage="training codes")
    return model.eval()


def _hash_of(given: FitInput) -> str:
    """A hash of all data of a run: ids, every token, pooled vectors, the pairs, and the base."""
    data: list[Tensor | np.ndarray | None] = []
    for own in given.items.values():
        ids = "".join(f"{name}\0" for name in own.tokens.ids).encode("utf-8", "surrogatepass")
        data += [np.frombuffer(ids, np.uint8), own.tokens.counts]
        data += [*own.tokens.stored(), own.pooled.vectors]
    data += [rows for source in given.sources for rows in (source.left_rows, source.right_rows)]
    data += list(given.base.state_dict().values()) if given.base else []
    return hash_of(data)


def _settings(given: FitInput, schedule: Schedule) -> tuple[Any, ...]:
    """The options that determine a start."""
    terms = given.terms
    parts = (terms.commitment, *(getattr(term, "__qualname__", "") for term in (terms.matching, terms.pool)))
    sources = [(str(source), source.left, source.right, source.weight) for source in given.sources]
    return asdict(given.config), schedule, sources, list(given.items), parts


def _facts(given: FitInput, report: HealthReport, seed: int) -> dict[str, Any]:
    sources, lines = [str(source) for source in given.sources], report.lines()
    if given.base is not None:
        sources = [*given.base.facts.get("sources", []), *sources]
        lines = [f"measured when {', '.join(given.items)} were trained together", *lines]
    return {"sources": sources, "health": lines, "seed": seed}
