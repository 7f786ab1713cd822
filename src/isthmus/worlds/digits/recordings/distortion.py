"""Augmentations for training the towers."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn import functional

from isthmus.worlds.digits.recordings.log_mel import SILENCE

TURN, SHEAR, SCALE, SHIFT = 0.15, 0.15, 0.1, 0.07
"""Largest rotation (radians), shear, relative change of size, and shift (in half tiles)."""
TEMPO = 0.25
"""Largest change of tempo, as a natural logarithm."""
QUIETEST_NOISE, LOUDEST_NOISE = 14.0, 5.0
"""Level of the noise below the clip's loudest band (natural logarithm of power)."""
LONGEST_GAP = 5
"""Most adjacent frames or bands masked at once."""


def distort_tiles(tiles: UInt8[np.ndarray, "n 28 28"], rng: np.random.Generator) -> UInt8[np.ndarray, "n 28 28"]:
    """Each tile rotated, sheared, scaled and shifted by random amounts."""
    turn, shear, scale, aspect = (rng.uniform(-limit, limit, len(tiles)) for limit in (TURN, SHEAR, SCALE, SCALE))
    width, height = np.exp(scale + aspect), np.exp(scale - aspect)
    cos, sin = np.cos(turn), np.sin(turn)
    shift_x, shift_y = rng.uniform(-SHIFT, SHIFT, (2, len(tiles)))
    affine = np.stack(
        [cos * width, (shear * cos - sin) * height, shift_x, sin * width, (shear * sin + cos) * height, shift_y], axis=1
    ).reshape(-1, 2, 3)
    theta = torch.from_numpy(affine.astype(np.float32))
    grid = functional.affine_grid(theta, [len(tiles), 1, *tiles.shape[1:]], align_corners=False)
    images = torch.from_numpy(tiles)[:, None].float()
    return functional.grid_sample(images, grid, align_corners=False)[:, 0].round().to(torch.uint8).numpy()


def stretch(
    numbers: Int[np.ndarray, "n frames"], lengths: Int[np.ndarray, " n"], rng: np.random.Generator
) -> tuple[Int[np.ndarray, "n stretched"], Int[np.ndarray, " n"]]:
    """Frame numbers of each audio clip at another tempo: frames are repeated or skipped evenly."""
    rate = np.exp(rng.uniform(-TEMPO, TEMPO, len(numbers)))
    stretched = np.maximum((lengths / rate).astype(np.int64), 1)
    place = (np.arange(stretched.max())[None] * rate[:, None]).astype(np.int64)
    return np.take_along_axis(numbers, np.minimum(place, numbers.shape[1] - 1), axis=1), stretched


def distort_frames(
    frames: Float[Tensor, "n frames bands"], lengths: Int[Tensor, " n"], rng: np.random.Generator
) -> Float[Tensor, "n frames bands"]:
    """Log-mel frames with noise at a random level, one masked frequency band and three masked moments per clip."""
    count, time, bands = frames.shape
    below = rng.uniform(LOUDEST_NOISE, QUIETEST_NOISE, (count, 1, 1)).astype(np.float32)
    noise = 0.5 * rng.standard_normal(frames.shape, dtype=np.float32) - below
    noisy = torch.logaddexp(frames, frames.amax((1, 2), keepdim=True) + torch.from_numpy(noise))
    last = lengths.numpy()[:, None]
    moments = _gaps((rng.random((count, 3)) * last).astype(np.int64), time, rng)
    band = _gaps(rng.integers(0, bands, (count, 1)), bands, rng)
    return noisy.masked_fill(moments[:, :, None] | band[:, None, :], SILENCE)


def _gaps(starts: Int[np.ndarray, "n gaps"], size: int, rng: np.random.Generator) -> Tensor:
    """True within each gap, (n, size)."""
    ends = starts + rng.integers(0, LONGEST_GAP + 1, starts.shape)
    place = np.arange(size)
    return torch.from_numpy(((place >= starts[..., None]) & (place < ends[..., None])).any(1))
