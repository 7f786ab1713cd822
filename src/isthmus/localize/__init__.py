"""Localisation: what a query means in codes or in tokens comes in, where it is in an item goes out.

`agreement` and `similarity` give a heat for every token of an item, `smoothed` steadies it; `peak` and `region` read
places off it.
"""

from isthmus.localize.heat import agreement, similarity, smoothed
from isthmus.localize.regions import peak, region, touching

__all__ = ["agreement", "peak", "region", "similarity", "smoothed", "touching"]
