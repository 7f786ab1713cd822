"""Files in the layout of the real worlds' files, with random vectors that share content."""

from pathlib import Path

import numpy as np

PICTURES, NAMES, CLASSES = 100, 60, 3


def write_real_files(folder: Path) -> Path:
    """Write miniclip.npz and animals.npz; returns the folder."""
    draw = np.random.default_rng(0)

    def seen(content: np.ndarray, dim: int, seed: int) -> np.ndarray:
        view = np.random.default_rng(seed).normal(size=(content.shape[1], dim))
        return (content @ view + draw.normal(size=(len(content), dim))).astype(np.float32)

    content = draw.normal(size=(PICTURES, 12))
    clip = {f"{modality}_{space}": seen(content, 24, ord(space)) for modality in ("image", "text") for space in "ab"}
    np.savez(folder / "miniclip.npz", **clip)
    names = draw.normal(size=(NAMES, 12))
    labels = {part: draw.integers(0, CLASSES, 40) for part in ("memory_label", "label")}
    items = {
        f"{modality}_{part}": seen(names[labels[label]], dim, dim)
        for modality, dim in (("image", 24), ("audio", 16))
        for part, label in (("memory", "memory_label"), ("test", "label"))
    }
    np.savez(
        folder / "animals.npz",
        text_1=seen(names, 24, 24),
        text_2=seen(names, 16, 16),
        class_row=np.arange(CLASSES),
        image_is_cifar=np.arange(40) % 4 > 0,
        **{f"{modality}_{part}": own for modality in ("image", "audio") for part, own in labels.items()},
        **items,
    )
    return folder
