"""What a bulk job can be asked: at once the options of `isthmus embed` and the keywords of `embed`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from isthmus.base.options import check_types, require

RunnerName = Literal["local", "ray"]
Precision = Literal["float32", "bfloat16", "float16"]
StoredType = Literal["float16", "float32"]


@dataclass(frozen=True)
class EmbedConfig:
    """How media are listed, encoded and stored."""

    column: str | None = None
    """Column of a table or dataset that holds texts, paths or media."""
    id_column: str | None = None
    """Column of ids; without it paths or row numbers are ids."""
    tokens: bool = False
    """Keep fine-grained tokens too (patches, seconds of sound, words), for codes and localize."""
    prune: bool = False
    """Drop rows of items that are not there any more."""
    retry: bool = False
    """Try again what could not be read before."""
    runner: RunnerName = "local"
    """Where encoders run: in this process, or as Ray actors on one machine or many."""
    actors: int = 1
    """How many Ray actors."""
    workers: int | None = None
    """Decoding processes beside each encoder; by default half the cores, all of them with a GPU."""
    batch: int | None = None
    """Items (windows of sounds) encoded at once."""
    shard_items: int = 2000
    """Items a shard; what was killed goes on at its first unfinished shard."""
    device: str | None = None
    """cpu or cuda; cuda where present if not given."""
    precision: Precision = "float32"
    """The encoder's arithmetic; bfloat16 is faster where the processor has it, and its vectors differ a little."""
    dtype: StoredType = "float16"
    """Precision on disk."""
    timeout: float = 120.0
    """Seconds after which a file that is still being read is given up."""

    def __post_init__(self) -> None:
        check_types(self)
        for option in ("actors", "batch", "shard_items"):
            value = getattr(self, option)
            require(value is None or value >= 1, option.replace("_", "-"), "at least 1", value)
        require(self.workers is None or self.workers >= 0, "workers", "at least 0", self.workers)
        require(self.timeout > 0, "timeout", "above 0 seconds", self.timeout)
