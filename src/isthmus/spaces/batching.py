"""Batches: the inputs of many items grouped and joined for the encoder, and its outputs as one row per item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

import numpy as np
from jaxtyping import Float32

from isthmus.embeddings.tokens import Tokens
from isthmus.media import Item
from isthmus.spaces.protocol import EncoderInputs, WindowTokens

BATCHES = {"text": 128, "image": 32, "audio": 16, "video": 4, "points": 16}
"""Windows per batch on a CPU, where larger batches are no faster; a GPU takes eight times as many."""
OTHER_BATCH = 32
GPU_FACTOR = 8
BUFFERED_BATCHES = 4
"""Batches' worth of windows that may wait for others of their shape; then the largest group is encoded as it is."""
LEAST_LENGTH = 1e-12
UNITS = {"text": "characters", "image": "pixels", "audio": "seconds", "video": "seconds"}
"""The unit in which each modality's tokens are located."""

PreparedItem = tuple[Item, EncoderInputs]
Shape = tuple[tuple[int, ...], ...]


def default_batch(modality: str, device: str) -> int:
    """How many windows to encode at once."""
    return BATCHES.get(modality, OTHER_BATCH) * (1 if device == "cpu" else GPU_FACTOR)


def batches(prepared: Iterable[PreparedItem], padding: Mapping[str, int], size: int) -> Iterator[list[PreparedItem]]:
    """Group items into batches of about ``size`` windows that can be encoded together.

    Items whose length differs (texts) are sorted by length first, so that little is padded. Others are grouped by
    shape as they arrive.
    """
    if padding:
        by_length = sorted(prepared, key=lambda one: (max(one[1][name].shape[1] for name in padding), one[0].id))
        yield from _filled(by_length, size)
        return
    waiting: dict[Shape, list[PreparedItem]] = {}
    held: Counter[Shape] = Counter()
    for item, inputs in prepared:
        shape = tuple(value.shape[1:] for value in inputs.values())
        waiting.setdefault(shape, []).append((item, inputs))
        held[shape] += windows_in(inputs)
        full = shape if held[shape] >= size else None
        if full is None and held.total() > BUFFERED_BATCHES * size:
            full = held.most_common(1)[0][0]
        if full is not None:
            del held[full]
            yield waiting.pop(full)
    yield from waiting.values()


def _filled(prepared: Iterable[PreparedItem], size: int) -> Iterator[list[PreparedItem]]:
    group: list[PreparedItem] = []
    for one in prepared:
        group.append(one)
        if sum(windows_in(inputs) for _, inputs in group) >= size:
            yield group
            group = []
    if group:
        yield group


def windows_in(inputs: EncoderInputs) -> int:
    """How many windows the inputs have."""
    return len(next(iter(inputs.values())))


def collate(items: Sequence[EncoderInputs], padding: Mapping[str, int]) -> dict[str, np.ndarray]:
    """The windows of all items, one after another; inputs named in ``padding`` are filled up to the longest."""
    return {name: _stacked([inputs[name] for inputs in items], padding.get(name)) for name in items[0]}


def _stacked(arrays: Sequence[np.ndarray], fill: int | None) -> np.ndarray:
    if fill is None:
        return np.concatenate(arrays)
    longest = max(array.shape[1] for array in arrays)
    whole = np.full((sum(map(len, arrays)), longest, *arrays[0].shape[2:]), fill, arrays[0].dtype)
    start = 0
    for array in arrays:
        whole[start : start + len(array), : array.shape[1]] = array
        start += len(array)
    return whole


def mean_of_windows(
    rows: Float32[np.ndarray, "windows dim"], counts: Sequence[int]
) -> Float32[np.ndarray, "items dim"]:
    """The mean of each item's windows, normalized; an item of one window keeps its row as it is."""
    ends = np.cumsum(counts)
    sums = np.add.reduceat(rows, np.concatenate([[0], ends[:-1]]), axis=0)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    single = np.asarray(counts)[:, None] == 1
    return np.where(single, sums, sums / np.maximum(lengths, LEAST_LENGTH)).astype(np.float32)


def tokens_of_items(windows: Sequence[WindowTokens], counts: Sequence[int]) -> list[WindowTokens]:
    """The tokens of each item: those of its windows, one window after another."""
    ends = list(accumulate(counts))
    own = [windows[end - count : end] for end, count in zip(ends, counts, strict=True)]
    return [
        (np.concatenate([vectors for vectors, _ in parts]), np.concatenate([places for _, places in parts]))
        for parts in own
    ]


def joined_tokens(items: Sequence[WindowTokens], ids: list[str] | None, *, modality: str, space: str) -> Tokens:
    """The tokens of all items as one `Tokens`; without ids they are numbered."""
    vectors = np.concatenate([part for part, _ in items]).astype(np.float32)
    offsets = np.concatenate([[0], np.cumsum([len(part) for part, _ in items])])
    places = np.concatenate([part for _, part in items])
    return Tokens.from_arrays(vectors, offsets, places, modality=modality, space=space, unit=UNITS[modality], ids=ids)
