"""Metrics: unit rows or matrices of scores go in, figures come out. Pure functions on NumPy arrays, without torch.

They come before every other stage, because connectors are chosen and reported by them as well as evaluated.
"""

from isthmus.metrics.blocks import score_blocks
from isthmus.metrics.bootstrap import Interval, bootstrap_intervals
from isthmus.metrics.csls import csls, csls_blocks, mean_nearest
from isthmus.metrics.distribution import ScoreDistribution
from isthmus.metrics.gap import modality_gap
from isthmus.metrics.neighbours import ChanceNeighbours, hubness, mutual_neighbour_rate, mutual_neighbour_rates
from isthmus.metrics.ranks import relevant_ranks, target_ranks
from isthmus.metrics.retrieval import RetrievalScores, retrieval, scores_from_ranks

__all__ = [
    "ChanceNeighbours",
    "Interval",
    "RetrievalScores",
    "ScoreDistribution",
    "bootstrap_intervals",
    "csls",
    "csls_blocks",
    "hubness",
    "mean_nearest",
    "modality_gap",
    "mutual_neighbour_rate",
    "mutual_neighbour_rates",
    "relevant_ranks",
    "retrieval",
    "score_blocks",
    "scores_from_ranks",
    "target_ranks",
]
