"""Hits: what a search returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Shaped

from isthmus.base.errors import IsthmusError

if TYPE_CHECKING:
    import pandas


class Hit(NamedTuple):
    """One item found: its id, its score, and its row in the index or, of several galleries, in its own.

    ``percentile`` is None unless the index has scores of unrelated items, ``gallery`` unless it has several galleries.
    """

    id: str
    score: float
    row: int
    percentile: float | None = None
    gallery: str | None = None


@dataclass(frozen=True)
class Hits:
    """The k best items of each query, best first.

    Iterating yields one ``(query_id, [Hit, ...])`` per query. Where a cut-off leaves a query fewer than k hits, its
    line is filled up with id None, score NaN and row -1, which are left out when iterating.

    Args:
        query_ids: Ids of the queries.
        ids: Ids of the items found, an object array (queries, k).
        scores: Their scores, (queries, k).
        rows: Their rows in the index, (queries, k).
        percentiles: The share of unrelated pairs that score lower, (queries, k), if the index has `UnrelatedScores`.
        galleries: The names of the galleries they are in, (queries, k), if the index has several.

    Example:
        >>> import numpy as np
        >>> from isthmus import Embeddings, Index
        >>> items = Embeddings.from_array(np.eye(3), modality="audio", space="joint", ids=["bark", "meow", "horn"])
        >>> queries = Embeddings.from_array(np.array([[3.0, 4.0, 0.0]]), modality="image", space="joint", ids=["cat"])
        >>> hits = Index(items).search(queries, k=2)
        >>> hits.ids, hits.scores.round(2)
        (array([['meow', 'bark']], dtype=object), array([[0.8, 0.6]], dtype=float32))
        >>> for query, found in hits:
        ...     print(query, [hit.id for hit in found])
        cat ['meow', 'bark']
    """

    query_ids: Sequence[str]
    ids: Shaped[np.ndarray, "queries k"]
    scores: Float[np.ndarray, "queries k"]
    rows: Int[np.ndarray, "queries k"]
    percentiles: Float[np.ndarray, "queries k"] | None = None
    galleries: Shaped[np.ndarray, "queries k"] | None = None

    def __len__(self) -> int:
        return len(self.query_ids)

    def __iter__(self) -> Iterator[tuple[str, list[Hit]]]:
        for number, query in enumerate(self.query_ids):
            columns = [list(self.ids[number]), self.scores[number].tolist(), self.rows[number].tolist()]
            columns += [
                [None] * len(columns[0]) if own is None else own[number].tolist()
                for own in (self.percentiles, self.galleries)
            ]
            yield query, [Hit(str(name), *found) for name, *found in zip(*columns, strict=True) if found[1] >= 0]

    def top(self, k: int) -> Hits:
        """The ``k`` best hits of each query.

        Args:
            k: Number of hits to keep; all of them if there are fewer.
        """
        return self.changed(lambda column: column[:, :k])

    def changed(self, change: Callable[[np.ndarray], np.ndarray]) -> Hits:
        """The hits after one change to each of their arrays (queries, k)."""
        columns = (self.ids, self.scores, self.rows, self.percentiles, self.galleries)
        return Hits(self.query_ids, *[None if own is None else change(own) for own in columns])  # type: ignore[arg-type]

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dictionary per hit: query, rank from 1, id, score and row, and percentile and gallery if known.

        Example:
            >>> hits = Hits(["cat"], np.array([["meow", "bark"]]), np.array([[0.75, 0.5]]), np.array([[1, 0]]))
            >>> hits.to_dicts()[1]
            {'query': 'cat', 'rank': 2, 'id': 'bark', 'score': 0.5, 'row': 0}
        """
        return [
            {"query": query, "rank": rank, **{name: own for name, own in hit._asdict().items() if own is not None}}
            for query, found in self
            for rank, hit in enumerate(found, 1)
        ]

    def to_pandas(self) -> pandas.DataFrame:
        """The table of `to_dicts`, one row per hit.

        Raises:
            IsthmusError: pandas is not installed.

        Example:
            >>> hits = Hits(["cat"], np.array([["meow", "bark"]]), np.array([[0.75, 0.5]]), np.array([[1, 0]]))
            >>> print(hits.to_pandas())
              query  rank    id  score  row
            0   cat     1  meow   0.75    1
            1   cat     2  bark   0.50    0
        """
        try:
            import pandas
        except ImportError as error:
            raise IsthmusError("to_pandas needs pandas: pip install pandas") from error
        columns = ["query", "rank", "id", "score", "row"]
        columns += ["percentile"] * (self.percentiles is not None) + ["gallery"] * (self.galleries is not None)
        return pandas.DataFrame(self.to_dicts(), columns=columns)
