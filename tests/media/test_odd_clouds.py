"""Point clouds of the real world: which array of an npz has the points, and files that name other files."""

import io
import json
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from isthmus.media import UnreadableError, read_points

CLOUD = np.random.default_rng(0).uniform(-1, 1, (200, 3)) * (9, 1, 1)
NORMALS = CLOUD[::-1] / np.linalg.norm(CLOUD[::-1], axis=1, keepdims=True)


def npz(**arrays: np.ndarray) -> np.ndarray:
    """What is read from an npz with these arrays, in this order."""
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return read_points(_Named("a.npz", stream.getvalue()), 1000)


class _Named:
    """Bytes with a name."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name, self.content = name, content

    def open(self) -> io.BytesIO:
        return io.BytesIO(self.content)


@pytest.mark.parametrize("key", ["points", "vertices", "xyz", "pos", "coord", "coords", "pcd", "pc", "Points"])
def test_normals_are_never_taken_for_the_cloud(key: str) -> None:
    expected = read_points(CLOUD, 1000)
    arrays = {"normals": NORMALS, "colors": np.abs(NORMALS), key: CLOUD, "faces": np.zeros((9, 3), int)}
    np.testing.assert_array_equal(npz(**arrays), expected)
    np.testing.assert_array_equal(npz(**dict(reversed(arrays.items()))), expected)


def test_the_only_array_that_could_be_points_is_the_cloud() -> None:
    names = np.array(["a", "b"])
    found = npz(scan=CLOUD, vertex_normals=NORMALS, n=np.zeros(3), names=names, objects=names.astype(object))
    np.testing.assert_array_equal(found, read_points(CLOUD, 1000))


@pytest.mark.parametrize("keys", [("scan_a", "scan_b"), ("points", "vertices"), ("normals", "colors"), ("t",)])
def test_an_npz_with_no_clear_array_of_points_is_refused(keys: tuple[str, ...]) -> None:
    arrays = {key: CLOUD if len(keys) > 1 else np.zeros(3) for key in keys}
    with pytest.raises(UnreadableError, match=r"a\.npz: .* of its arrays could be the points .*: name one of them"):
        npz(**arrays)


def test_a_transposed_cloud_is_refused() -> None:
    with pytest.raises(UnreadableError, match=r"\(3, 200\)"):
        read_points(CLOUD.T, 1000)


def glb(buffer_uri: str | None, image_uri: str | None = None) -> bytes:
    """A binary glTF of a triangle whose buffer, or whose texture, is elsewhere."""
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32).tobytes()
    buffer = {"byteLength": len(vertices)} | ({"uri": buffer_uri} if buffer_uri else {})
    tree: dict = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "mode": 0}]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
        "bufferViews": [{"buffer": 0, "byteLength": len(vertices)}],
        "buffers": [buffer],
    }
    if image_uri:
        tree |= {"images": [{"uri": image_uri}], "textures": [{"source": 0}]}
        tree["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]
        tree["meshes"][0]["primitives"][0] |= {"material": 0}
    header = json.dumps(tree).encode()
    header += b" " * (-len(header) % 4)
    chunks = struct.pack("<I4s", len(header), b"JSON") + header
    chunks += b"" if buffer_uri else struct.pack("<I4s", len(vertices), b"BIN\0") + vertices
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


@pytest.mark.parametrize("uri", ["secret.bin", "../secret.bin", "/etc/hostname", "http://127.0.0.1:9/secret.bin"])
def test_a_mesh_does_not_read_other_files(tmp_path: Path, uri: str) -> None:
    (tmp_path / "secret.bin").write_bytes(np.arange(9, dtype=np.float32).tobytes())
    (tmp_path / "a.glb").write_bytes(glb(uri))
    with pytest.raises(UnreadableError, match=r"a\.glb: refers to another file"):
        read_points(tmp_path / "a.glb", 100)
    (tmp_path / "a.glb").write_bytes(glb(None, image_uri=uri))
    assert len(read_points(tmp_path / "a.glb", 100)) == 3


def test_materials_and_textures_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """trimesh would give an image of any kind to Pillow, which starts Ghostscript for some."""

    def opened(*given: object, **options: object) -> None:
        raise AssertionError("an image was opened")

    monkeypatch.setattr(Image, "open", opened)
    (tmp_path / "a.mtl").write_text("newmtl m\nmap_Kd a.png\n")
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n")
    (tmp_path / "a.obj").write_text("mtllib a.mtl\nusemtl m\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nf 1/1 2/1 3/1\n")
    assert read_points(tmp_path / "a.obj", 100).shape == (100, 3)
    trimesh.creation.box().export(tmp_path / "a.ply")
    content = (tmp_path / "a.ply").read_bytes().replace(b"end_header", b"comment TextureFile a.png\nend_header", 1)
    (tmp_path / "a.ply").write_bytes(content)
    assert read_points(tmp_path / "a.ply", 100).shape == (100, 3)
    embedded = glb(None, image_uri="data:image/png;base64,JSFQUy1BZG9iZS0zLjAgRVBTRi0zLjAK")
    (tmp_path / "a.glb").write_bytes(embedded)
    assert len(read_points(tmp_path / "a.glb", 100)) == 3
