"""Point clouds: arrays, and meshes that trimesh samples; at most a fixed number of points, in the unit sphere."""

from __future__ import annotations

import zipfile
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from isthmus.base.errors import IsthmusError
from isthmus.media.readers.vector import MOST_BYTES, read_npy
from isthmus.media.source import ByteSource, Decoded, UnreadableError, as_source, unreadable

ARRAYS, MESHES = (".npy", ".npz"), (".ply", ".off", ".obj", ".glb")
SUFFIXES = (*ARRAYS, *MESHES)
ARRAY_NAMES = ("points", "pc", "xyz", "pointcloud", "arr_0")
SEED = 0


def read_points(content: ByteSource | Path | str | bytes | np.ndarray, most: int) -> Float32[np.ndarray, "points 3"]:
    """Read a point cloud, or sample a mesh, and move it into the unit sphere.

    Args:
        content: A file (its path, bytes or source), or an array of shape (points, 3); further columns are dropped.
        most: How many points to keep at most. A larger cloud is thinned at random, a mesh is sampled by area, both
            with a fixed seed.

    Returns:
        The points, with their centroid at the origin and the farthest at distance 1.

    Raises:
        UnreadableError: The content has no points, has NaN, or all points are in one place.

    Example:
        >>> import numpy as np
        >>> read_points(np.array([[0.0, 0, 0], [4.0, 0, 0]]), most=100).tolist()
        [[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """
    source = as_source(content)
    with unreadable(source.name):
        found = np.asarray(source.value) if isinstance(source, Decoded) else _from_file(source, most)
        if found.ndim != 2 or found.shape[1] < 3 or len(found) == 0:
            raise UnreadableError(f"{source.name}: expected shape (points, 3 or more), got {found.shape}")
        xyz = np.asarray(found[:, :3], np.float64)
    if not np.isfinite(xyz).all():
        raise UnreadableError(f"{source.name}: has points that are NaN or infinite")
    return in_unit_sphere(taken(xyz, most), source.name)


def _from_file(source: ByteSource, most: int) -> np.ndarray:
    suffix = Path(source.name).suffix.lower()
    with source.open() as file:
        size = file.seek(0, 2)
        file.seek(0)
        if size > MOST_BYTES:
            raise UnreadableError(f"{source.name}: {size} bytes, the limit is {MOST_BYTES} bytes")
        return _array(source.name, file, suffix, size) if suffix in ARRAYS else _mesh(source.name, file, suffix, most)


def taken(xyz: np.ndarray, most: int) -> np.ndarray:
    """At most ``most`` of the points, in their order, the same ones every time."""
    if len(xyz) <= most:
        return xyz
    return xyz[np.sort(np.random.default_rng(SEED).choice(len(xyz), most, replace=False))]


def in_unit_sphere(xyz: np.ndarray, name: str) -> Float32[np.ndarray, "points 3"]:
    """Move the centroid to the origin and scale the largest norm to 1."""
    centred = xyz - xyz.mean(0)
    with np.errstate(over="ignore"):
        largest = np.linalg.norm(centred, axis=1).max()
    if not 0 < largest < np.inf:
        raise UnreadableError(f"{name}: all points are in one place, or too far apart")
    return (centred / largest).astype(np.float32)


def _array(name: str, file: BufferedIOBase, suffix: str, size: int) -> np.ndarray:
    if suffix == ".npy":
        return read_npy(name, file, size)
    with zipfile.ZipFile(file) as archive:
        members = {Path(entry.filename).stem: entry for entry in archive.infolist()}
        chosen = next((members[key] for key in ARRAY_NAMES if key in members), None)
        chosen = chosen or next(iter(members.values()), None)
        if chosen is None:
            raise UnreadableError(f"{name}: has no array")
        with archive.open(chosen) as member:
            return read_npy(name, member, chosen.file_size)


def _mesh(name: str, file: BufferedIOBase, suffix: str, most: int) -> np.ndarray:
    try:
        import trimesh
    except ImportError as error:
        raise IsthmusError(f"{name}: reading it needs trimesh: pip install 'isthmus[embed]'") from error
    loaded: Any = trimesh.load_scene(file, file_type=suffix.removeprefix("."))
    parts = [part for part in loaded.dump() if isinstance(part, trimesh.Trimesh) and len(part.faces)]
    if parts:
        surface = trimesh.util.concatenate(parts)
        return np.asarray(trimesh.sample.sample_surface(surface, most, seed=SEED)[0])
    vertices = [np.asarray(part.vertices) for part in loaded.dump() if hasattr(part, "vertices")]
    return np.concatenate(vertices) if vertices else np.empty((0, 3))
