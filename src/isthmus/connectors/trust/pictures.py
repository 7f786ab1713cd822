"""Pictures: files on this machine as thumbnails and players inside the page. Nothing is fetched."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from isthmus.media import UnreadableError, read_audio, read_image, read_video
from isthmus.report import audio_html, thumbnail_html

RATE, SECONDS = 16_000, 5
"""Of an audio clip the first five seconds at 16 kHz are shown, 200 kB in the page."""


def media_html(modality: str, place: str, name: str) -> str:
    """A thumbnail of an image or of the middle of a video, or a player of an audio clip; "" of anything else.

    A file that cannot be read is left out, because the page has its name.
    """
    try:
        match modality:
            case "image":
                return thumbnail_html(read_image(Path(place)), name)
            case "video":
                return thumbnail_html(read_video(Path(place), 1).images()[0], name)
            case "audio":
                first = read_audio(Path(place), RATE).samples[0][: RATE * SECONDS]
                return audio_html(np.clip(first, -1, 1), RATE)
    except UnreadableError:
        return ""
    return ""
