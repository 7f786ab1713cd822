"""What users give: a home folder as ~, columns of tables, masked rows, empty ids."""

from pathlib import Path

import numpy as np
import pytest

from isthmus import Embeddings, IsthmusError, convert
from isthmus.cli import main

KIND = {"modality": "text", "space": "clip"}


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    made = Embeddings.from_array(np.eye(3), ids=["a", "b", "c"], **KIND)
    assert made.save("~/saved") == tmp_path / "home" / "saved"
    assert Embeddings.open("~/saved").ids == ["a", "b", "c"]
    np.save(tmp_path / "home" / "rows.npy", np.eye(3, dtype=np.float32))
    convert("~/rows.npy", "~/converted", **KIND)
    main(["convert", "~/rows.npy", "--out", "~/by-command", "--modality", "text", "--space", "clip"])
    assert len(Embeddings.open(tmp_path / "home" / "converted")) == len(Embeddings.open("~/by-command")) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_column_of_vectors_is_stacked() -> None:
    column = np.empty(3, object)
    column[:] = list(np.eye(3, dtype=np.float32))
    np.testing.assert_array_equal(Embeddings.from_array(column, **KIND).vectors, np.eye(3))
    column[1] = np.ones(2, np.float32)
    with pytest.raises(IsthmusError, match="not an array of numbers"):
        Embeddings.from_array(column, **KIND)


def test_masked_rows_are_refused_by_number() -> None:
    rows = np.ma.masked_array(np.eye(3), mask=np.zeros((3, 3), bool))
    assert len(Embeddings.from_array(rows, **KIND)) == 3
    rows.mask[1] = True
    with pytest.raises(IsthmusError, match="row 1 is masked"):
        Embeddings.from_array(rows, **KIND)


def test_an_empty_id_is_refused_by_row() -> None:
    with pytest.raises(IsthmusError, match="id of row 1 is empty"):
        Embeddings.from_array(np.eye(3), ids=["a", "", "c"], **KIND)
