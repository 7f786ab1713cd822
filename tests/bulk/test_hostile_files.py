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
from isthmus.media import UnreadableError, as_source, read_audio, read_image, read_points, read_video

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


def write_kind(folder: Path, kind: str) -> int:
    """So many hostile files of one kind; returns how many."""
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
    return len(contents)


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


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        ("image", read_image),
        ("audio", lambda source: read_audio(source, 8000)),
        ("video", lambda source: read_video(source, 4)),
        ("points", lambda source: read_points(source, 10_000)),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_readers_read_or_say_unreadable_and_nothing_else(
    tmp_path: Path, kind: str, read: Callable[[object], object]
) -> None:
    write_kind(tmp_path / kind, kind)
    said = []
    for path in sorted((tmp_path / kind).iterdir()):
        if b"4000000000" in path.read_bytes()[:200] or b"2000000000" in path.read_bytes()[:40]:
            continue
        try:
            read(as_source(path))
        except UnreadableError as error:
            said.append((path.name, str(error)))
    assert len(said) > EACH / 4
    assert all(name in message and "\n" not in message for name, message in said)


def test_no_job_stops_and_memory_stays_bounded(checkpoints: Callable[[str], Path], tmp_path: Path) -> None:
    tiny_checkpoints.write_ulip(tmp_path / "ulip.pt")
    spaces = {
        "image": f"clip:{checkpoints('clip')}",
        "audio": f"clap:{checkpoints('clap')}",
        "video": f"xclip:{checkpoints('xclip')}",
        "points": f"ulip:{tmp_path / 'ulip.pt'}",
    }
    total = 0
    for kind, space in spaces.items():
        written = write_kind(tmp_path / kind, kind)
        names = sorted(path.name for path in (tmp_path / kind).iterdir())
        (tmp_path / kind / "list.txt").write_text("\n".join(names))
        summary = isthmus.embed(
            tmp_path / kind / "list.txt", tmp_path / f"out-{kind}", space=space, modality=kind, workers=1, timeout=30
        )
        assert summary.rows + len(summary.failed) == written
        assert summary.rows > 0
        assert len(summary.failed) > written / 4
        total += written
    assert total == 300
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < MOST_BYTES
