"""Heat maps: over an image, or in the bars of a waveform, with a frame around the region found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from jaxtyping import Float, UInt8

from isthmus.report.examples import data_uri, png

WARM = np.array([249.0, 115.0, 22.0])
"""Colour of the highest heat."""
STRONGEST = 0.75
"""Opacity of that colour at the highest heat."""
ENLARGED = 3
THIN, THICK = 1, 4
BARS, WIDTH, HEIGHT = 160, 480, 84
LINE, LETTER = 16, 7.2
"""Height of a line of words below a waveform, and the mean width of a letter."""


@dataclass(frozen=True)
class LocatedExample:
    """What was looked for, and the item with its heat (from `heat_image` or `heat_waveform`)."""

    query: str
    media: str


def located_examples(shown: Sequence[LocatedExample]) -> str:
    """The examples as HTML, side by side."""
    figures = "".join(f"<figure>{own.media}<figcaption>{escape(own.query)}</figcaption></figure>" for own in shown)
    return f'<div class="located">{figures}</div>'


def heat_image(
    pixels: UInt8[np.ndarray, "height width *rgb"],
    places: Float[np.ndarray, "tokens 4"],
    heat: Float[np.ndarray, " tokens"],
    box: Float[np.ndarray, " 4"],
    description: str,
    truth: Float[np.ndarray, "boxes 4"] | None = None,
) -> str:
    """An image, coloured by the heat of its tokens, with a thick white frame around the box found.

    Args:
        pixels: The image, grey or in RGB.
        places: The box of each token in pixels.
        heat: The heat of each token.
        box: The box found: left, top, right, bottom in pixels.
        description: Alternative text.
        truth: The true boxes in pixels; they get thin frames.
    """
    from PIL import Image, ImageDraw

    coloured = np.broadcast_to(pixels[..., None], (*pixels.shape, 3)) if pixels.ndim == 2 else pixels
    warmth = np.zeros(coloured.shape[:2])
    for place, strength in zip(np.rint(places).astype(int), _unit(heat), strict=True):
        own = np.s_[place[1] : place[3], place[0] : place[2]]
        warmth[own] = np.maximum(warmth[own], strength)
    share = STRONGEST * warmth[..., None]
    drawn = Image.fromarray(((1 - share) * coloured + share * WARM).astype(np.uint8))
    drawn = drawn.resize((ENLARGED * drawn.width, ENLARGED * drawn.height), Image.Resampling.NEAREST)
    frames = [(own, THIN) for own in ([] if truth is None else truth)] + [(box, THICK)]
    for own, width in frames:
        left, top, right, bottom = (ENLARGED * own).tolist()
        # The dark edge keeps a white frame visible on a white background.
        ImageDraw.Draw(drawn).rectangle((left - 1, top - 1, right, bottom), outline="black")
        ImageDraw.Draw(drawn).rectangle((left, top, right - 1, bottom - 1), outline="white", width=width)
    return f'<img alt="{escape(description)}" src="{data_uri("image/png", png(drawn))}">'


def heat_waveform(
    samples: Float[np.ndarray, " samples"],
    rate: int,
    places: Float[np.ndarray, "tokens 2"],
    heat: Float[np.ndarray, " tokens"],
    span: Float[np.ndarray, " 2"],
    description: str,
    words: Sequence[tuple[str, float, float]] = (),
) -> str:
    """A waveform as SVG bars, coloured by the heat of its tokens, with the span found framed and words below.

    Args:
        samples: The waveform in [-1, 1].
        rate: Samples per second.
        places: Start and end of each token in seconds.
        heat: The heat of each token.
        span: Start and end of the span found, in seconds.
        description: Title of the drawing.
        words: Each word with its start and end in seconds.
    """
    loudest = np.array([np.abs(part).max(initial=0) for part in np.array_split(samples, BARS)])
    heights = np.maximum(0.02, loudest / max(loudest.max(), 1e-9)) * HEIGHT * 0.9
    seconds = len(samples) / rate
    middles = (np.arange(BARS) + 0.5) * seconds / BARS
    token = np.clip(np.searchsorted(places[:, 1], middles, side="right"), 0, len(places) - 1)
    step = WIDTH / BARS
    colour = f"rgb({','.join(f'{part:.0f}' for part in WARM)})"
    bars = "".join(
        f'<rect x="{place * step:.1f}" y="{(HEIGHT - height) / 2:.1f}" width="{step * 0.8:.1f}" height="{height:.1f}" '
        f'fill="{colour}" fill-opacity="{0.15 + 0.85 * warm:.2f}"/>'
        for place, (height, warm) in enumerate(zip(heights, _unit(heat)[token], strict=True))
    )
    left, right = span / seconds * WIDTH
    frame = f'<rect x="{left:.1f}" y="1" width="{right - left:.1f}" height="{HEIGHT - 2}" class="region"/>'
    height = HEIGHT + (2 * LINE + 6 if words else 0)
    head = f'<svg class="heat" viewBox="0 0 {WIDTH} {height}" role="img"><title>{escape(description)}</title>'
    return f"{head}{bars}{frame}{_words_below(words, seconds)}</svg>"


def _words_below(words: Sequence[tuple[str, float, float]], seconds: float) -> str:
    """A line along each word's seconds with the word below it; words alternate between two rows to have room."""
    drawn = []
    for place, (word, start, end) in enumerate(words):
        left, right = start / seconds * WIDTH, end / seconds * WIDTH
        half = min(len(word) * LETTER / 2, WIDTH / 2)
        middle = min(max((left + right) / 2, half), WIDTH - half)
        drawn.append(
            f'<rect x="{left:.1f}" y="{HEIGHT + 2}" width="{right - left:.1f}" height="2" class="word"/>'
            f'<text x="{middle:.1f}" y="{HEIGHT + 4 + LINE * (1 + place % 2)}">{escape(word)}</text>'
        )
    return "".join(drawn)


def _unit(heat: Float[np.ndarray, " tokens"]) -> Float[np.ndarray, " tokens"]:
    """Heat scaled from 0 at the median, since most of an item does not match the query, to 1 at the highest."""
    middle = np.median(heat)
    return np.clip((heat - middle) / max(heat.max() - middle, 1e-12), 0, 1)
