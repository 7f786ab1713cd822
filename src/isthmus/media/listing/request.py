"""A request: what a listing is asked for, and what it leaves out."""

from __future__ import annotations

from dataclasses import dataclass, field

from isthmus.media.listing import tables
from isthmus.media.listing.left_out import LeftOut
from isthmus.media.readers import audio, image, points, vector, video

SUFFIXES = {
    "image": image.SUFFIXES,
    "audio": (*audio.SUFFIXES, *video.SUFFIXES),
    "video": video.SUFFIXES,
    "points": points.SUFFIXES,
    "text": tables.SUFFIXES,
    "vector": vector.SUFFIXES,
}
"""The suffixes of each kind of file. Videos are audio, too: their sound track."""


@dataclass(frozen=True)
class Request:
    """The kind of items that are asked for, and the options of the listing."""

    kind: str
    column: str | None = None
    id_column: str | None = None
    allow_outside: bool = False
    left_out: LeftOut = field(default_factory=LeftOut)

    @property
    def texts(self) -> bool:
        """Whether texts are asked for."""
        return self.kind == "text"

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The suffixes of files of the kind; for texts, those of tables."""
        return SUFFIXES[self.kind]

    @property
    def media_columns(self) -> tuple[str, ...]:
        """Usual names of columns that hold the media themselves: image, jpg, png, …"""
        return (self.kind, *(suffix.removeprefix(".") for suffix in self.suffixes))
