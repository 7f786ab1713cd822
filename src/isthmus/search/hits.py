"""Hits: what a search returns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Shaped

from isthmus.base.errors import IsthmusError

if TYPE_CHECKING:
    import pandas


class Hit(NamedTuple):
    """One item found: its id, its score, and its row in the index."""

    id: str
    score: float
    row: int


@dataclass(frozen=True)
class Hits:
    """The k best items of each query, best first.

    Iterating yields one ``(query_id, [Hit, ...])`` per query.

    Args:
        query_ids: Ids of the queries.
        ids: Ids of the items found, an object array (queries, k).
        scores: Their scores, (queries, k).
        rows: Their rows in the index, (queries, k).

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

    def __len__(self) -> int:
        return len(self.query_ids)

    def __iter__(self) -> Iterator[tuple[str, list[Hit]]]:
        columns = zip(self.query_ids, self.ids, self.scores.tolist(), self.rows.tolist(), strict=True)
        for query, ids, scores, rows in columns:
            yield query, [Hit(*found) for found in zip(map(str, ids), scores, rows, strict=True)]

    def top(self, k: int) -> Hits:
        """The ``k`` best hits of each query.

        Args:
            k: Number of hits to keep; all of them if there are fewer.
        """
        return Hits(self.query_ids, self.ids[:, :k], self.scores[:, :k], self.rows[:, :k])

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dictionary per hit: query, rank from 1, id, score and row.

        Example:
            >>> hits = Hits(["cat"], np.array([["meow", "bark"]]), np.array([[0.75, 0.5]]), np.array([[1, 0]]))
            >>> hits.to_dicts()[1]
            {'query': 'cat', 'rank': 2, 'id': 'bark', 'score': 0.5, 'row': 0}
        """
        return [
            {"query": query, "rank": rank, **hit._asdict()}
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
        return pandas.DataFrame(self.to_dicts(), columns=["query", "rank", *Hit._fields])
