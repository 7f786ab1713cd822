"""300 broken and hostile files of every kind: no job stops, every file is a row or an error, memory stays bounded."""

import io
import resource
import struct
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import trimesh
from PIL import Image

import isthmus
import media_files
import tiny_checkpoints

EACH = 75
MOST_BYTES = 3.5 * 2**30
"""What one decoding process may hold at its peak, libraries included; they alone take about half a gigabyte."""


def damaged(whole: bytes, draw: np.random.Generator) -> Iterator[bytes]:
    """Ways in which a good file goes bad: cut at any place, bytes changed, header only, doubled, with noise before."""
    yield b""
    for share in draw.uniform(0, 1, 12):
        yield whole[: int(share * len(whole))]
    for _ in range(12):
        changed = bytearray(whole)
        for place in draw.integers(0, len(whole), 8):
            changed[place] = draw.integers(0, 256)
        yield bytes(changed)
    for _ in range(8):
        changed = bytearray(whole)
        for place in draw.integers(0, min(64, len(whole)), 3):
            changed[place] = 255
        yield bytes(changed)
    yield whole[:16]
    yield whole * 2
    yield draw.bytes(64) + whole
    yield draw.bytes(5000)


def huge_wav() -> bytes:
    """A header that promises four gigabytes of sound."""
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0" * 2000)
    content = bytearray(stream.getvalue())
    content[4:8] = content[40:44] = struct.pack("<I", 2**32 - 1)
    return bytes(content)


def write_kind(folder: Path, kind: str) -> None:
    """Write `EACH` hostile files of one kind."""
    draw = np.random.default_rng(sum(map(ord, kind)))
    folder.mkdir()
    sources = list(good_files(folder, kind))
    contents: list[tuple[str, bytes]] = []
    for source in sources:
        contents += [(source.suffix, content) for content in damaged(source.read_bytes(), draw)]
    for source in sources:
        source.unlink()
    extra = {"image": hostile_pictures, "audio": hostile_sounds, "video": hostile_videos, "points": hostile_clouds}
    contents = (extra[kind]() + contents)[:EACH]
    while len(contents) < EACH:
        suffix, content = contents[len(contents) % 40]
        contents.append((suffix, content + draw.bytes(3)))
    for number, (suffix, content) in enumerate(contents):
        (folder / f"{number:03}{suffix}").write_bytes(content)


def good_files(folder: Path, kind: str) -> Iterator[Path]:
    """Files of a kind as they should be."""
    if kind == "image":
        yield media_files.write_image(folder / "s.png")
        yield media_files.write_image(folder / "s.jpg")
    elif kind == "audio":
        yield media_files.write_audio(folder / "s.wav")
        yield media_files.write_audio(folder / "s.flac")
    elif kind == "video":
        yield media_files.write_video(folder / "s.mp4", seconds=1)
    else:
        yield media_files.write_cloud(folder / "s.npy")
        for suffix in (".ply", ".glb"):
            trimesh.creation.box().export(folder / f"s{suffix}")
            yield folder / f"s{suffix}"


def saved(image: Image.Image, form: str) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form)
    return stream.getvalue()


def hostile_pictures() -> list[tuple[str, bytes]]:
    bomb = saved(Image.new("1", (30_000, 30_000)), "PNG")
    return [
        (".png", saved(Image.new("RGB", (1, 1)), "PNG")),
        (".png", bomb),
        (".png", saved(Image.new("1", (9000, 9000)), "PNG")),
        (".gif", saved(Image.new("P", (3, 1)), "GIF")),
        (".jpg", b"%PDF-1.7 not a picture"),
    ]


def hostile_sounds() -> list[tuple[str, bytes]]:
    nan = io.BytesIO()
    soundfile.write(nan, np.full(8000, np.nan, np.float32), 8000, format="WAV", subtype="FLOAT")
    one = io.BytesIO()
    soundfile.write(one, np.zeros(1, np.float32), 8000, format="WAV")
    silent = io.BytesIO()
    soundfile.write(silent, np.zeros(8000, np.float32), 8000, format="WAV")
    return [
        (".wav", nan.getvalue()),
        (".wav", one.getvalue()),
        (".wav", silent.getvalue()),
        (".wav", huge_wav()),
        (".mp3", saved(Image.new("RGB", (9, 9)), "PNG")),
    ]


def hostile_videos() -> list[tuple[str, bytes]]:
    return [(".mp4", saved(Image.new("RGB", (9, 9)), "PNG")), (".mkv", huge_wav()), (".avi", b"RIFF" + b"\xff" * 4000)]


def hostile_clouds() -> list[tuple[str, bytes]]:
    many = io.BytesIO()
    np.save(many, np.random.default_rng(0).standard_normal((100_000, 3)).astype(np.float32))
    lying = io.BytesIO()
    np.lib.format.write_array_header_1_0(lying, {"descr": "<f4", "fortran_order": False, "shape": (2**40, 3)})
    ply = b"ply\nformat binary_little_endian 1.0\nelement vertex 4000000000\nproperty float x\nproperty float y\n"
    faces = b"OFF\n2000000000 2000000000 0\n0 0 0\n"
    return [
        (".npy", many.getvalue()),
        (".npy", lying.getvalue()),
        (".ply", ply + b"property float z\nend_header\n" + b"\0" * 300),
        (".off", faces),
        (".obj", b"f 1 2 3\nv nan nan nan\n"),
    ]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of one kind's hostile files, written once."""
    root = tmp_path_factory.mktemp("hostile")

    def folder(kind: str) -> Path:
        if not (root / kind).is_dir():
            write_kind(root / kind, kind)
        return root / kind

    return folder


@pytest.mark.parametrize("kind", ["image", "audio", "video", "points"])
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_file_is_a_row_or_an_unreadable_item(
    hostile: Callable[[str], Path], checkpoints: Callable[[str], Path], tmp_path: Path, kind: str
) -> None:
    """Through the encoders' own preparation, in this process; readers raise `UnreadableError` and nothing else."""
    tiny_checkpoints.write_ulip(tmp_path / "ulip.pt")
    space = {
        "image": lambda: f"clip:{checkpoints('clip')}",
        "audio": lambda: f"clap:{checkpoints('clap')}",
        "video": lambda: f"xclip:{checkpoints('xclip')}",
        "points": lambda: f"ulip:{tmp_path / 'ulip.pt'}",
    }[kind]()
    paths = [path for path in sorted(hostile(kind).iterdir()) if not promises_gigabytes(path)]
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(map(str, paths)))
    summary = isthmus.embed(listed, tmp_path / "out", space=space, modality=kind, workers=0, allow_outside=True)
    assert summary.rows + len(summary.failed) == len(paths) > EACH - 3
    assert summary.rows > 0
    assert len(summary.failed) > EACH / 4
    for failure in summary.failed:
        assert failure.id in failure.reason
        assert "\n" not in failure.reason
        assert "cannot be prepared" not in failure.reason


def promises_gigabytes(path: Path) -> bool:
    """Whether only a process with limited memory may read the file."""
    start = path.read_bytes()[:200]
    return b"4000000000" in start or b"2000000000" in start


@pytest.mark.slow
def test_one_worker_survives_all_files_within_its_memory(
    hostile: Callable[[str], Path], stage: str, tmp_path: Path
) -> None:
    paths = [path for kind in ("image", "audio", "video", "points") for path in sorted(hostile(kind).iterdir())]
    assert len(paths) == 4 * EACH == 300
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(map(str, paths)))
    options = {"space": stage, "modality": "video", "workers": 1, "timeout": 30, "allow_outside": True}
    summary = isthmus.embed(listed, tmp_path / "out", **options)
    assert summary.rows + len(summary.failed) == 300
    assert summary.rows > 40
    assert len(summary.failed) > 75
    assert not [failure.reason for failure in summary.failed if "died" in failure.reason]
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < MOST_BYTES
