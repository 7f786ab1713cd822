"""Point clouds: arrays, and meshes that trimesh samples; at most a fixed number of points, in the unit sphere.

A file may name others (textures, materials, buffers): none of them is opened.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from isthmus.base.array_files import parse_npy_header
from isthmus.base.errors import IsthmusError
from isthmus.media.readers.vector import read_npy
from isthmus.media.source import MOST_BYTES, ByteSource, Decoded, UnreadableError, as_source, unreadable

ARRAYS, MESHES = (".npy", ".npz"), (".ply", ".off", ".obj", ".glb")
SUFFIXES = (*ARRAYS, *MESHES)
READING = "cloud 2"
"""Part of the fingerprint of a preparation: changes when the same file gives other points."""
ARRAY_NAMES = (
    *("points", "vertices", "verts", "xyz", "pos", "position", "positions", "coord", "coords", "coordinates"),
    *("pc", "pcd", "pointcloud", "point_cloud", "cloud", "arr_0"),
)
"""Names of the array of points in an npz, in small letters."""
OTHER_NAMES = re.compile("norm|colou?r|rgb|face|triangle|edge|label|segment|class|feat|tangent|uv|index|indices")
"""Arrays with one of these in their names are never taken for the points."""
MOST_COLUMNS = 64
"""A wider array is a transposed cloud, or not a cloud."""
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
        UnreadableError: The content has no points, has NaN, all points are in one place, or several arrays of an npz
            could be the points.

    Example:
        >>> import numpy as np
        >>> read_points(np.array([[0.0, 0, 0], [4.0, 0, 0]]), most=100).tolist()
        [[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """
    source = as_source(content)
    with unreadable(source.name):
        found = np.asarray(source.value) if isinstance(source, Decoded) else _from_file(source, most)
        if not _may_be_points(found.shape):
            raise UnreadableError(f"{source.name}: expected shape (points, 3 or a few more), got {found.shape}")
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
        every = archive.infolist()
        members = {entry.filename[:-4]: entry for entry in every if entry.filename.endswith(".npy")}
        chosen = members[_array_of_points(name, archive, members)]
        with archive.open(chosen) as member:
            return read_npy(name, member, chosen.file_size)


def _array_of_points(name: str, archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo]) -> str:
    """The array of points: the one with a usual name, or the only one of the right shape."""
    shapes = {}
    for key, entry in members.items():
        with archive.open(entry) as member:
            shapes[key] = parse_npy_header(member)[0]
    fitting = [key for key, shape in shapes.items() if _may_be_points(shape) and not OTHER_NAMES.search(key.lower())]
    usual = [key for key in fitting if key.lower() in ARRAY_NAMES]
    found = usual or fitting
    if len(found) != 1:
        listed = ", ".join(f"{key} {shape}" for key, shape in shapes.items()) or "nothing"
        which = f"{len(found)} of its arrays" if found else "none of its arrays"
        raise UnreadableError(f"{name}: {which} could be the points ({listed}): name one of them points")
    return found[0]


def _may_be_points(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 and shape[0] > 0 and 3 <= shape[1] <= MOST_COLUMNS


@dataclass(frozen=True)
class NoOtherFiles:
    """What trimesh asks for the other files that the file ``name`` refers to."""

    name: str

    def __getitem__(self, other: str) -> bytes:
        """Refuse."""
        raise UnreadableError(f"{self.name}: refers to another file, {other[:80]!r}: export it as one file")

    get = __getitem__


def _mesh(name: str, file: BufferedIOBase, suffix: str, most: int) -> np.ndarray:
    try:
        import trimesh
    except ImportError as error:
        raise IsthmusError(f"{name}: reading it needs trimesh: pip install 'isthmus[embed]'") from error
    # Materials say nothing about points, and trimesh would open their images in any format.
    options: Any = {} if suffix == ".off" else {"skip_materials": True}
    closed: Any = NoOtherFiles(name)
    loaded: Any = trimesh.load_scene(file, file_type=suffix.removeprefix("."), resolver=closed, **options)
    parts = [part for part in loaded.dump() if isinstance(part, trimesh.Trimesh) and len(part.faces)]
    if parts:
        surface = trimesh.util.concatenate(parts)
        return np.asarray(trimesh.sample.sample_surface(surface, most, seed=SEED)[0])
    vertices = [np.asarray(part.vertices) for part in loaded.dump() if hasattr(part, "vertices")]
    return np.concatenate(vertices) if vertices else np.empty((0, 3))
