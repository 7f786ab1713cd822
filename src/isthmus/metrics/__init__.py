"""Metrics: pure functions on arrays, computed from ranks; defined for negative scores, ties, several relevant items.

They lie below every stage, since connectors are chosen and reported by them as well as evaluated.
"""

from isthmus.metrics.gap import modality_gap
from isthmus.metrics.neighbours import hubness, mutual_neighbour_rate
from isthmus.metrics.ranks import relevant_ranks
from isthmus.metrics.retrieval import RetrievalScores, retrieval, scores_from_ranks

__all__ = [
    "RetrievalScores",
    "hubness",
    "modality_gap",
    "mutual_neighbour_rate",
    "relevant_ranks",
    "retrieval",
    "scores_from_ranks",
]
