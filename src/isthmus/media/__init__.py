"""Media: places on disk come in; items, and their images, audio windows, video frames, points and texts, go out.

`listing` finds the items, `source` opens their bytes, and `readers` decodes them, one reader per modality.
An item that cannot be decoded raises `UnreadableError`; a bulk job records it and goes on.
"""

from isthmus.media.item import Item
from isthmus.media.listing.listing import list_media
from isthmus.media.readers.audio import AudioWindows, read_audio
from isthmus.media.readers.image import read_image, read_rgba
from isthmus.media.readers.points import read_points
from isthmus.media.readers.vector import read_vector
from isthmus.media.readers.video import Video, read_video
from isthmus.media.source import ByteSource, UnreadableError, as_source

__all__ = [
    "AudioWindows",
    "ByteSource",
    "Item",
    "UnreadableError",
    "Video",
    "as_source",
    "list_media",
    "read_audio",
    "read_image",
    "read_points",
    "read_rgba",
    "read_vector",
    "read_video",
]
