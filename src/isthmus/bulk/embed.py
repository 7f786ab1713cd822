"""Embed: the public function. Lists, plans, runs, commits, and says what became of every item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isthmus.base.errors import IsthmusError
from isthmus.base.options import make_config
from isthmus.bulk.config import EmbedConfig
from isthmus.bulk.job import Job
from isthmus.bulk.local_runner import Numbered, run_local
from isthmus.bulk.modality import modality_at
from isthmus.bulk.plan import Plan, make_plan
from isthmus.bulk.progress import OnItem, item_bar
from isthmus.bulk.records import ERRORS, Failure
from isthmus.bulk.store import Store, Written, only_writer
from isthmus.embeddings.manifest import ModalityManifest
from isthmus.media import Item, list_media
from isthmus.spaces import Space, load_space
from isthmus.spaces.registry import best_device, parse


@dataclass(frozen=True)
class Summary:
    """What an embedding job did."""

    out: Path
    space: str
    modality: str
    rows: int
    embedded: int
    same: int
    failed: tuple[Failure, ...]
    dropped: int
    moved: int
    gone: int

    def __str__(self) -> str:
        lines = [f"{self.modality}: {self.rows} rows in space {self.space!r}; {self.embedded} embedded now"]
        if self.same:
            lines.append(f"  {self.same} were there already")
        if self.failed:
            example = self.failed[0]
            lines.append(
                f"  {len(self.failed)} could not be read, see {self.out / ERRORS}; the first: {example.reason}"
            )
        if self.dropped:
            lines.append(f"  {self.dropped} rows of items that changed or went were dropped")
        if self.moved:
            lines.append(f"  {self.moved} have a new name and the same content: their rows were renamed")
        if self.gone:
            lines.append(f"  {self.gone} rows are of items that are not there any more: --prune drops them")
        return "\n".join(lines)


def embed(
    where: str | Path,
    out: str | Path,
    *,
    space: str,
    modality: str | None = None,
    config: EmbedConfig | None = None,
    progress: bool = False,
    **options: Any,
) -> Summary:
    """Embed the media at ``where`` through a space into the set at ``out``.

    ``where``: see `media.list_media`. ``space``: see `spaces.load_space`. ``options`` are those of `EmbedConfig`, or
    ``config`` is one. Items that are in the set already are left, changed ones embedded anew; a run that was killed
    goes on at its first unfinished shard. What cannot be read goes to ``errors.parquet`` and is tried again when it
    changes, or with ``retry``. The result depends on neither runner nor workers, but for the last bits of sums.

    Raises `IsthmusError` where there is nothing to embed, the space cannot be loaded or lacks the modality, or the
    set at ``out`` was made otherwise.
    """
    if config is not None and options:
        raise IsthmusError(f"option {next(iter(options))} stands beside a config: set it in the config")
    job, loaded, items = _asked(Path(where), Path(out), space, modality, config or make_config(EmbedConfig, options))
    with only_writer(job.out):
        return _embedded(job, loaded, items, progress=progress)


def _asked(
    where: Path, out: Path, space: str, modality: str | None, config: EmbedConfig
) -> tuple[Job, Space, list[Item]]:
    """What is to be embedded and through what, checked before anything is written."""
    family, _, _ = parse(space)
    chosen = modality or modality_at(where, family)
    if chosen not in family.modalities:
        raise IsthmusError(f"the space {space!r} has no {chosen!r}: it has {', '.join(family.modalities)}")
    items = list(list_media(where, chosen, column=config.column, id_column=config.id_column, kind=family.kind))
    job = Job(space, chosen, out.absolute(), config.device or best_device(), config)
    loaded = load_space(space, device=job.device, precision=config.precision)
    if config.tokens:
        loaded.check_tokens(chosen)
    return job, loaded, items


def _embedded(job: Job, space: Space, items: Sequence[Item], *, progress: bool) -> Summary:
    """Compare with what is there, drop what changed, run, and sum up."""
    store = Store(job.out, _entry(job, space))
    store.clean()
    plan = make_plan(items, store, retry=job.config.retry)
    dropping = plan.changed | (plan.gone if job.config.prune else frozenset())
    store.edit(dropping, plan.moved)
    before = store.entry.rows
    _run(job, space, plan, store, progress=progress)
    return Summary(
        out=job.out,
        space=space.name,
        modality=job.modality,
        rows=store.entry.rows,
        embedded=store.entry.rows - before,
        same=plan.same,
        failed=tuple(store.failures),
        dropped=len(dropping),
        moved=len(plan.moved),
        gone=0 if job.config.prune else len(plan.gone),
    )


def embed_each(
    places: Sequence[Path], out: Path, *, space: str, modality: str | None, config: EmbedConfig
) -> Iterator[Summary]:
    """`embed` one place after another, each of another modality, with progress: what `isthmus embed` does."""
    family, _, _ = parse(space)
    kinds = [modality or modality_at(place, family) for place in places]
    twice = next((kind for kind in kinds if kinds.count(kind) > 1), None)
    if twice is not None:
        raise IsthmusError(f"two places hold {twice}: put them into one folder, list or table")
    if not places:
        raise IsthmusError("nothing to embed: give a folder, a list, a table, a .tar or a dataset")
    for place, kind in zip(places, kinds, strict=True):
        yield embed(place, out, space=space, modality=kind, config=config, progress=True)


def _entry(job: Job, space: Space) -> ModalityManifest:
    """What the manifest says of rows this job makes; the dimension is known once there are some."""
    preparation = space.preparation(job.modality).fingerprint
    made = f"{preparation} {job.config.precision}" + (" with tokens" if job.config.tokens else "")
    return ModalityManifest(job.modality, space.name, 0, job.config.dtype, True, (), space.revision, made)


def _run(job: Job, space: Space, plan: Plan, store: Store, *, progress: bool) -> None:
    shards = list(zip(store.new_numbers(), plan.shards(job.config.shard_items), strict=False))
    if not plan.todo:
        return
    with item_bar(f"embedding {job.modality}", len(plan.todo)) if progress else nullcontext(_unseen) as on_item:
        for written in RUNNERS[job.config.runner](job, space, shards, on_item):
            store.commit(written)


def _by_ray(job: Job, space: Space, shards: Sequence[Numbered], on_item: OnItem) -> Iterator[Written]:
    from isthmus.bulk.ray_runner import run_ray

    for written in run_ray(job, shards):
        yield written
        for readable, count in ((True, written.shard.rows), (False, len(written.failures))):
            for _ in range(count):
                on_item(readable)


def _unseen(readable: bool) -> None:
    """Progress that nobody looks at."""


RUNNERS = {"local": run_local, "ray": _by_ray}
