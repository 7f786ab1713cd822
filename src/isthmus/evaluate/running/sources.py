"""Sources of vectors: an encoder that embeds what annotations name, or sets that were embedded before.

An encoder's rows are kept in one set per encoder in the working folder. Media are known there by their path, texts by
themselves, so tasks that share files or texts share rows; a file that changed is embedded again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from isthmus.base.atomic import write_text_atomically
from isthmus.base.errors import IsthmusError
from isthmus.base.hashing import fingerprint_of
from isthmus.base.progress import OnProgress
from isthmus.bulk.config import EmbedConfig, Precision
from isthmus.bulk.embed import embed
from isthmus.embeddings import Embeddings, open_set
from isthmus.evaluate.annotations.data import DataItem
from isthmus.evaluate.annotations.folder import DataFolder, plain_name
from isthmus.evaluate.coverage import MediaCount
from isthmus.evaluate.running.frames import TakeFrames, taking_frames, videos_themselves
from isthmus.media.item import as_unicode
from isthmus.spaces.registry import load_space, parse


@dataclass(frozen=True)
class Found:
    """The vectors of some entries, and what became of the others.

    Attributes:
        rows: The vectors, each once.
        row_of: The row of each entry that has one, by the entry's id.
        side: What is missing, and why.
    """

    rows: Embeddings
    row_of: Mapping[str, int]
    side: MediaCount


@dataclass(frozen=True)
class EncodeOptions:
    """How encoders run."""

    device: str | None = None
    precision: Precision = "float32"
    batch: int | None = None
    workers: int | None = None

    def config(self, column: str | None, id_column: str | None) -> EmbedConfig:
        """The options of `embed`, for a table with these columns."""
        own = {name: getattr(self, name) for name in ("device", "precision", "batch", "workers")}
        return EmbedConfig(column=column, id_column=id_column, allow_outside=True, dtype="float32", **own)


@dataclass(frozen=True)
class EncoderSource:
    """Embeds what a task needs into a set in the working folder, which later tasks and runs find there.

    Args:
        spec: The encoder, as for `load_space`.
        work: The working folder.
        options: How it runs.
        progress: As for `embed`.
    """

    spec: str
    work: Path
    options: EncodeOptions = EncodeOptions()
    progress: bool | OnProgress = False
    _known: dict[str, str] = field(default_factory=dict)

    @property
    def space(self) -> str:
        """The name of the space."""
        return self._facts()["space"]

    @property
    def revision(self) -> str:
        """Which weights these are."""
        return self._facts()["revision"]

    def has(self, modality: str) -> bool:
        """Whether the encoder encodes a modality."""
        return modality in parse(self.spec)[0].modalities

    def find(self, modality: str, entries: Sequence[DataItem], data: DataFolder) -> Found:
        """Embed the entries that have a file or a text, and say which have none or cannot be read."""
        wanted = named_sources(modality, entries, data, self.take)
        missing = tuple(own.id for own in entries if own.id not in wanted)
        if not wanted:
            raise IsthmusError(
                f"{data}: has no {modality} of the {len(entries)} that are annotated: {_example(entries)}"
            )
        columns = (None, None) if modality == "text" else ("path", "id")
        summary = embed(
            self._listing(modality, sorted(set(wanted.values()))),
            self.set_folder,
            space=self.spec,
            modality=modality,
            config=self.options.config(*columns),
            progress=self.progress,
        )
        failed = {own.id: own.reason for own in summary.failed if own.modality == modality}
        rows = open_set(self.set_folder).get(modality)
        if rows is None:
            reason = next(iter(failed.values()), "no reason is known")
            raise IsthmusError(f"none of {len(wanted)} {modality} files could be read ({reason}): check the files")
        place = {name: row for row, name in enumerate(rows.ids)}
        row_of = {own: place[name] for own, name in wanted.items() if name in place}
        unreadable = {own: failed.get(name, "not embedded") for own, name in wanted.items() if name not in place}
        taken = len(videos_of(entries, data)) if modality == "image" else 0
        return Found(rows, row_of, MediaCount(len(entries), len(row_of), missing, unreadable, summary.cut, taken))

    @property
    def take(self) -> TakeFrames:
        """What takes frames of videos, and keeps them in the working folder."""
        return taking_frames(self.work / "frames", self.progress)

    @property
    def set_folder(self) -> Path:
        """The set of this encoder; its name tells revisions and precisions apart."""
        facts = self._facts()
        stem = re.sub(r"[^A-Za-z0-9._-]+", "_", facts["space"])
        print_ = fingerprint_of(facts["space"], facts["revision"], self.options.precision)[:8]
        return self.work / "sets" / f"{stem}-{print_}"

    def _listing(self, modality: str, names: Sequence[str]) -> Path:
        """A table that `embed` reads: texts, or paths that are their own ids."""
        fields = ("text",) if modality == "text" else ("id", "path")
        lines = [json.dumps(dict.fromkeys(fields, name)) for name in names]
        path = self.work / "listings" / f"{modality}-{fingerprint_of(*names)}.jsonl"
        write_text_atomically(path, "\n".join(lines) + "\n")
        return path

    def _facts(self) -> dict[str, str]:
        """Name and revision of the space; the encoder is loaded once to know them."""
        if not self._known:
            loaded = load_space(self.spec, device="cpu", precision="float32")
            self._known.update(space=loaded.name, revision=loaded.revision)
        return self._known


@dataclass(frozen=True)
class SetSource:
    """Vectors of sets that were embedded before; media are found by the names in their ids, texts by themselves.

    Args:
        space: The space of the sets.
        sets: Modality to embeddings.
    """

    space: str
    sets: Mapping[str, Embeddings]

    @property
    def revision(self) -> str:
        """The revision that the sets record."""
        return next((own.revision for own in self.sets.values() if own.revision), "")

    def has(self, modality: str) -> bool:
        """Whether there is a set of a modality."""
        return modality in self.sets

    def find(self, modality: str, entries: Sequence[DataItem], data: DataFolder) -> Found:
        """The rows of entries."""
        rows = self.sets[modality]
        if rows.numbered and modality != "text":
            raise IsthmusError(
                f"the {modality} set of {self.space!r} has no ids, only row numbers, which do not say what a row "
                "is of: make it with ids that contain the names of the files"
            )
        row_of = text_rows(rows, entries) if modality == "text" else media_rows(rows, entries)
        if not row_of:
            raise IsthmusError(
                f"the {modality} set of {self.space!r} has none of the {len(entries)} items of the task (its ids look "
                f"like {rows.ids[0]!r}): {_example(entries)}"
            )
        missing = tuple(own.id for own in entries if own.id not in row_of)
        return Found(rows, row_of, MediaCount(len(entries), len(row_of), missing))


Source = EncoderSource | SetSource
"""Gives vectors of one space."""


def set_sources(folders: Sequence[Path], spaces: Sequence[str] = ()) -> list[SetSource]:
    """The sets in some folders by space. Raises `IsthmusError` if two have the same modality of a space."""
    found: dict[str, dict[str, Embeddings]] = {}
    for place, folder in enumerate(folders):
        for modality, own in open_set(folder, spaces[place] if spaces else None).items():
            if modality in found.setdefault(own.space, {}):
                raise IsthmusError(f"{folder}: a set before it has {modality} of {own.space!r} too: give only one")
            found[own.space][modality] = own
    return [SetSource(space, sets) for space, sets in found.items()]


def named_sources(
    modality: str, entries: Sequence[DataItem], data: DataFolder, take: TakeFrames = videos_themselves
) -> dict[str, str]:
    """For each entry, by id, the text or the absolute path that it is embedded from; entries without one are absent.

    An image that only a video has is the frame that ``take`` takes.
    """
    if modality == "text":
        return {own.id: as_unicode(own.text) for own in entries if own.text.strip()}
    media = data.media(modality)
    paths = {own.id: path for own in entries if (path := media.of(own)) is not None}
    videos = videos_of(entries, data) if modality == "image" else {}
    paths |= take(videos) if videos else {}
    return {own.id: as_unicode(str(paths[own.id].absolute())) for own in entries if own.id in paths}


def videos_of(entries: Sequence[DataItem], data: DataFolder) -> dict[str, Path]:
    """The videos of the entries that have no image, by id."""
    images, videos = data.media("image"), data.media("video")
    without = [own for own in entries if images.of(own) is None]
    return {own.id: path for own in without if (path := videos.of(own)) is not None}


def media_rows(rows: Embeddings, entries: Sequence[DataItem]) -> dict[str, int]:
    """Rows whose id is a name of an entry: as a whole, as a file without suffix, or as the folder of frames."""
    by_name: dict[str, int] = {}
    by_folder: dict[str, list[int]] = {}
    for row, name in enumerate(rows.ids):
        path = Path(name)
        for key in (name, path.stem):
            by_name.setdefault(plain_name(key), row)
        by_folder.setdefault(plain_name(path.parent.name), []).append(row)
    found: dict[str, int] = {}
    for own in entries:
        keys = [plain_name(name) for name in own.names]
        named = [by_name[key] for key in keys if key in by_name]
        frames = [by_folder[key] for key in keys if key in by_folder]
        if named:
            found[own.id] = named[0]
        elif frames:
            found[own.id] = frames[0][len(frames[0]) // 2]
    return found


def text_rows(rows: Embeddings, entries: Sequence[DataItem]) -> dict[str, int]:
    """Rows whose id, or whose recorded text, is an entry's text, or whose id is the entry's."""
    by_text = {name: row for row, name in enumerate(rows.ids)}
    for row, text in enumerate(rows.recorded(range(len(rows)), ["text", "caption"])):
        if text:
            by_text.setdefault(text, row)
    found = [(own.id, by_text.get(as_unicode(own.text), by_text.get(own.id))) for own in entries]
    return {name: row for name, row in found if row is not None}


def _example(entries: Sequence[DataItem]) -> str:
    names = entries[0].names or (entries[0].text,) if entries else ("",)
    return f"the first would be named {' or '.join(map(repr, names[:3]))}"
