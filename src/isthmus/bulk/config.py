"""The options of `embed` and of ``isthmus embed``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from isthmus.base.options import check_types, require

RunnerName = Literal["local", "ray"]
Precision = Literal["float32", "bfloat16", "float16"]
StoredType = Literal["float16", "float32"]


@dataclass(frozen=True)
class EmbedConfig:
    """How media are listed, encoded and stored.

    Example:
        >>> from isthmus import EmbedConfig
        >>> EmbedConfig(tokens=True, workers=2).shard_items
        2000
    """

    column: str | None = None
    """Column of a table or dataset that holds the texts, paths or media; of a .tar, the extension of its members."""
    id_column: str | None = None
    """Column of ids; by default paths, texts or row numbers are the ids."""
    allow_outside: bool = False
    """Also read local files that a list, table or dataset names outside its own folder."""
    tokens: bool = False
    """Keep fine-grained tokens as well (patches, seconds of audio, words), for codes and localize."""
    prune: bool = False
    """Drop the rows of local files that no longer exist."""
    retry: bool = False
    """Try items again that could not be read before."""
    runner: RunnerName = "local"
    """Where encoders run: in this process, or as Ray actors on one machine or many."""
    actors: int = 1
    """Number of Ray actors."""
    workers: int | None = None
    """Decoding processes per encoder; by default half the cores, all of them with a GPU; 0 decodes in process."""
    batch: int | None = None
    """Items, or windows of audio, to encode at once."""
    shard_items: int = 2000
    """Items per shard; an interrupted run continues at its first unfinished shard."""
    device: str | None = None
    """cpu, cuda or cuda:N; by default cuda if there is one."""
    precision: Precision = "float32"
    """The encoder's arithmetic; bfloat16 is faster on processors that have it, and changes the vectors slightly."""
    dtype: StoredType = "float16"
    """Precision of the vectors on disk."""
    timeout: float = 120.0
    """Seconds a file may take to read."""

    def __post_init__(self) -> None:
        check_types(self)
        for option in ("actors", "batch", "shard_items"):
            value = getattr(self, option)
            require(value is None or value >= 1, option.replace("_", "-"), "at least 1", value)
        require(self.workers is None or self.workers >= 0, "workers", "at least 0", self.workers)
        require(self.timeout > 0, "timeout", "above 0 seconds", self.timeout)
