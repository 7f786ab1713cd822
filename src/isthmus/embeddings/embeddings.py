"""`Embeddings`: unit rows with ids, one modality, one space; in memory or over shards on disk, read when needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from isthmus.base.errors import IsthmusError
from isthmus.base.paths import user_path
from isthmus.embeddings.checks import (
    as_ids,
    as_matrix,
    check_ids,
    check_modality,
    check_rows,
    checked_rows,
    row_numbers,
    unit_rows,
)
from isthmus.embeddings.folder import stored_modalities
from isthmus.embeddings.manifest import require_finished
from isthmus.embeddings.rows import Part, Rows
from isthmus.embeddings.shards import StoredRows
from isthmus.embeddings.writer import SHARD_ROWS, EmbeddingWriter


class Embeddings:
    """Pooled vectors of one modality in one space, with unique string ids.

    Made by `from_array`, `open` or `Space.encode`. Rows have unit length unless made with ``normalize=False``. A set
    on disk is memory-mapped: `batches` and `take` read only the rows they return.

    Attributes:
        modality: What the rows represent: text, image, audio, video, points or a name of your own.
        space: Name of the space.
        dim: Number of dimensions.
        revision: Revision of the encoder, or "".
        origin: Name of the space that the rows were projected from; `space` if they were not, or if they were read
            from disk, where it is not recorded.

    Example:
        >>> from isthmus import Embeddings
        >>> images = Embeddings.from_array(np.eye(3), modality="image", space="clip", ids=["dog", "cat", "car"])
        >>> images
        Embeddings(3 image rows, 3-d, space 'clip')
        >>> images.ids, images.vectors.shape
        (['dog', 'cat', 'car'], (3, 3))
    """

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        modality: str,
        space: str,
        dim: int,
        ids: list[str] | None,
        normalize: bool,
        revision: str = "",
        numbered: bool | None = None,
        origin: str | None = None,
    ) -> None:
        self.modality, self.space, self.dim, self.revision = modality, space, dim, revision
        self.origin = space if origin is None else origin
        self._rows, self._ids, self._numbered = Rows(parts, dim, normalize), ids, numbered

    @classmethod
    def from_array(
        cls,
        vectors: np.ndarray,
        *,
        modality: str,
        space: str,
        ids: Iterable[Any] | None = None,
        normalize: bool = True,
        revision: str = "",
    ) -> Embeddings:
        """Make embeddings of an array.

        Args:
            vectors: Float rows (n, dim).
            modality: What the rows represent: text, image, audio, video, points or a name of your own.
            space: Name of the model that produced the vectors.
            ids: One unique id per row, text or integers. Without them rows are `numbered` "0" to "n-1", and nothing
                pairs them by id.
            normalize: Divide rows by their length.
            revision: Revision of the model.

        Raises:
            IsthmusError: The array is not a matrix of floats, a row is zero or not finite, or ids are not unique, or
                neither text nor integers.

        Example:
            >>> from isthmus import Embeddings
            >>> texts = Embeddings.from_array(np.array([[3.0, 4.0]]), modality="text", space="clip", ids=["a dog"])
            >>> texts.vectors.round(2)
            array([[0.6, 0.8]], dtype=float32)
        """
        check_modality(modality)
        where = f"{modality} vectors"
        rows = as_matrix(vectors, where)
        if not normalize:
            check_rows(rows, where)
        made = unit_rows(rows, where) if normalize else np.ascontiguousarray(rows, dtype=np.float32)
        names = row_numbers(len(rows)) if ids is None else as_ids(ids, where)
        check_ids(names, len(rows), where)
        facts = {"modality": modality, "space": space, "revision": revision}
        return cls([made], dim=rows.shape[1], ids=names, normalize=False, numbered=ids is None, **facts)

    def with_vectors(
        self, vectors: np.ndarray, *, space: str, normalize: bool = False, origin: str | None = None
    ) -> Embeddings:
        """The same items with other vectors, such as those in another space.

        Args:
            vectors: Float rows (n, dim), row by row.
            space: Name of the space of the vectors.
            normalize: Divide rows by their length.
            origin: Name of the space they were projected from, if they were.

        Raises:
            IsthmusError: There are not as many vectors as rows, or as for `from_array`.

        Example:
            >>> from isthmus import Embeddings
            >>> images = Embeddings.from_array(np.eye(2), modality="image", space="clip", ids=["dog", "cat"])
            >>> turned = images.with_vectors(np.eye(2)[::-1], space="joint")
            >>> turned, turned.ids
            (Embeddings(2 image rows, 2-d, space 'joint'), ['dog', 'cat'])
        """
        made = Embeddings.from_array(vectors, modality=self.modality, space=space, ids=self.ids, normalize=normalize)
        made._numbered = self.numbered
        made.origin = space if origin is None else origin
        return made

    @classmethod
    def open(
        cls,
        path: str | Path,
        modality: str | None = None,
        *,
        space: str | None = None,
        id_column: str | None = None,
        unfinished: bool = False,
    ) -> Embeddings:
        """Open one modality of a set on disk, memory-mapped.

        Args:
            path: Folder of the set; folders written by clip-retrieval work too.
            modality: The modality; not needed if the set has only one.
            space: As for `open_set`.
            id_column: As for `open_set`.
            unfinished: Open the rows there are, even if a job has not written all of them.

        Raises:
            IsthmusError: There is no such set or modality, its rows are unfinished, or a shard is missing or truncated.

        Example:
            >>> import tempfile
            >>> from isthmus import Embeddings
            >>> folder = Embeddings.from_array(np.eye(3), modality="image", space="clip").save(tempfile.mkdtemp())
            >>> Embeddings.open(folder)
            Embeddings(3 image rows, 3-d, space 'clip')
        """
        found = stored_modalities(user_path(path), space, id_column)
        if modality is None and len(found) == 1:
            modality = next(iter(found))
        if modality not in found:
            problem = "several modalities" if modality is None else f"no {modality!r} vectors"
            raise IsthmusError(f"{path}: has {problem}: choose one of {', '.join(found)}")
        return embeddings_on_disk(user_path(path), found[modality], unfinished=unfinished)

    def save(self, path: str | Path, *, dtype: str = "float32", shard_rows: int = SHARD_ROWS) -> Path:
        """Write the rows as one modality of a set.

        Args:
            path: Folder of the set; created if it does not exist.
            dtype: Precision on disk, float16 or float32.
            shard_rows: Rows per shard.

        Returns:
            The folder.

        Raises:
            IsthmusError: There are no rows, or the set already has rows of this modality.

        Example:
            >>> import tempfile
            >>> from isthmus import Embeddings, open_set
            >>> folder = tempfile.mkdtemp()
            >>> for modality in ("image", "text"):
            ...     _ = Embeddings.from_array(np.eye(2), modality=modality, space="clip").save(folder)
            >>> list(open_set(folder))
            ['image', 'text']
        """
        if len(self) == 0:
            raise IsthmusError(f"there are no {self.modality} rows to save to {path}: embed some items first")
        with EmbeddingWriter(
            path,
            modality=self.modality,
            space=self.space,
            dim=self.dim,
            dtype=dtype,
            shard_rows=shard_rows,
            revision=self.revision,
            numbered=self.numbered,
            job="Embeddings.save",
            restart=True,
        ) as writer:
            if writer.rows_done:
                raise IsthmusError(
                    f"{path}: already has {writer.rows_done} {self.modality} rows: save to another folder, or append "
                    "with isthmus.embeddings.EmbeddingWriter"
                )
            start = 0
            for block in self.batches(shard_rows):
                writer.append(block, self.ids[start : start + len(block)])
                start += len(block)
        return user_path(path)

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"Embeddings({len(self)} {self.modality} rows, {self.dim}-d, space {self.space!r})"

    @cached_property
    def numbered(self) -> bool:
        """Whether rows have no ids of their own; `ids` are then row numbers, for display, and are never paired.

        Sets saved by version 0.1 do not say it: there, ids "0" to "n-1" count as row numbers.
        """
        return self.ids == row_numbers(len(self)) if self._numbered is None else self._numbered

    @cached_property
    def ids(self) -> list[str]:
        """Unique ids, one per row: those given, or row numbers if the rows are `numbered`."""
        if self._ids is not None:
            return self._ids
        found = self._rows.ids()
        check_ids(found, len(self), f"{self.modality} set")
        return found

    @cached_property
    def vectors(self) -> Float[np.ndarray, "rows dim"]:
        """All rows as float32. Reads a set on disk into memory, once."""
        return self._rows.whole()

    def batches(self, rows: int) -> Iterator[Float[np.ndarray, "block dim"]]:
        """Read consecutive blocks of rows; blocks cross the borders of shards.

        Args:
            rows: Rows per block; the last block may have fewer.

        Yields:
            float32 arrays (rows, dim).

        Example:
            >>> from isthmus import Embeddings
            >>> images = Embeddings.from_array(np.eye(5), modality="image", space="clip")
            >>> [len(block) for block in images.batches(2)]
            [2, 2, 1]
        """
        return self._rows.batches(rows)

    def take(self, index: np.ndarray) -> Embeddings:
        """Take rows by number. Rows in memory are copied; rows on disk are read when needed.

        Args:
            index: Distinct row numbers, in any order, or a boolean mask of all rows.

        Raises:
            IsthmusError: A number is out of range or repeated.

        Example:
            >>> from isthmus import Embeddings
            >>> images = Embeddings.from_array(np.eye(3), modality="image", space="clip", ids=["dog", "cat", "car"])
            >>> images.take(np.array([2, 0])).ids
            ['car', 'dog']
        """
        index = checked_rows(index, len(self), repr(self))
        ids = [self.ids[row] for row in index.tolist()]
        facts = {"modality": self.modality, "space": self.space, "revision": self.revision, "origin": self.origin}
        return Embeddings(
            [self._rows.taken(index)], dim=self.dim, ids=ids, normalize=False, numbered=self.numbered, **facts
        )

    def select(self, ids: Iterable[Any]) -> Embeddings:
        """Take rows by id.

        Args:
            ids: Distinct ids, in any order.

        Raises:
            IsthmusError: There is no row with one of the ids, or one is repeated.

        Example:
            >>> from isthmus import Embeddings
            >>> images = Embeddings.from_array(np.eye(3), modality="image", space="clip", ids=["dog", "cat", "car"])
            >>> images.select(["car"]).vectors
            array([[0., 0., 1.]], dtype=float32)
        """
        if isinstance(ids, str):
            raise IsthmusError(f"expected a list of ids, got the string {ids!r}: pass [{ids!r}]")
        names = as_ids(ids, f"{self.modality} rows to select")
        missing = next((name for name in names if name not in self._row_of), None)
        if missing is not None:
            example = f"ids look like {self.ids[0]!r}" if self.ids else "there are no rows"
            raise IsthmusError(f"no {self.modality} row has id {missing!r}: {example}")
        return self.take(np.array([self._row_of[name] for name in names], dtype=np.int64))

    def recorded(self, rows: Sequence[int], columns: Sequence[str]) -> list[str]:
        """What the metadata of a set on disk says about some rows, such as their text.

        Args:
            rows: Row numbers.
            columns: Names of columns; the first that is not empty counts.

        Returns:
            One text per row; "" for rows in memory, and where the metadata has no such column.

        Raises:
            IsthmusError: The metadata cannot be read.

        Example:
            >>> from isthmus import Embeddings
            >>> Embeddings.from_array(np.eye(3), modality="image", space="clip").recorded([0, 2], ["uri"])
            ['', '']
        """
        return self._rows.recorded(checked_rows(np.array(rows, dtype=np.int64), len(self), repr(self)), columns)

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.ids)}


def open_set(
    path: str | Path, space: str | None = None, *, id_column: str | None = None, unfinished: bool = False
) -> dict[str, Embeddings]:
    """Open every modality of a set on disk, memory-mapped.

    Args:
        path: Folder of the set; folders written by clip-retrieval, without a manifest, work too.
        space: Name of the space of a folder without a manifest; the folder's name by default.
        id_column: Column of the metadata that has the ids. By default ``id``; in a folder without a manifest the first
            of ``id``, ``key``, ``image_path``, ``url``, but a text is its own id if there is a ``caption``. Texts that
            repeat are then left out, and a warning counts them.
        unfinished: Open the rows there are, even if a job has not written all of them.

    Returns:
        Embeddings by modality.

    Raises:
        IsthmusError: There is no such set, a modality is unfinished, a shard or its metadata is missing, truncated or
            has the wrong shape, the manifest names another space, or there is no such column.

    Example:
        >>> import tempfile
        >>> from isthmus import Embeddings, open_set
        >>> folder = Embeddings.from_array(np.eye(3), modality="image", space="clip").save(tempfile.mkdtemp())
        >>> open_set(folder)
        {'image': Embeddings(3 image rows, 3-d, space 'clip')}
    """
    found = stored_modalities(user_path(path), space, id_column)
    return {name: embeddings_on_disk(user_path(path), own, unfinished=unfinished) for name, own in found.items()}


def embeddings_on_disk(folder: Path, own: StoredRows, *, unfinished: bool = False) -> Embeddings:
    """Stored rows as embeddings. Raises `IsthmusError` if a job has not written all of them, unless ``unfinished``."""
    if not unfinished:
        require_finished(folder, own.modality, own.unfinished)
    every = Embeddings(
        own.shards,
        modality=own.modality,
        space=own.space,
        dim=own.dim,
        ids=own.ids,
        normalize=True,
        revision=own.revision,
        numbered=own.numbered,
    )
    return every if own.taken is None else every.take(own.taken)
