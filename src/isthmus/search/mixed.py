"""Search in several galleries at once: hits of different modalities in one order, by percentile."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from isthmus.base.errors import IsthmusError
from isthmus.connectors.trust.scores import UnrelatedScores
from isthmus.embeddings import Embeddings
from isthmus.search.hits import Hits
from isthmus.search.index import Index


class MixedIndex:
    """Exact search in galleries of several modalities of one joint space.

    Cosines of different modalities cannot be compared. Hits are therefore ordered by how few unrelated items score as
    high as they do, which within one gallery is the order of the cosines.

    Args:
        galleries: Unit rows of one modality each, under names of your own. Ids may repeat between them.
        scores: The connector's scores of unrelated items.

    Raises:
        IsthmusError: There is no gallery, or one is not of the connector's joint space.

    Example:
        >>> import isthmus, numpy as np
        >>> draw = np.random.default_rng(0)
        >>> shared, kind = draw.standard_normal((300, 32)), {"space": "joint", "ids": range(300)}
        >>> images, texts = (
        ...     isthmus.Embeddings.from_array(shared + offset, modality=modality, **kind)
        ...     for modality, offset in [("image", 0.0), ("text", 0.1)]
        ... )
        >>> index = MixedIndex({"photos": images, "captions": texts}, scores=isthmus.UnrelatedScores.of(images, texts))
        >>> [(query, found)] = index.search(images.take(np.array([7])), k=2)
        >>> sorted((hit.gallery, hit.id) for hit in found)
        [('captions', '7'), ('photos', '7')]
    """

    def __init__(self, galleries: Mapping[str, Embeddings], *, scores: UnrelatedScores) -> None:
        if not galleries:
            raise IsthmusError("there are no galleries to search in: pass at least one")
        self._scores = scores
        self._parts = {name: (scores.name_of(own), Index(own, scores=scores)) for name, own in galleries.items()}

    def __len__(self) -> int:
        return sum(len(index) for _, index in self._parts.values())

    def search(self, queries: Embeddings, k: int = 10, *, false_positive_rate: float | None = None) -> Hits:
        """The k best items of each query, from all galleries.

        Args:
            queries: Unit rows of the same joint space, (n, d).
            k: Number of hits per query; all items if there are fewer.
            false_positive_rate: Only hits that at most this share of unrelated items of their modality would reach.

        Returns:
            Hits with arrays of shape (n, k), with percentiles and the names of their galleries.

        Raises:
            IsthmusError: As `Index.search`.
        """
        asked = self._scores.name_of(queries)
        found, odds = [], []
        for name, (modality, index) in self._parts.items():
            hits = index.search(queries, k, false_positive_rate=false_positive_rate)
            own = self._scores.table((asked, modality)).log_odds(hits.scores)
            # Falling as the scores do, also where rounding between two quantiles would differ.
            odds.append(np.minimum.accumulate(np.where(hits.rows < 0, -np.inf, own), axis=1))
            names = np.full(hits.ids.shape, name, dtype=object)
            found.append((hits.ids, hits.scores, hits.rows, hits.percentiles, names))
        order = np.argsort(-np.concatenate(odds, axis=1), axis=1, kind="stable")[:, :k]
        columns = [np.take_along_axis(np.concatenate(own, axis=1), order, axis=1) for own in zip(*found, strict=True)]
        return Hits(queries.ids, *columns)
