"""Search examples: queries and their best answers as images and audio players, each answer marked right or wrong."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, UInt8

if TYPE_CHECKING:
    from PIL import Image

THUMBNAIL = 240
WEBP_QUALITY = 80
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
MP3_LEVEL = 0.7
"""From 0, the largest files, to 1, the smallest."""


@dataclass(frozen=True)
class Answer:
    """One item found: its media (from `image_html` or `audio_html`), a caption, and whether it is right, if known."""

    media: str
    caption: str
    right: bool | None


@dataclass(frozen=True)
class Example:
    """A query (its media and caption) and the items found for it, best first."""

    media: str
    caption: str
    answers: tuple[Answer, ...]


def examples(shown: tuple[Example, ...]) -> str:
    """The examples as HTML, one row per query.

    Example:
        >>> from isthmus.report import Answer, Example, examples
        >>> html = examples((Example("<img>", "a dog", (Answer("<audio>", "barking", True),)),))
        >>> '<b aria-label="right">✓</b> barking' in html
        True
    """
    return '<div class="examples">' + "".join(map(_example, shown)) + "</div>"


def image_html(pixels: UInt8[np.ndarray, "height width *rgb"], description: str) -> str:
    """A grey image, embedded in the page as PNG, or one in RGB, embedded as WebP, which loses little.

    ``description`` is its alternative text.
    """
    from PIL import Image

    image = Image.fromarray(pixels)
    source = data_uri("image/png", png(image)) if pixels.ndim == 2 else data_uri("image/webp", _webp(image))
    return f'<img alt="{escape(description)}" src="{source}">'


def thumbnail_html(image: Image.Image, description: str) -> str:
    """A colour image, embedded as a JPEG of at most 240 pixels a side."""
    stored = io.BytesIO()
    small = image.convert("RGB")
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    small.save(stored, format="JPEG", quality=80)
    return f'<img alt="{escape(description)}" src="{data_uri("image/jpeg", stored.getvalue())}">'


def audio_html(samples: Float[np.ndarray, " samples"], rate: int, *, compact: bool = False) -> str:
    """A player of samples in [-1, 1], embedded as 16-bit WAV; ``rate`` is in samples per second.

    With ``compact`` it is embedded as MP3 of a tenth of the size, which every browser plays. `MP3_RATES` are the rates
    that MP3 has: sound of another rate stays WAV.
    """
    import soundfile

    stored = io.BytesIO()
    if compact and rate in MP3_RATES:
        soundfile.write(stored, samples, rate, format="MP3", subtype="MPEG_LAYER_III", compression_level=MP3_LEVEL)
        source = data_uri("audio/mpeg", stored.getvalue())
    else:
        soundfile.write(stored, samples, rate, format="WAV", subtype="PCM_16")
        source = data_uri("audio/wav", stored.getvalue())
    return f'<audio controls preload="none" src="{source}"></audio>'


def _example(shown: Example) -> str:
    answers = "".join(map(_answer, shown.answers))
    query = f'<figure class="query">{shown.media}<figcaption>{escape(shown.caption)}</figcaption></figure>'
    return f'<div class="example">{query}<ol>{answers}</ol></div>'


def _answer(answer: Answer) -> str:
    kind, mark = {True: ("right", "✓"), False: ("wrong", "✗"), None: ("", "")}[answer.right]
    caption = escape(answer.caption)
    if mark:
        caption = f'<b aria-label="{kind}">{mark}</b> {caption}'
    return f'<li class="{kind}"><figure>{answer.media}<figcaption>{caption}</figcaption></figure></li>'


def png(image: Image.Image) -> bytes:
    """An image as PNG."""
    stored = io.BytesIO()
    image.save(stored, format="PNG", optimize=True)
    return stored.getvalue()


def _webp(image: Image.Image) -> bytes:
    stored = io.BytesIO()
    image.save(stored, format="WEBP", quality=WEBP_QUALITY, method=6)
    return stored.getvalue()


def data_uri(kind: str, content: bytes) -> str:
    """Content of a MIME type as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
