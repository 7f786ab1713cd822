"""Metrics: unit rows or matrices of scores go in, figures come out. Pure functions on NumPy arrays, without torch.

They come before every other stage, because connectors are chosen and reported by them as well as evaluated.
"""

from isthmus.metrics.blocks import score_blocks
from isthmus.metrics.bootstrap import Interval, bootstrap_intervals
from isthmus.metrics.boxes import BoxLayout, box_mask, centre_box, consensus, corner_boxes, has_area
from isthmus.metrics.classification import average_precisions, top_k_hits
from isthmus.metrics.csls import csls, csls_blocks, mean_nearest
from isthmus.metrics.detection import (
    DetectionCurve,
    DetectionScores,
    detection_curve,
    detection_scores,
    published_detection_scores,
)
from isthmus.metrics.distribution import ScoreDistribution
from isthmus.metrics.gap import modality_gap
from isthmus.metrics.localization import (
    LocalizationScores,
    ciou,
    class_aware_ciou,
    localization_scores,
    median_mask,
    success_auc,
    success_rate,
)
from isthmus.metrics.neighbours import ChanceNeighbours, hubness, mutual_neighbour_rate, mutual_neighbour_rates
from isthmus.metrics.ranks import chance_of_recall, relevant_ranks, target_ranks
from isthmus.metrics.retrieval import RetrievalScores, retrieval, scores_from_ranks
from isthmus.metrics.segments import Event, SegmentCounts, segment_counts, segment_labels

__all__ = [
    "BoxLayout",
    "ChanceNeighbours",
    "DetectionCurve",
    "DetectionScores",
    "Event",
    "Interval",
    "LocalizationScores",
    "RetrievalScores",
    "ScoreDistribution",
    "SegmentCounts",
    "average_precisions",
    "bootstrap_intervals",
    "box_mask",
    "centre_box",
    "chance_of_recall",
    "ciou",
    "class_aware_ciou",
    "consensus",
    "corner_boxes",
    "csls",
    "csls_blocks",
    "detection_curve",
    "detection_scores",
    "has_area",
    "hubness",
    "localization_scores",
    "mean_nearest",
    "median_mask",
    "modality_gap",
    "mutual_neighbour_rate",
    "mutual_neighbour_rates",
    "published_detection_scores",
    "relevant_ranks",
    "retrieval",
    "score_blocks",
    "scores_from_ranks",
    "segment_counts",
    "segment_labels",
    "success_auc",
    "success_rate",
    "target_ranks",
    "top_k_hits",
]
