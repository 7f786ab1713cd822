"""Sources: pipes, devices and sockets are refused at once; remote bytes come from known addresses, within limits."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import media_files
from hostile_server import Answers, serving
from isthmus.media import (
    UnreadableError,
    list_media,
    read_audio,
    read_image,
    read_points,
    read_vector,
    read_video,
    remote,
    source,
)
from isthmus.media.remote import Remote
from isthmus.media.source import LocalFile, TarMember, sha256_of_source
from listings import write_tar

READERS = (read_image, lambda path: read_audio(path, 8000), lambda path: read_video(path, 2), read_vector)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def link_to_pipe(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def link_to_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def bound_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("make", [pipe, link_to_pipe, link_to_device, bound_socket, folder])
def test_what_is_not_a_file_is_refused_at_once(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "a.npy"
    make(path)
    for read in (*READERS, lambda path: read_points(path, 100)):
        with pytest.raises(UnreadableError, match=r"a\.npy: is (a pipe|a device|a socket|a folder), not a file"):
            read(path)
    for opened in (LocalFile(path), TarMember(path, "member", 0, 10)):
        with pytest.raises(UnreadableError, match="not a file"):
            sha256_of_source(opened)


def test_hashing_has_a_limit_of_time(tmp_path: Path) -> None:
    with (tmp_path / "sparse.mkv").open("wb") as file:
        file.truncate(2**40)
    started = time.monotonic()
    with pytest.raises(UnreadableError, match=r"not read within 0\.2 seconds"):
        sha256_of_source(LocalFile(tmp_path / "sparse.mkv"), 0.2)
    assert time.monotonic() - started < 5


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a server on this machine."""
    with serving(media_files.write_image(tmp_path / "served.png").read_bytes()) as address:
        yield address


def test_a_uri_is_read_even_through_a_redirection(server: str) -> None:
    for kind in ("good one", "good%20one", "moved"):
        assert Remote(f"{server}/{kind}/a.png").open().read() == Answers.content
        assert read_image(Remote(f"{server}/{kind}/a.png")).size == (70, 48)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("missing", "404"),
        ("away", "file"),
        ("short", "100 bytes too early"),
        ("endless", "more than 1000000 bytes"),
        ("slow", r"not fetched within 0\.5 seconds"),
        ("silent", "timed out"),
    ],
)
def test_a_hostile_server_costs_one_item(server: str, monkeypatch: pytest.MonkeyPatch, kind: str, says: str) -> None:
    monkeypatch.setattr(remote, "MOST_BYTES", 10**6)
    monkeypatch.setattr(remote, "REMOTE_SECONDS", 0.5)
    monkeypatch.setattr(remote, "SILENT_SECONDS", 1.0)
    started = time.monotonic()
    with pytest.raises(UnreadableError, match=rf"/{kind}/a\.png: .*{says}"):
        read_image(Remote(f"{server}/{kind}/a.png"))
    assert time.monotonic() - started < 4


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc/passwd",
        "local:///etc/passwd",
        "sftp://host/a.png",
        "zip://a.png::/etc/a.zip",
        "memory://a::file:///etc/passwd",
        "simplecache::s3://bucket/a.png",
        "reference://x",
        "github://a:b@/c.png",
        "nothing://a.png",
    ],
)
def test_other_schemes_are_refused_by_name(uri: str) -> None:
    with pytest.raises(UnreadableError, match="such URIs are not read, only http://, https://"):
        Remote(uri).open()


def test_stores_are_opened_with_fsspec_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    with fsspec.open("memory://sources/a.bin", "wb") as file:
        file.write(b"x" * 5000)
    assert Remote("memory://sources/a.bin").open().read() == b"x" * 5000
    monkeypatch.setattr(remote, "MOST_BYTES", 1000)
    with pytest.raises(UnreadableError, match="more than 1000 bytes"):
        Remote("memory://sources/a.bin").open()


def test_a_member_of_a_tar_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MOST_BYTES", 1000)
    (tmp_path / "a.tar").write_bytes(b"\0" * 5000)
    with pytest.raises(UnreadableError, match="5000 bytes, the limit in a tar"):
        TarMember(tmp_path / "a.tar", "a.png", 0, 5000).open()


def test_a_member_of_a_tar_that_was_cut_after_it_was_listed_is_refused(tmp_path: Path) -> None:
    archive = write_tar(tmp_path / "a.tar", {"0.txt": b"x" * 3000, "1.txt": b"y" * 3000})
    first, second = (item.source for item in list_media(archive, "image", column="txt"))
    os.truncate(archive, second.offset + 1000)
    assert first.open().read() == b"x" * 3000
    with pytest.raises(UnreadableError, match=r"a\.tar/1\.txt: is cut short: 1000 of 3000 bytes"):
        second.open()
