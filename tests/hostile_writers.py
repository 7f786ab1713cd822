"""Broken and hostile files of every kind, for the tests and the benchmark of decoding."""

from __future__ import annotations

import io
import os
import socket
import struct
import wave
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import trimesh
from PIL import Image

import media_files

EACH = 80
KINDS = ("image", "audio", "video", "points")
CANARY = b"http://127.0.0.1:9/canary"
"""The address that lists and meshes name; the benchmark puts a server there that counts."""
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n(x) print\nshowpage\n"


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
    extra = {"image": hostile_images, "audio": hostile_sounds, "video": hostile_videos, "points": hostile_clouds}
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


def hostile_images() -> list[tuple[str, bytes]]:
    """Bombs, other formats under an image's name, and headers that lie."""
    bomb = saved(Image.new("1", (30_000, 30_000)), "PNG")
    return [
        (".png", saved(Image.new("RGB", (1, 1)), "PNG")),
        (".png", bomb),
        (".png", saved(Image.new("1", (9000, 9000)), "PNG")),
        (".gif", saved(Image.new("P", (3, 1)), "GIF")),
        (".jpg", b"%PDF-1.7 not a picture"),
        (".jpg", EPS),
        (".png", b"\xc5\xd0\xd3\xc6" + struct.pack("<6IH", 32, len(EPS), 0, 0, 0, 0, 0xFFFF) + b"\0\0" + EPS),
        (".tga", EPS),
        (".png", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="' + CANARY + b'"/></svg>'),
        (".bmp", b"\xd7\xcd\xc6\x9a" + b"\0" * 60),
        (".tif", huge_tiff(100_000, 100_000)),
        (".tif", huge_tiff(9_999, 9_999)),
        (".tif", looping_tiff()),
        (".png", png_with(b"zTXt", b"c\0\0" + zlib.compress(b"\0" * 10**8))),
        (".png", png_with(b"iCCP", b"c\0\0" + zlib.compress(b"\0" * 10**8))),
        (".gif", b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\x80\0\0" + b"\0" * 6 + b";"),
        (".bmp", b"BM" + struct.pack("<IIIIiiHHIIiiII", 99, 0, 54, 40, 2**31 - 1, 2**31 - 1, 1, 24, 0, 0, 0, 0, 0, 0)),
        (".ppm", b"P6 99999 99999 255\n" + b"\0" * 99),
        (".ppm", b"P3 9999 9999 255\n" + b"1 " * 99),
    ]


def huge_tiff(width: int, height: int) -> bytes:
    """A grey TIFF that promises its pixels and has 32 bytes of them."""
    tags = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height), (279, 32)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return struct.pack("<2sHI", b"II", 42, 40) + b"\0" * 32 + struct.pack("<H", len(tags)) + entries + b"\0" * 4


def looping_tiff() -> bytes:
    """A TIFF whose directory is followed by itself."""
    return huge_tiff(4, 8)[:-4] + struct.pack("<I", 40)


def png_with(kind: bytes, content: bytes) -> bytes:
    """A png with a chunk before its pixels."""
    whole = saved(Image.new("RGB", (9, 9)), "PNG")
    chunk = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return whole[:33] + chunk + whole[33:]


def lists_of_other_files(suffix: str) -> list[tuple[str, bytes]]:
    """What FFmpeg would follow: lists of files and addresses."""
    return [
        (suffix, b"ffconcat version 1.0\nfile /dev/zero\nfile " + CANARY + b"\n"),
        (suffix, b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:1.0,\n" + CANARY + b"\n#EXT-X-ENDLIST\n"),
        (suffix, b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"),
    ]


def hostile_sounds() -> list[tuple[str, bytes]]:
    """Sound that is none, headers that lie, joined and cut files."""
    flac, ogg = io.BytesIO(), io.BytesIO()
    soundfile.write(flac, media_files.tones(2, 8000), 8000, format="FLAC")
    soundfile.write(ogg, media_files.tones(2, 8000), 8000, format="OGG")
    endless = bytearray(flac.getvalue())
    endless[21:26] = b"\x0f\xff\xff\xff\xff"
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
        (".flac", flac.getvalue() * 3),
        (".flac", bytes(endless)),
        (".ogg", ogg.getvalue() * 50),
        (".mp3", ogg.getvalue()),
        (".wav", silent.getvalue()[: len(silent.getvalue()) // 2]),
        (".wav", silent.getvalue()[:22] + b"\0\0" + silent.getvalue()[24:]),
        (".wav", silent.getvalue()[:22] + b"\xff\xff" + silent.getvalue()[24:]),
        (".wav", silent.getvalue()[:24] + b"\0\0\0\0" + silent.getvalue()[28:]),
        (".wav", silent.getvalue() * 2),
        (".mp3", b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + b"\0" * 99),
        (".mp3", b"\xff\xfb\x90\x64" * 4000),
        *lists_of_other_files(".m4a"),
        *lists_of_other_files(".wav"),
    ]


def hostile_videos() -> list[tuple[str, bytes]]:
    """Videos that are none, and lists that name other files."""
    return [
        (".mp4", saved(Image.new("RGB", (9, 9)), "PNG")),
        (".mkv", huge_wav()),
        (".avi", b"RIFF" + b"\xff" * 4000),
        (".mkv", EPS),
        *lists_of_other_files(".mp4"),
        *lists_of_other_files(".ts"),
    ]


def glb_naming(uri: bytes) -> bytes:
    """A binary glTF whose buffer is elsewhere."""
    header = b'{"asset":{"version":"2.0"},"buffers":[{"byteLength":36,"uri":"' + uri + b'"}]}'
    header += b" " * (-len(header) % 4)
    return struct.pack("<4sIII4s", b"glTF", 2, 20 + len(header), len(header), b"JSON") + header


def hostile_clouds() -> list[tuple[str, bytes]]:
    """Clouds that promise more than there is, bombs, and meshes that name other files."""
    bomb = io.BytesIO()
    np.savez_compressed(bomb, points=np.zeros((4_000_000, 3), np.float32))
    nothing = io.BytesIO()
    with zipfile.ZipFile(nothing, "w") as archive:
        for number in range(2000):
            archive.writestr(f"{number}.npy", b"\x93NUMPY\x01\0\x02\0{}")
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
        (".npz", bomb.getvalue()),
        (".npz", nothing.getvalue()),
        (".npz", bomb.getvalue()[:-99]),
        *((".glb", glb_naming(uri)) for uri in (CANARY, b"/dev/zero", b"../../etc/passwd", b"file:///etc/passwd")),
        (".glb", struct.pack("<4sIII4s", b"glTF", 2, 2**32 - 1, 2**32 - 1, b"JSON")),
        (".obj", b"mtllib /dev/zero\nusemtl a\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"),
        (".obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 999999999\n"),
        (".ply", b"ply\nformat ascii 1.0\ncomment TextureFile " + CANARY + b"\nelement vertex 1\nend_header\n"),
        (".ply", b"ply\nformat ascii 1.0\nelement face 9\nproperty list uchar int vertex_index\nend_header\n255 1\n"),
    ]


def write_special(folder: Path) -> None:
    """Paths that are not files: pipes, devices, a socket, a folder, links in a loop or to nothing."""
    folder.mkdir()
    for suffix in (".png", ".wav", ".mp4", ".npy"):
        os.mkfifo(folder / f"pipe{suffix}")
        (folder / f"device{suffix}").symlink_to("/dev/zero")
        (folder / f"nothing{suffix}").symlink_to("absent")
        (folder / f"loop{suffix}").symlink_to(f"loop{suffix}")
    (folder / "folder.png").mkdir()
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(folder / "socket.png"))
