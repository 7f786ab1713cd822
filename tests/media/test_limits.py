"""Limits of docs/security.md: media beyond them are refused, with limits that small files reach."""

import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from isthmus.base.errors import IsthmusError
from isthmus.media import UnreadableError, read_image, read_points
from isthmus.worlds.digits.recordings import handwriting_files


def png(width: int, height: int) -> bytes:
    content = io.BytesIO()
    Image.new("L", (width, height)).save(content, format="PNG")
    return content.getvalue()


def test_an_image_of_too_many_pixels_or_too_elongated_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_image(png(300, 3)).size == (300, 3)
    with pytest.raises(UnreadableError, match="301 x 3 pixels is too elongated"):
        read_image(png(301, 3))
    monkeypatch.setattr("isthmus.media.readers.image.MOST_PIXELS", 100)
    with pytest.raises(UnreadableError, match="11 x 10 pixels, the limit is 100 pixels"):
        read_image(png(11, 10))


def test_a_cloud_of_too_many_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.media.readers.points.MOST_BYTES", 1000)
    np.save(tmp_path / "a.npy", np.eye(3).repeat(100, 0))
    with pytest.raises(UnreadableError, match=r"a\.npy: 7328 bytes, the limit is 1000 bytes"):
        read_points(tmp_path / "a.npy", 100)


def test_arrays_of_the_demos_input_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handwriting_files, "MOST_BYTES", 1000)
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros((2, 28, 28), np.uint8), labels=np.zeros(2, int))
    (tmp_path / "images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(1001)))
    (tmp_path / "labels-idx1-ubyte").touch()
    for name, says in (("a.npz", r"images\.npy has 1696 bytes, the limit"), ("images-idx3-ubyte.gz", "more than 1000")):
        with pytest.raises(IsthmusError, match=rf"{name}: cannot be read \(.*{says}"):
            handwriting_files.load_handwriting(tmp_path / name)
