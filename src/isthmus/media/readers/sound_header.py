"""What the header of a sound file says about its length, and whether that can be right."""

from __future__ import annotations

import re
import struct
from io import BufferedIOBase

START = 2**16
BLOCK = 2**20
CHUNKS = {b"RIFF": ("<I", b"data"), b"RF64": ("<I", b"data"), b"RIFX": (">I", b"data"), b"FORM": (">I", b"SSND")}
"""For each kind of chunked file: how sizes are stored, and the chunk that has the samples."""
MOST_CHUNKS = 1000
UNKNOWN = (range(1), range(0x7FFFF000, 0x80001000), range(0xFFFFF000, 2**32), range(2**63 - 1, 2**64))
"""Sizes that programs write while they do not know the size, when they stream or record."""
AGAIN = {
    "FLAC": (re.compile(b""), re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")),
    "OGG": (re.compile(rb"OggS\0[\0\1\4\5]"), re.compile(rb"OggS\0[\2\3]")),
}
"""What occurs only after the start of a file, and how a file starts: the first, then the second: two files joined."""
MARK = 7
"""How much of a file's start the end of a block may hold: all but its last byte."""
XING = re.compile(rb"\xff[\xe2-\xff][^\xff].{1,38}?(?:Xing|Info)(.{12})", re.DOTALL)
NEAR_BYTES = 2048
"""How far the size in an MP3 header may be off: one frame, or a tag at the end."""


def promised_share(stream: BufferedIOBase) -> float:
    """How much sound the header promises, as a multiple of what the file has; 1 if it does not say."""
    size = _size(stream)
    promise, there = _promise(stream, size)
    return promise / there if there > 0 and not any(promise in sizes for sizes in UNKNOWN) else 1.0


def length_is_told(stream: BufferedIOBase, form: str) -> bool:
    """Whether the length in the header can be right, for a file that libsndfile takes for a ``form``.

    MP3 must state the file's size (in a Xing frame); FLAC and Ogg must not be several files in one; a WAV must not say
    that it is empty, as it does if the recorder died.
    """
    size = _size(stream)
    if form == "MP3":
        return _xing_agrees(stream, size)
    if form in ("FLAC", "OGG"):
        return not _joined(stream, form)
    if form in ("WAV", "WAVEX"):
        stream.seek(4)
        whole = int.from_bytes(stream.read(4), "little") + 8
        promise, there = _promise(stream, size)
        return promise > 0 or there == 0 or abs(size - whole) <= 1
    return True


def _size(stream: BufferedIOBase) -> int:
    size = stream.seek(0, 2)
    stream.seek(0)
    return size


def _promise(stream: BufferedIOBase, size: int) -> tuple[int, int]:
    """The bytes of sound that the header promises and that the file has; 0 and 0 if it is of another kind."""
    stream.seek(0)
    head = stream.read(40)
    if head[:4] == b".snd":
        offset, promise = struct.unpack_from(">II", head, 4)
        return promise, max(0, size - offset)
    if head[:4] == b"riff" and len(head) >= 24:
        return int.from_bytes(head[16:24], "little"), size
    if head[:4] == b"caff":
        return _found_chunk(stream, size, 8, ">Q", b"data", even=False)
    if head[:4] not in CHUNKS:
        return 0, 0
    form, wanted = CHUNKS[head[:4]]
    promise, there = _found_chunk(stream, size, 12, form, wanted, even=True)
    if head[:4] == b"RF64" and head[12:16] == b"ds64":
        promise = int.from_bytes(head[28:36], "little")
    return promise, there


def _found_chunk(
    stream: BufferedIOBase, size: int, place: int, form: str, wanted: bytes, *, even: bool
) -> tuple[int, int]:
    """The stated and the actual size of the first chunk called ``wanted``; 0 and 0 if the file has none."""
    for _ in range(MOST_CHUNKS):
        stream.seek(place)
        head = stream.read(4 + struct.calcsize(form))
        if len(head) < 4 + struct.calcsize(form):
            break
        (length,) = struct.unpack(form, head[4:])
        place += len(head)
        if head[:4] == wanted:
            return length, size - place
        if length > size:
            break
        place += length + (length % 2 if even else 0)
    return 0, 0


def _joined(stream: BufferedIOBase, form: str) -> bool:
    """Whether another file of the form begins after the first one."""
    inside, begins = AGAIN[form]
    stream.seek(4)
    before, started = b"", False
    while block := stream.read(BLOCK):
        window = before + block
        if not started and (found := inside.search(window)):
            started, window = True, window[found.end() :]
        if started and begins.search(window):
            return True
        before = window[-MARK:]
    return False


def _xing_agrees(stream: BufferedIOBase, size: int) -> bool:
    """Whether an MP3 begins with a frame that states the number of frames, and the size of this very file."""
    stream.seek(0)
    head = stream.read(10)
    place = 0
    if head[:3] == b"ID3" and len(head) == 10:
        place = 10 + sum((byte & 127) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    stream.seek(place)
    found = XING.search(stream.read(START))
    if found is None:
        return False
    flags, _, stated = struct.unpack(">3I", found[1])
    return flags & 3 == 3 and abs(size - place - found.start() - stated) <= NEAR_BYTES
