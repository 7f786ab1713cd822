"""Framing: any image of one thing becomes a drawing of 64 × 64 pixels, cropped, centred and freed of its background."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image
from scipy import ndimage

SIZE = 64
MARGIN = 2
FAINT = 8
"""The largest alpha that does not count as drawn: soft shadows and what compression leaves."""
LARGEST = 1024
"""Pixels on the longer side that are looked at; larger images are scaled down first, to save memory and time."""
UNIFORM = 24
"""Largest difference in a channel from a background's colour: what JPEG makes of a plain one."""


def framed(image: Image.Image) -> UInt8[np.ndarray, "64 64 4"] | None:
    """The image cropped to what is drawn and centred, with a margin of 2 pixels on its longer side.

    An opaque image whose border has one colour is freed of it, as far as it is connected with the border.

    Args:
        image: A picture in RGBA.

    Returns:
        Red, green, blue and alpha, not multiplied by alpha, zero where alpha is; None if nothing is drawn.

    Example:
        >>> picture = Image.new("RGBA", (300, 200))
        >>> picture.paste("red", (10, 10, 110, 60))
        >>> framed(picture)[..., 3].nonzero()[0].min()  # a margin of 2, and 30 of 60 rows for half the width
        np.int64(17)
    """
    if max(image.size) > LARGEST:
        image = _scaled(image, LARGEST)
    cut = _without_background(image)
    box = cut.getchannel("A").point(lambda alpha: 255 * (alpha > FAINT)).getbbox()
    if box is None:
        return None
    drawn = _scaled(cut.crop(box), SIZE - 2 * MARGIN)
    canvas = Image.new("RGBA", (SIZE, SIZE))
    canvas.paste(drawn, ((SIZE - drawn.width) // 2, (SIZE - drawn.height) // 2))
    return cleared(np.asarray(canvas))


def cleared(pixels: UInt8[np.ndarray, "*any 4"]) -> UInt8[np.ndarray, "*any 4"]:
    """A copy in which pixels with alpha zero have no colour."""
    whole = np.ascontiguousarray(pixels).view(np.uint32)  # a pixel at a time, which is several times as fast
    return np.where(pixels[..., 3:] > 0, whole, np.uint32(0)).view(np.uint8)


def _scaled(image: Image.Image, longer: int) -> Image.Image:
    """The image with so many pixels on its longer side."""
    scale = longer / max(image.size)
    width, height = (max(1, round(scale * side)) for side in image.size)
    # Pillow multiplies by alpha before it scales, so the colour of transparent pixels does not bleed into the edges.
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _without_background(image: Image.Image) -> Image.Image:
    pixels = np.array(image.convert("RGBA"))
    if pixels[..., 3].min() < 255:
        return image
    ground = _background(pixels[..., :3])
    pixels[ground, 3] = 0
    return Image.fromarray(pixels)


def _background(colours: UInt8[np.ndarray, "height width 3"]) -> Bool[np.ndarray, "height width"]:
    """Pixels that are connected with the border and have its colour; none if the border has several colours."""
    colours = colours.astype(np.int16)
    border = np.concatenate([colours[0], colours[-1], colours[:, 0], colours[:, -1]])
    colour = np.median(border, axis=0).astype(np.int16)
    if np.abs(border - colour).max() > UNIFORM:
        return np.zeros(colours.shape[:2], bool)
    regions, _ = ndimage.label((np.abs(colours - colour) <= UNIFORM).all(-1))
    return np.asarray(regions == regions[0, 0])
