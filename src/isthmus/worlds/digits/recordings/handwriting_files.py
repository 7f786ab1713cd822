"""Handwriting from files: MNIST's idx files (gzipped or not) or an npz with ``images`` and ``labels``."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import numpy as np

from isthmus.base.errors import IsthmusError, reading
from isthmus.worlds.digits.recordings.handwriting import TILE, Handwriting

WANTED = "give MNIST idx files (a folder, or the images file) or an .npz with images (n, 28, 28) and labels (n,)"
IDX_UINT8 = 8
MOST_BYTES = 2**31
"""Size limit of an unzipped file or array; MNIST's largest has 47 million bytes."""


def load_handwriting(path: str | Path) -> Handwriting:
    """Images and labels from an npz, an idx images file with its labels file next to it, or a folder of idx files.

    Raises `IsthmusError` naming the file and what is wrong with it.
    """
    path = Path(path)
    if not path.exists():
        raise IsthmusError(f"{path}: not found; {WANTED}")
    if path.is_dir():
        return _from_folder(path)
    images, labels = _from_npz(path) if path.suffix == ".npz" else _from_idx(path)
    return _checked(path, images, labels)


def _from_folder(folder: Path) -> Handwriting:
    files = sorted(file for file in folder.iterdir() if "images" in file.name and "idx3" in file.name)
    if not files:
        raise IsthmusError(f"{folder}: contains no idx images file (like t10k-images-idx3-ubyte.gz); {WANTED}")
    parts = {_plain_name(file): _checked(file, *_from_idx(file)) for file in files}
    return Handwriting(
        np.concatenate([part.tiles for part in parts.values()]),
        np.concatenate([part.digit for part in parts.values()]),
    )


def _plain_name(file: Path) -> str:
    """One name for a file and its gzipped copy, so they are not both read."""
    return file.name.removesuffix(".gz").replace(".", "-")


def _from_idx(path: Path) -> tuple[np.ndarray, np.ndarray]:
    if "images" not in path.name:
        raise IsthmusError(f"{path}: neither an .npz nor an idx file with 'images' in its name; {WANTED}")
    return read_idx(path, 3), read_idx(_labels_file(path), 1)


def _labels_file(images: Path) -> Path:
    name = images.name.replace("images", "labels").replace("idx3", "idx1")
    for candidate in (name, name.removesuffix(".gz"), name + ".gz"):
        if (images.parent / candidate).exists():
            return images.parent / candidate
    raise IsthmusError(f"{images}: its labels file {name} is missing; put it in the same folder")


def read_idx(path: Path, ndim: int) -> np.ndarray:
    """One idx file of unsigned bytes with ``ndim`` dimensions.

    The format: two zero bytes, the type (8), the number of dimensions, each size as a big-endian 32-bit number,
    then the values. Raises `IsthmusError` if the file is anything else, or shorter or longer than its header says.
    """
    with reading(path, "download it again"), (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES} bytes")
    header = 4 + 4 * ndim
    if len(content) < header or content[:4] != bytes([0, 0, IDX_UINT8, ndim]):
        raise IsthmusError(f"{path}: not an idx file of bytes with {ndim} dimensions; {WANTED}")
    shape = tuple(np.frombuffer(content[4:header], ">u4").tolist())
    expected = header + int(np.prod(shape, dtype=np.int64))
    if len(content) != expected:
        raise IsthmusError(f"{path}: has {len(content)} bytes, its header says {expected}; download it again")
    return np.frombuffer(content[header:], np.uint8).reshape(shape)


def _from_npz(path: Path) -> tuple[np.ndarray, np.ndarray]:
    arrays = read_npz(path, ("images", "labels"), WANTED)
    return arrays["images"], arrays["labels"]


def read_npz(path: Path, names: tuple[str, ...], remedy: str) -> dict[str, np.ndarray]:
    """The named arrays of an npz; raises `IsthmusError` if it is damaged or lacks one."""
    with reading(path, "download it again"), zipfile.ZipFile(path) as archive:
        members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
        missing = next((name for name in names if name not in members), None)
        if missing is not None:
            raise IsthmusError(f"{path}: no array {missing!r} (it has {', '.join(members)}); {remedy}")
        return {name: _member(archive, members[name]) for name in names}


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    if member.file_size > MOST_BYTES:
        raise ValueError(f"{member.filename} has {member.file_size} bytes, the limit is {MOST_BYTES} bytes")
    with archive.open(member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _checked(path: Path, images: np.ndarray, labels: np.ndarray) -> Handwriting:
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (TILE, TILE):
        raise IsthmusError(f"{path}: expected images as uint8 (n, 28, 28), got {images.dtype} {images.shape}")
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise IsthmusError(f"{path}: expected labels as integers (n,), got {labels.dtype} {labels.shape}")
    if len(images) != len(labels):
        raise IsthmusError(f"{path}: {len(images)} images but {len(labels)} labels; give one label per image")
    wrong = np.flatnonzero((labels < 0) | (labels > 9))
    if len(wrong):
        raise IsthmusError(f"{path}: label {labels[wrong[0]]} in row {wrong[0]} is not a digit; labels are 0 to 9")
    return Handwriting(images, labels.astype(np.int64))
