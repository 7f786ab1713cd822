"""Ranked examples: a query, and what was found for it, to be seen and played; each marked right or wrong."""

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


@dataclass(frozen=True)
class Found:
    """One item found: its media (HTML of `picture` or `sound`), what it says, and whether that is right."""

    media: str
    caption: str
    right: bool


@dataclass(frozen=True)
class Example:
    """A query and the items found for it, best first."""

    media: str
    caption: str
    found: tuple[Found, ...]


def examples(shown: tuple[Example, ...]) -> str:
    """The examples as HTML."""
    return '<div class="examples">' + "".join(map(_example, shown)) + "</div>"


def picture(pixels: UInt8[np.ndarray, "height width"], description: str) -> str:
    """A grey image inside the page."""
    from PIL import Image

    return f'<img alt="{escape(description)}" src="{data_uri("image/png", png(Image.fromarray(pixels)))}">'


def sound(samples: Float[np.ndarray, " samples"], rate: int) -> str:
    """A player of samples in [-1, 1], 16-bit inside the page; ``rate`` in samples per second."""
    import soundfile

    stored = io.BytesIO()
    soundfile.write(stored, samples, rate, format="WAV", subtype="PCM_16")
    return f'<audio controls preload="none" src="{data_uri("audio/wav", stored.getvalue())}"></audio>'


def _example(shown: Example) -> str:
    found = "".join(map(_found, shown.found))
    query = f'<figure class="query">{shown.media}<figcaption>{escape(shown.caption)}</figcaption></figure>'
    return f'<div class="example">{query}<ol>{found}</ol></div>'


def _found(item: Found) -> str:
    kind, mark, spoken = ("right", "✓", "right") if item.right else ("wrong", "✗", "wrong")
    caption = f'<b aria-label="{spoken}">{mark}</b> {escape(item.caption)}'
    return f'<li class="{kind}"><figure>{item.media}<figcaption>{caption}</figcaption></figure></li>'


def png(image: Image.Image) -> bytes:
    """An image as PNG."""
    stored = io.BytesIO()
    image.save(stored, format="PNG", optimize=True)
    return stored.getvalue()


def data_uri(kind: str, content: bytes) -> str:
    """Content of a MIME type as an address that needs no file."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
