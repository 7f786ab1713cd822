"""`embed`: list, plan, run, commit, and sum up what became of every item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from isthmus.base.devices import checked_device
from isthmus.base.errors import IsthmusError
from isthmus.base.options import config_from
from isthmus.base.paths import user_path
from isthmus.base.progress import OnProgress, Stage, reporting
from isthmus.bulk.config import EmbedConfig
from isthmus.bulk.job import ItemCount, Job
from isthmus.bulk.local_runner import run_local
from isthmus.bulk.modality import modality_at
from isthmus.bulk.plan import Plan, make_plan
from isthmus.bulk.ray_runner import run_ray
from isthmus.bulk.records import ERRORS, Failure, uri_of
from isthmus.bulk.store import Store
from isthmus.embeddings.manifest import ModalityManifest
from isthmus.media import Item, list_media
from isthmus.media.listing.left_out import LeftOut
from isthmus.spaces import Space, load_space
from isthmus.spaces.registry import parse

RUNNERS = {"local": run_local, "ray": run_ray}
REPORTED = 1000
"""Items of a listing from one report of its progress to the next."""


@dataclass(frozen=True)
class Summary:
    """What `embed` did. Printed, it is a few lines of text; the last accounts for everything that was found.

    Attributes:
        out: The folder of the set.
        space: The name of the space.
        modality: The modality that was embedded.
        rows: How many rows of the modality the set has now.
        embedded: How many of them are new or were embedded again.
        same: How many items were already in the set.
        failed: Every item of the set that could not be read, now or before, from this place or another.
        dropped: How many rows were dropped because their items changed or, with ``prune``, are gone.
        moved: How many rows got a new id because their files moved.
        gone: How many rows are of local files that no longer exist.
        listed: How many items were found: embedded, already there, moved or failed.
        failed_here: How many of them could not be read.
        cut: How many of the texts embedded now are longer than the encoder reads.
        left_out: What was found and not taken: files of other kinds by suffix, doubled and empty texts, and others; and
            where the ids come from, if a column has them or might.

    Example:
        >>> from collections import Counter
        >>> from pathlib import Path
        >>> found = LeftOut(kinds=Counter({".heic": 1}))
        >>> counts = {"embedded": 2, "same": 7, "failed": (), "dropped": 0, "moved": 0, "gone": 0, "listed": 9}
        >>> print(Summary(Path("set"), "clip", "image", 9, **counts, left_out=found))
        image: 9 rows in space 'clip', 2 of them embedded now
          9 found: 2 embedded, 7 already there, 0 failed; skipped .heic 1
    """

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
    listed: int = 0
    failed_here: int = 0
    cut: int = 0
    left_out: LeftOut = field(default_factory=LeftOut)

    def __str__(self) -> str:
        lines = [f"{self.modality}: {self.rows} rows in space {self.space!r}, {self.embedded} of them embedded now"]
        if self.failed:
            lines.append(
                f"  {len(self.failed)} could not be read, see {self.out / ERRORS}; the first: {self.failed[0].reason}"
            )
        if self.dropped:
            lines.append(f"  {self.dropped} rows were dropped because their items changed or are gone")
        if self.moved:
            lines.append(f"  {self.moved} rows were renamed because their files moved")
        if self.gone:
            lines.append(f"  {self.gone} rows are of files that no longer exist: --prune drops them")
        return "\n".join([*lines, f"  {self.account}"])

    @property
    def account(self) -> str:
        """One line: what became of every item, and what else was found."""
        moved = f"{self.moved} moved, " if self.moved else ""
        done = f"{self.embedded} embedded, {self.same} already there, {moved}{self.failed_here} failed"
        parts = [f"{self.listed} found: {done}"]
        if self.cut:
            parts.append(f"cut {self.cut} (longer than the encoder reads)")
        if self.left_out.doubled:
            parts.append(f"doubled {self.left_out.doubled} (taken once)")
        if self.left_out.empty:
            parts.append(f"empty {self.left_out.empty}")
        if self.left_out.kinds:
            parts.append(f"skipped {self.left_out.kinds_in_words}")
        if self.left_out.others:
            parts.append(f"left out: {self.left_out.others_in_words}")
        if self.left_out.ids:
            parts.append(f"ids: {self.left_out.ids}")
        return "; ".join(parts)


def embed(
    where: str | Path,
    out: str | Path,
    *,
    space: str,
    modality: str | None = None,
    config: EmbedConfig | None = None,
    progress: bool | OnProgress = False,
    **options: Any,
) -> Summary:
    """Embed a folder, list or table of media into an embedding set on disk.

    Items that are in the set already are skipped, changed ones are embedded again, and an interrupted run continues at
    its first unfinished shard. Items that cannot be read are listed in ``errors.parquet`` and tried again when they
    change, or with ``retry``. Runner and workers do not change the result, except for the rounding of sums.

    In a script, call it under ``if __name__ == "__main__":``, because decoding processes begin by importing the script.

    Args:
        where: What to embed; see `isthmus.media.list_media`.
        out: The folder of the set; other modalities of the same space can be added to it.
        space: The encoder; see `load_space`.
        modality: What the items are; by default what most files at ``where`` are.
        config: The options, or pass them as keywords.
        progress: True shows a bar on stderr; a callable receives every `Progress`, with ``values["unreadable"]``.
        **options: The fields of `EmbedConfig`.

    Returns:
        What became of the items.

    Raises:
        IsthmusError: There is nothing to embed, the space cannot be loaded or lacks the modality, or the set at ``out``
            was made with other settings.

    Example:
        >>> import isthmus, numpy as np, tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> (folder / "vectors").mkdir()
        >>> for name in ("rain", "dog"):
        ...     np.save(folder / "vectors" / f"{name}.npy", np.ones(4, np.float32))
        >>> summary = isthmus.embed(
        ...     folder / "vectors", folder / "set", space="precomputed:mine", modality="audio", workers=0
        ... )
        >>> print(summary)
        audio: 2 rows in space 'mine', 2 of them embedded now
          2 found: 2 embedded, 0 already there, 0 failed
        >>> isthmus.open_set(folder / "set")["audio"].ids
        ['dog.npy', 'rain.npy']
    """
    chosen = config_from(EmbedConfig, config, options)
    left_out = LeftOut()
    with reporting(progress) as report:
        job, loaded, items = _job(user_path(where), user_path(out), space, modality, chosen, left_out, report)
        with Store(job.out, _entry(job, loaded, items)) as store:
            return replace(_embedded(job, loaded, items, store, report), left_out=left_out)


def _job(
    where: Path,
    out: Path,
    space: str,
    modality: str | None,
    config: EmbedConfig,
    left_out: LeftOut,
    report: OnProgress,
) -> tuple[Job, Space, list[Item]]:
    """The job, its space and its items, checked before anything is written."""
    device = checked_device(config.device)
    family, _, _ = parse(space)
    chosen = modality or modality_at(where, family)
    if chosen not in family.modalities:
        raise IsthmusError(f"the space {space!r} has no {chosen!r}: it has {', '.join(family.modalities)}")
    listed = list_media(
        where,
        chosen,
        column=config.column,
        id_column=config.id_column,
        kind=family.kind,
        allow_outside=config.allow_outside,
        left_out=left_out,
    )
    items = list(_reported(listed, Stage(f"listing {chosen}", None), report))
    job = Job(space, chosen, out.absolute(), device, config)
    loaded = load_space(space, device=job.device, precision=config.precision)
    if config.tokens:
        loaded.check_tokens(chosen)
    return job, loaded, items


def _reported(items: Iterable[Item], stage: Stage, report: OnProgress) -> Iterator[Item]:
    """The items, with a report now and then: a long list takes a while."""
    for number, item in enumerate(items, start=1):
        if number % REPORTED == 0:
            report(stage.at(number))
        yield item


def _embedded(job: Job, space: Space, items: Sequence[Item], store: Store, report: OnProgress) -> Summary:
    """Compare the items with the set, drop and rename rows, embed what is new, and sum up."""
    plan = make_plan(items, store, retry=job.config.retry, prune=job.config.prune, timeout=job.config.timeout)
    dropping = plan.changed | (plan.gone if job.config.prune else frozenset())
    store.edit(dropping, plan.moved)
    before = store.entry.rows
    cut = _run(job, space, plan, store, report) if plan.todo else 0
    store.finish()
    failed = {failure.id for failure in store.failures}
    listed = {(item.id, uri_of(item)) for item in items if item.id in failed}
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
        listed=len(items),
        failed_here=sum((failure.id, failure.uri) in listed for failure in store.failures),
        cut=cut,
    )


def _entry(job: Job, space: Space, items: Sequence[Item]) -> ModalityManifest:
    """The manifest entry of the rows this job makes, without shards; the first rows give the dimension."""
    preparation = space.preparation(job.modality).fingerprint
    made = f"{preparation} {job.config.precision}" + (" with tokens" if job.config.tokens else "")
    numbered = any(item.numbered for item in items)
    return ModalityManifest(job.modality, space.name, 0, job.config.dtype, True, (), space.revision, made, numbered)


def _run(job: Job, space: Space, plan: Plan, store: Store, report: OnProgress) -> int:
    """Embed the planned items and commit their shards; returns how many texts were cut."""
    job = replace(job, dim=store.dim)
    parts = list(plan.shards(job.config.shard_items))
    shards = list(zip(store.claim(len(parts)), parts, strict=True))
    count = ItemCount(Stage(f"embedding {job.modality}", len(plan.todo)), report)
    cut = 0
    for files in RUNNERS[job.config.runner](job, space, shards, count):
        store.commit(files)
        cut += files.cut
    return cut
