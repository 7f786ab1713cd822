"""Localisation: what a query means in codes or in tokens comes in, where it is in an item goes out.

`agreement` and `similarity` give a heat for every token of an item, `smoothed` steadies it; `peak` and `region` read
places off it. `locate` does all of it.
"""

from isthmus.localize.heat import agreement, lifted, similarity, smoothed
from isthmus.localize.locate import Located, LocateQuery, Placed, locate, placed
from isthmus.localize.regions import LEAST_HEAT, peak, region, touching

__all__ = [
    "LEAST_HEAT",
    "LocateQuery",
    "Located",
    "Placed",
    "agreement",
    "lifted",
    "locate",
    "peak",
    "placed",
    "region",
    "similarity",
    "smoothed",
    "touching",
]
