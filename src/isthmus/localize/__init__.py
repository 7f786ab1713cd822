"""A query, in codes or as a vector, and tokens of other items come in; where the query is in each item goes out.

`agreement` and `similarity` score every token (its heat), `smoothed` averages touching tokens, `peak` and `region` are
places computed from the heat. `locate` does all of this.
"""

from isthmus.localize.heat import agreement, lifted, similarity, smoothed
from isthmus.localize.locate import LocateQuery, Location, Spot, locate, spot
from isthmus.localize.regions import LEAST_HEAT, peak, region, touching

__all__ = [
    "LEAST_HEAT",
    "LocateQuery",
    "Location",
    "Spot",
    "agreement",
    "lifted",
    "locate",
    "peak",
    "region",
    "similarity",
    "smoothed",
    "spot",
    "touching",
]
