"""Vector files of different dimensions in one folder: the rare ones fail one by one, and the set stays whole."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

import isthmus
from isthmus.base.errors import IsthmusError
from isthmus.bulk import embed as embed_room
from isthmus.bulk.embed import Summary
from isthmus.bulk.records import read_failures
from isthmus.embeddings.manifest import read_manifest


def vectors(folder: Path, dims: Mapping[str, int]) -> Path:
    folder.mkdir(exist_ok=True)
    for number, (name, dim) in enumerate(dims.items()):
        np.save(folder / f"{name}.npy", np.random.default_rng(number).standard_normal(dim))
    return folder


def embed_vectors(where: Path, **options: object) -> Summary:
    out = where.parent / "out"
    return isthmus.embed(where, out, space="precomputed:foo", modality="image", workers=0, **options)


def test_a_file_of_another_dimension_added_later_fails_alone(tmp_path: Path) -> None:
    where = vectors(tmp_path / "in", dict.fromkeys("abcd", 16))
    embed_vectors(where)
    vectors(where, {"new": 9, "other": 16})
    for new in (1, 0):
        summary = embed_vectors(where, shard_items=1)
        assert (summary.rows, summary.embedded, summary.failed_here) == (5, new, 1)
    (failure,) = read_failures(tmp_path / "out")
    assert failure.uri == str(where / "new.npy")
    assert failure.reason == f"{where / 'new.npy'}: has 9 dimensions, not 16 like the set"
    assert isthmus.open_set(tmp_path / "out")["image"].ids == ["a.npy", "b.npy", "c.npy", "d.npy", "other.npy"]


def test_most_files_of_the_first_shard_decide_the_dimension(tmp_path: Path) -> None:
    where = vectors(tmp_path / "in", {"a": 9, "b": 16, "c": 16})
    summary = embed_vectors(where)
    assert (summary.rows, [one.id for one in summary.failed]) == (2, ["a.npy"])
    assert "has 9 dimensions, not 16" in summary.failed[0].reason
    assert "encoder" not in summary.failed[0].reason
    assert isthmus.open_set(tmp_path / "out")["image"].dim == 16


def test_equally_frequent_dimensions_are_refused_by_name(tmp_path: Path) -> None:
    where = vectors(tmp_path / "in", {"a": 9, "b": 16})
    with pytest.raises(IsthmusError, match=r"a\.npy has 9 dimensions and .*b\.npy has 16, both equally frequent"):
        embed_vectors(where)
    (where / "a.npy").unlink()
    assert embed_vectors(where).rows == 1


def test_failures_of_dimension_are_tried_again_when_no_row_has_the_other(tmp_path: Path) -> None:
    where = vectors(tmp_path / "in", {"a": 9, "b": 9, "c": 16})
    assert embed_vectors(where).failed_here == 1
    (where / "a.npy").unlink()
    assert embed_vectors(where, prune=True).failed_here == 1
    (where / "b.npy").unlink()
    summary = embed_vectors(where, prune=True)
    assert (summary.rows, summary.embedded, summary.failed) == (1, 1, ())
    assert isthmus.open_set(tmp_path / "out")["image"].dim == 16


def test_a_job_that_fails_before_it_writes_leaves_the_set_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = vectors(tmp_path / "in", {"a": 4, "b": 4})
    embed_vectors(where)
    vectors(where, {"c": 4})

    def fails(*given: object) -> None:
        raise IsthmusError("no")

    monkeypatch.setitem(embed_room.RUNNERS, "local", fails)
    before = read_manifest(tmp_path / "out")
    with pytest.raises(IsthmusError, match=r"^no$"):
        embed_vectors(where)
    assert read_manifest(tmp_path / "out") == before
    assert isthmus.open_set(tmp_path / "out")["image"].ids == ["a.npy", "b.npy"]
