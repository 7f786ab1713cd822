"""Fitting codes: start the codebook on a mix of modalities, lower the objective, say how well codes are shared."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from isthmus.base.errors import IsthmusError
from isthmus.base.progress import OnProgress
from isthmus.codes.learning.losses import code_matching
from isthmus.codes.learning.objective import CodeItems, CodesObjective
from isthmus.codes.learning.pairs import PairSource
from isthmus.codes.learning.refinement import refined
from isthmus.codes.model.config import CodesConfig
from isthmus.codes.model.model import CodeModel, View
from isthmus.codes.reading.health import HealthReport, health
from isthmus.codes.reading.use import Contrast, concept_overlap, use_of_items
from isthmus.training.checkpoint import Checkpoint, fingerprint
from isthmus.training.loop import train
from isthmus.training.processes import join_processes, training_device
from isthmus.training.schedule import Schedule, seed_of

LOG = logging.getLogger(__name__)
REPORT_ITEMS = 1000
"""CodeItems of each view, and pairs of each source, on which sharing is measured."""
MATCHED_PAIRS = 512
"""Pairs of each source on which starts are compared."""
SIZES = (8, 16, 32, 64, 128, 256, 512, 1024)
"""Sizes of the codebook that are tried where it is to be chosen."""
LEAST_SHARED_BY_ALL = 0.5
"""Share of the active codes that every two modalities must use jointly for a larger codebook to be taken."""
START_ITEMS = 2048
START_TOKENS = 8192
"""Tokens of each modality on which k-means starts the codebook."""


@dataclass(frozen=True)
class Lesson:
    """What a model is learned from, and how; ``base`` is a model that is kept as it is and gains the other views."""

    items: Mapping[str, CodeItems]
    sources: Sequence[PairSource]
    config: CodesConfig
    base: CodeModel | None = None


def fit_codes(
    items: Mapping[str, CodeItems],
    sources: Sequence[PairSource],
    config: CodesConfig,
    *,
    base: CodeModel | None = None,
    seed: int = 0,
    device: str | None = None,
    checkpoint: Path | None = None,
    progress: bool | OnProgress = False,
) -> CodeModel:
    """Learn heads and a codebook from pair sources over the given views.

    With ``base`` its codebook and views stay exactly as they are, and views it lacks are added to it; of the config
    only the optimisation and the number of restarts count then. With ``checkpoint`` (a file) each start is saved beside
    it under its number and, started again with the same arguments, continues bit-exactly; delete them
    (`checkpoints_of`) once the model is saved. Raises `IsthmusError` for a view that no pair source reaches, or a
    source over an unknown view.
    """
    if base is not None:
        own = {name: getattr(config, name) for name in ("optimisation", "restarts", "refinements")}
        config = replace(base.config, **own)
    lesson = Lesson(items, sources, config, base)
    _check(lesson)
    join_processes()
    place = training_device(device)
    if config.codes == 0:
        model, report = _largest_shared(lesson, seed, place, checkpoint, progress)
    else:
        model, report = _refined_fit(lesson, seed, place, checkpoint, progress)
    for warning in report.warnings:
        LOG.warning(warning)
    model.facts = _facts(lesson, report, seed)
    return model


def _facts(lesson: Lesson, report: HealthReport, seed: int) -> dict[str, Any]:
    sources, lines = [str(source) for source in lesson.sources], report.lines()
    if lesson.base is not None:
        sources = [*lesson.base.facts.get("sources", []), *sources]
        lines = [f"measured when {', '.join(lesson.items)} were learned together", *lines]
    return {"sources": sources, "health": lines, "seed": seed}


def _largest_shared(
    lesson: Lesson, seed: int, place: torch.device, checkpoint: Path | None, progress: bool | OnProgress
) -> tuple[CodeModel, HealthReport]:
    """Codebooks twice as large each time, until too few codes are shared; the last before that, or the smallest."""
    kept = None
    for size in SIZES:
        if kept and size > min(int(own.tokens.counts.sum()) for own in lesson.items.values()):
            break
        sized = replace(lesson, config=replace(lesson.config, codes=size))
        model, report = _refined_fit(sized, seed, place, _numbered(checkpoint, size), progress)
        LOG.info("%d codes: every two modalities share %.0f %%", size, 100 * report.joint_use_by_all)
        few = report.joint_use_by_all < LEAST_SHARED_BY_ALL
        if not (kept and few):
            kept = model, report
        if few:
            break
    assert kept is not None
    return kept


def _refined_fit(
    lesson: Lesson, seed: int, place: torch.device, checkpoint: Path | None, progress: bool | OnProgress
) -> tuple[CodeModel, HealthReport]:
    """The best start, learned again as often as the config asks from pairs that its codes chose; and its health."""
    model = _best_start(lesson, seed, place, checkpoint, progress)
    for turn in range(1, lesson.config.refinements + 1):
        lesson = replace(lesson, sources=refined(model, lesson.items, lesson.sources))
        model = _best_start(lesson, seed, place, _numbered(checkpoint, turn), progress)
    return model, shared_use(model, lesson.items, lesson.sources)


def _best_start(
    lesson: Lesson, seed: int, place: torch.device, checkpoint: Path | None, progress: bool | OnProgress
) -> CodeModel:
    runs = [
        _fit_once(lesson, seed_of(seed, 4, number), place, _numbered(checkpoint, number), progress)
        for number in range(lesson.config.restarts)
    ]
    mismatches = [mismatch(model, lesson.items, lesson.sources) for model in runs]
    LOG.info("code matching loss of each start: %s", ", ".join(f"{loss:.3f}" for loss in mismatches))
    return runs[int(np.argmin(mismatches))]


def _fit_once(
    lesson: Lesson, seed: int, place: torch.device, checkpoint: Path | None, progress: bool | OnProgress
) -> CodeModel:
    model = build_model(lesson.items, lesson.config, seed, lesson.base).to(place)
    objective = CodesObjective(model, lesson.items, lesson.sources)
    schedule = Schedule.over(max(map(len, lesson.sources)), lesson.config.optimisation, seed)
    saved = Checkpoint(checkpoint, _fingerprint(lesson, schedule)) if checkpoint else None
    train(objective, schedule, checkpoint=saved, progress=progress, stage="learning codes")
    return model.eval()


def checkpoints_of(checkpoint: Path) -> list[Path]:
    """The files that starts were saved in."""
    return sorted(checkpoint.parent.glob(f"{checkpoint.name}.[0-9]*"))


def _fingerprint(lesson: Lesson, schedule: Schedule) -> str:
    """Of all that determines a start: config, schedule, a sample of the tokens, which rows are pairs, and the base."""
    sources, config, base = lesson.sources, lesson.config, lesson.base
    data = [torch.from_numpy(own.tokens.rows(np.arange(min(64, len(own.tokens))))) for own in lesson.items.values()]
    data += [torch.from_numpy(np.ascontiguousarray(own.pooled.vectors)) for own in lesson.items.values()]
    data += [torch.from_numpy(rows) for source in sources for rows in (source.left_rows, source.right_rows)]
    data += list(base.state_dict().values()) if base else []
    return fingerprint(repr((asdict(config), schedule, [(str(source), source.weight) for source in sources])), data)


def _numbered(checkpoint: Path | None, number: int) -> Path | None:
    return checkpoint and checkpoint.with_name(f"{checkpoint.name}.{number}")


@torch.no_grad()
def mismatch(model: CodeModel, items: Mapping[str, CodeItems], sources: Sequence[PairSource]) -> float:
    """The code matching loss (B.7) over a sample of each source's pairs, mean over sources; no label is known.

    A start in which two concepts fell into one code cannot tell pairs apart that differ in them, and shows it here.
    """
    model.eval()
    losses = []
    for source in sources:
        picked = np.arange(0, len(source), max(1, len(source) // MATCHED_PAIRS))[:MATCHED_PAIRS]
        sides = ((source.left, source.left_rows), (source.right, source.right_rows))
        left, right = (
            model.see(name, *items[name].batch(rows[picked], model.device)).log_codes for name, rows in sides
        )
        losses.append(code_matching(left, right).item())
    return float(np.mean(losses))


def shared_use(model: CodeModel, items: Mapping[str, CodeItems], sources: Sequence[PairSource]) -> HealthReport:
    """How well the codes are shared over a sample of what they were learned from; nothing but the pairs is known."""
    codes: dict[str, list[np.ndarray]] = {}
    for name, own in items.items():
        sample = own.tokens.take(_spread(len(own.tokens), REPORT_ITEMS))
        codes.setdefault(own.tokens.modality, []).append(model.assign(sample, name))
    overlap = {f"{source.left} and {source.right}": _overlap(model, items, source) for source in sources}
    return health({name: np.concatenate(own) for name, own in codes.items()}, len(model.codebook), overlap=overlap)


def _overlap(model: CodeModel, items: Mapping[str, CodeItems], source: PairSource) -> Contrast:
    picked = _spread(len(source), REPORT_ITEMS)
    uses = []
    for name, rows in ((source.left, source.left_rows), (source.right, source.right_rows)):
        distinct, place = np.unique(rows[picked], return_inverse=True)
        tokens = items[name].tokens.take(distinct)
        uses.append(use_of_items(model.assign(tokens, name), tokens.offsets, len(model.codebook))[place])
    return concept_overlap(*uses)


def build_model(
    items: Mapping[str, CodeItems], config: CodesConfig, seed: int, base: CodeModel | None = None
) -> CodeModel:
    """An untrained model with its codebook started, or ``base`` with untrained views; all follows from the seed."""
    views = {name: View.of(own.tokens, own.pooled) for name, own in items.items()}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(seed, 2))
        if base is not None:
            return base.extended({name: view for name, view in views.items() if name not in base.views})
        model = CodeModel(views, config)
    draw = torch.Generator().manual_seed(seed_of(seed, 3))
    if config.start == "normal":
        model.codebook.start_normal(draw)
    else:
        model.codebook.start_from(_mixed_tokens(model, items, draw), draw)
    return model


@torch.no_grad()
def _mixed_tokens(model: CodeModel, items: Mapping[str, CodeItems], draw: torch.Generator) -> torch.Tensor:
    """Projected tokens, equally many of each modality, normalised as in training."""
    model.train()
    of: dict[str, list[torch.Tensor]] = {}
    for name, own in items.items():
        rows = torch.randperm(len(own.tokens), generator=draw)[:START_ITEMS].numpy()
        vectors = torch.from_numpy(own.tokens.rows(np.sort(rows)))
        of.setdefault(own.tokens.modality, []).append(model.project(name, vectors))
    pools = [torch.cat(own) for own in of.values()]
    fewest = min(START_TOKENS, *map(len, pools))
    return torch.cat([pool[torch.randperm(len(pool), generator=draw)[:fewest]] for pool in pools])


def _check(lesson: Lesson) -> None:
    items, sources, base = lesson.items, lesson.sources, lesson.base
    reached = {name for source in sources for name in (source.left, source.right)}
    for name in reached - set(items):
        raise IsthmusError(f"a pair source names the view {name!r}: there are {', '.join(items)}")
    for name in set(items) - reached:
        raise IsthmusError(f"no pair source reaches the view {name!r}: add one, or leave the view out")
    if lesson.config.refinements and all(source.candidates is None for source in sources):
        raise IsthmusError("option refinements needs retrieved or pseudo pairs, and there are none: leave it at 0")
    if base is not None:
        for name in set(items) & set(base.views):
            if View.of(items[name].tokens, items[name].pooled) != base.views[name]:
                raise IsthmusError(f"the view {name!r} is another than the base has: {base.views[name]}; rename it")
        if not set(items) - set(base.views):
            raise IsthmusError(f"the base has every view already ({', '.join(base.views)}): give one that it lacks")


def _spread(count: int, most: int) -> np.ndarray:
    """At most so many row numbers, evenly spread over all."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))
