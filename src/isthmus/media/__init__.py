"""Media: files, archives and tables come in; pictures, windows of sound, frames, point clouds and texts go on.

`listing` says what there is, `source` opens it, one reader a modality decodes it. Whatever cannot be read raises
`UnreadableError`, which a bulk job records and passes over.
"""

from isthmus.media.item import Item
from isthmus.media.listing.listing import list_media
from isthmus.media.readers.audio import Sound, read_audio
from isthmus.media.readers.image import read_image
from isthmus.media.readers.points import read_points
from isthmus.media.readers.video import Video, read_video
from isthmus.media.source import ByteSource, as_source
from isthmus.media.unreadable import UnreadableError

__all__ = [
    "ByteSource",
    "Item",
    "Sound",
    "UnreadableError",
    "Video",
    "as_source",
    "list_media",
    "read_audio",
    "read_image",
    "read_points",
    "read_video",
]
