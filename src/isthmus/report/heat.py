"""Heat drawn where it is: over a picture, or under the waveform of a sound; what was found is framed."""

from __future__ import annotations

from html import escape

import numpy as np
from jaxtyping import Float, UInt8

from isthmus.report.examples import data_uri, png

WARM = np.array([249.0, 115.0, 22.0])
"""Colour of what is hottest."""
STRONGEST = 0.75
"""Share of that colour where heat is highest."""
ENLARGED = 3
BARS, WIDTH, HEIGHT = 160, 480, 84


def heat_picture(
    pixels: UInt8[np.ndarray, "height width"],
    places: Float[np.ndarray, "tokens 4"],
    heat: Float[np.ndarray, " tokens"],
    box: Float[np.ndarray, " 4"],
    description: str,
) -> str:
    """A grey image, warm where tokens answer, with the box that was found in white; boxes in pixels."""
    from PIL import Image, ImageDraw

    warmth = np.zeros(pixels.shape)
    for place, strength in zip(np.rint(places).astype(int), _unit(heat), strict=True):
        own = np.s_[place[1] : place[3], place[0] : place[2]]
        warmth[own] = np.maximum(warmth[own], strength)
    share = STRONGEST * warmth[..., None]
    drawn = Image.fromarray(((1 - share) * pixels[..., None] + share * WARM).astype(np.uint8))
    drawn = drawn.resize((ENLARGED * drawn.width, ENLARGED * drawn.height), Image.Resampling.NEAREST)
    left, top, right, bottom = (ENLARGED * box).tolist()
    ImageDraw.Draw(drawn).rectangle((left, top, right - 1, bottom - 1), outline="white", width=2)
    return f'<img alt="{escape(description)}" src="{data_uri("image/png", png(drawn))}">'


def heat_sound(
    samples: Float[np.ndarray, " samples"],
    rate: int,
    places: Float[np.ndarray, "tokens 2"],
    heat: Float[np.ndarray, " tokens"],
    span: Float[np.ndarray, " 2"],
    description: str,
) -> str:
    """The waveform, bars warm where tokens answer, with the span that was found framed; places in seconds."""
    loudest = np.array([np.abs(part).max(initial=0) for part in np.array_split(samples, BARS)])
    heights = np.maximum(0.02, loudest / max(loudest.max(), 1e-9)) * HEIGHT * 0.9
    seconds = len(samples) / rate
    middles = (np.arange(BARS) + 0.5) * seconds / BARS
    token = np.clip(np.searchsorted(places[:, 1], middles, side="right"), 0, len(places) - 1)
    step = WIDTH / BARS
    bars = "".join(
        f'<rect x="{place * step:.1f}" y="{(HEIGHT - height) / 2:.1f}" width="{step * 0.8:.1f}" height="{height:.1f}" '
        f'fill="{_css(WARM)}" fill-opacity="{0.15 + 0.85 * warm:.2f}"/>'
        for place, (height, warm) in enumerate(zip(heights, _unit(heat)[token], strict=True))
    )
    left, right = span / seconds * WIDTH
    frame = f'<rect x="{left:.1f}" y="1" width="{right - left:.1f}" height="{HEIGHT - 2}" class="found"/>'
    head = f'<svg class="heat" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{escape(description)}</title>'
    return f"{head}{bars}{frame}</svg>"


def _css(colour: Float[np.ndarray, " 3"]) -> str:
    return f"rgb({','.join(f'{part:.0f}' for part in colour)})"


def _unit(heat: Float[np.ndarray, " tokens"]) -> Float[np.ndarray, " tokens"]:
    """From 0 for the median, as most of an item is not what is looked for, to 1 for the hottest."""
    middle = np.median(heat)
    return np.clip((heat - middle) / max(heat.max() - middle, 1e-12), 0, 1)
