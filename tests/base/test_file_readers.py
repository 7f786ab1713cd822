"""JSON, arrays and tensors from damaged files: refused in one line that names the file, whatever the parser raises."""

from __future__ import annotations

import io
import json
import math
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.base.array_files import map_npy, read_npy_header
from isthmus.base.errors import IsthmusError, reading
from isthmus.base.json_files import parse_json, read_json
from isthmus.base.tensor_files import read_tensors, write_tensors

READERS = [read_json, map_npy, read_tensors]


def refused(path: Path, read: object = read_json) -> str:
    with pytest.raises(IsthmusError) as refusal:
        read(path, "copy it again")  # type: ignore[operator]
    message = str(refusal.value)
    assert str(path) in message
    assert message.endswith("copy it again")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("read", READERS)
def test_anything_but_a_file_is_refused_before_it_is_opened(read: object, tmp_path: Path) -> None:
    assert "not found" in refused(tmp_path / "absent", read)
    assert "is not a file" in refused(tmp_path, read)
    os.mkfifo(tmp_path / "fifo")  # opening it would wait for ever
    assert "is not a file" in refused(tmp_path / "fifo", read)
    (tmp_path / "endless").symlink_to("/dev/zero")
    assert "is not a file" in refused(tmp_path / "endless", read)
    assert "not found" in refused(tmp_path / "a\0b", read)


@pytest.mark.parametrize(
    "error", [KeyError("x"), OverflowError("x"), MemoryError(), RecursionError("x"), OSError(28, "x")]
)
def test_any_error_of_a_parser_is_one_line_with_its_cause(error: Exception, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(IsthmusError, match=r"file: cannot be read \(.+\): copy it") as refusal,
        reading(tmp_path / "file", "copy it"),
    ):
        raise error
    assert refusal.value.__cause__ is error


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b'{"\\udc00": 1}',
        b"[" * 200_000,
        b"[" * 101 + b"]" * 101,
        b"9" * 5000,
    ],
)
def test_json_that_would_fail_later_is_refused_when_it_is_read(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_bytes(content)
    refused(file)


def test_json_beyond_the_limit_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.base.json_files.MOST_BYTES", 10)
    (tmp_path / "file").write_text("[1, 2, 3, 4]")
    assert "12 bytes, the limit is 10 bytes" in refused(tmp_path / "file")


def test_json_of_100_levels_is_read() -> None:
    assert parse_json("[" * 100 + "]" * 100) is not None


def test_json_of_tables_may_have_nan() -> None:
    assert math.isnan(parse_json('{"score": NaN}', finite=False)["score"])


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20))
def test_all_valid_json_is_read_as_it_was_written(value: object) -> None:
    assert parse_json(json.dumps(value)) == value


@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,.-+eE0123456789\\u dntrfalse', max_size=60).map(str.encode))
def test_any_bytes_are_json_or_a_value_error(content: bytes) -> None:
    try:
        found = parse_json(content.decode("utf-8", "surrogateescape"))
    except ValueError:
        return
    json.dumps(found, ensure_ascii=False, allow_nan=False)


def written_npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


HEADERS = [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 2), }'",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999, 2), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (10000000, 100000), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 2), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (3, 2), }",
    "{'descr': '<U99', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': [], 'fortran_order': False, 'shape': (3, 2), }",
    "(" * 3000,
]


@pytest.mark.parametrize("header", HEADERS)
def test_damaged_npy_headers_are_refused(header: str, tmp_path: Path) -> None:
    content = written_npy(np.ones((3, 2), np.float32))
    text = header.ljust(118) + "\n"
    file = tmp_path / "vectors_0.npy"
    file.write_bytes(content[:8] + len(text).to_bytes(2, "little") + text.encode("latin1") + content[128:])
    refused(file, map_npy)


@settings(max_examples=200)
@given(st.integers(0, 151), st.integers(0, 255), st.integers(0, 152))
def test_any_byte_of_an_npy_header_may_be_wrong(place: int, value: int, end: int) -> None:
    content = bytearray(written_npy(np.ones((3, 2), np.float32)))
    content[place] = value
    for whole in (bytes(content), bytes(content[:end])):
        file = io.BytesIO(whole)
        try:
            shape, _, dtype = read_npy_header(file, len(whole))
        except ValueError:
            continue
        assert math.prod(shape) * dtype.itemsize <= len(whole)


def test_a_whole_npy_file_is_mapped_as_numpy_reads_it(tmp_path: Path) -> None:
    for number, array in enumerate([np.ones((3, 2), np.float16), np.zeros((0, 4), np.float32), np.arange(5)]):
        np.save(tmp_path / f"{number}.npy", array)
        found = map_npy(tmp_path / f"{number}.npy", "")
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)


def test_tensors_come_back_with_their_header(tmp_path: Path) -> None:
    shared = torch.arange(6.0).reshape(2, 3)
    write_tensors(tmp_path / "t.safetensors", {"a": shared, "b": shared.T}, {"step": "3"})
    tensors, header = read_tensors(tmp_path / "t.safetensors", "")
    assert header == {"step": "3"}
    torch.testing.assert_close(tensors, {"a": shared, "b": shared.T})


@settings(max_examples=100)
@given(st.integers(0, 10**6), st.integers(0, 255), st.booleans())
def test_damaged_tensor_files_are_refused_or_read(place: int, value: int, cut: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "t.safetensors"
        write_tensors(file, {"a": torch.ones(2, 3), "b": torch.zeros(4, dtype=torch.int64)}, {"step": "3"})
        content = bytearray(file.read_bytes())
        place %= len(content)
        content[place] = value
        file.write_bytes(content[:place] if cut else content)
        with suppress(IsthmusError):
            read_tensors(file, "copy it again")


def test_tensors_that_cannot_be_written_name_their_file(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # as a full disk: writing fails half way
    try:
        with pytest.raises(IsthmusError, match=r"model\.safetensors: cannot be written \(.*File too large"):
            write_tensors(tmp_path / "model.safetensors", {"a": torch.ones(1000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())
