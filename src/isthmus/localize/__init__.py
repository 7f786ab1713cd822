"""A query and an item come in; where the query is in the item goes out: a heat map, regions, a score, a confidence.

`localizers` (dense, by proposals, by codes) divide items into `parts` and make rows of queries, `localized` compares
them, `overlay` draws the result. `locate` does the same for items with tokens on disk, by the codes of a model.
"""

from isthmus.localize.confidence import confidence, pair_confidences
from isthmus.localize.detector import Detector, TransformersDetector, load_detector
from isthmus.localize.heat import agreement, lifted, similarity, smoothed
from isthmus.localize.joint_encoder import JointEncoder
from isthmus.localize.localized import Localized, best_scores, localized
from isthmus.localize.localizers import CodeLocalizer, DenseLocalizer, Localizer, ProposalLocalizer
from isthmus.localize.locate import LocateQuery, Location, Spot, locate, spot
from isthmus.localize.overlay import overlay, write_heat, write_overlay
from isthmus.localize.parts import Parts, TokenParts, WindowParts
from isthmus.localize.regions import LEAST_HEAT, peak, region, touching

__all__ = [
    "LEAST_HEAT",
    "CodeLocalizer",
    "DenseLocalizer",
    "Detector",
    "JointEncoder",
    "Localized",
    "Localizer",
    "LocateQuery",
    "Location",
    "Parts",
    "ProposalLocalizer",
    "Spot",
    "TokenParts",
    "TransformersDetector",
    "WindowParts",
    "agreement",
    "best_scores",
    "confidence",
    "lifted",
    "load_detector",
    "localized",
    "locate",
    "overlay",
    "pair_confidences",
    "peak",
    "region",
    "similarity",
    "smoothed",
    "spot",
    "touching",
    "write_heat",
    "write_overlay",
]
