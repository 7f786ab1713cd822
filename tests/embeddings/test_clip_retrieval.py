"""Folders written by clip-retrieval: which ids, which space, and what is missing."""

from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

import isthmus
from isthmus import Embeddings, IsthmusError, convert, open_set
from isthmus.cli.app import main

SHARD = 20


def written(
    folder: Path, items: str = "img", *, shards: int = 2, captions: bool = True, digits: int = 1, seed: int = 0
) -> Path:
    """As clip_inference writes it: img_emb, text_emb, metadata with image_path and caption."""
    draw = np.random.default_rng(seed)
    basis = draw.normal(size=(6, 6))
    (folder / "metadata").mkdir(parents=True)
    for number in range(shards):
        name = str(number).zfill(digits)
        for kind in (items, "text"):
            (folder / f"{kind}_emb").mkdir(exist_ok=True)
            meaning = np.random.default_rng(number).normal(size=(SHARD, 6))
            rows = (meaning @ basis + 0.1 * draw.normal(size=(SHARD, 6))).astype(np.float16)
            np.save(folder / f"{kind}_emb" / f"{kind}_emb_{name}.npy", rows)
        columns = {"image_path": [f"{items}/{number}_{row}.jpg" for row in range(SHARD)]}
        if captions:
            columns["caption"] = [f"text {number} {row}" for row in range(SHARD)]
        pyarrow.parquet.write_table(pyarrow.table(columns), folder / "metadata" / f"metadata_{name}.parquet")
    return folder


def recaptioned(folder: Path, captions: list[str | None]) -> None:
    file = folder / "metadata" / "metadata_0.parquet"
    table = pyarrow.parquet.read_table(file)
    pyarrow.parquet.write_table(table.set_column(1, "caption", pyarrow.array(captions, pyarrow.string())), file)


def test_two_folders_with_the_same_captions_connect_and_search(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left, right = written(tmp_path / "clip_set"), written(tmp_path / "clap_set", "audio", seed=1)
    out = str(tmp_path / "clip-clap")
    main(["connect", str(left), str(right), "--overlap", "text", "--out", out, "--method", "procrustes"])
    main(["search", out, "--queries", str(right), "--gallery", str(left), "--k", "1"])
    printed = capsys.readouterr().out
    assert '{"query": "audio/0_0.jpg", "hits": [{"id": "img/' in printed


def test_a_text_is_its_own_id_and_an_image_has_its_path(tmp_path: Path) -> None:
    found = open_set(written(tmp_path / "laion", digits=3))
    assert (found["text"].ids[21], found["image"].ids[21]) == ("text 1 1", "img/1_1.jpg")
    assert not found["text"].numbered and not found["image"].numbered  # noqa: PT018
    found = open_set(written(tmp_path / "bare", captions=False))
    assert found["text"].ids == found["image"].ids


def test_repeated_and_blank_captions_are_left_out_and_counted(tmp_path: Path) -> None:
    folder = written(tmp_path / "laion")
    recaptioned(folder, ["a dog"] * 10 + ["rain", None, " ", "text 1 3"] + [f"x{row}" for row in range(6)])
    with pytest.warns(UserWarning, match="12 of 40 texts repeat an earlier caption or are blank"):
        opened = open_set(folder)
    found = opened["text"]
    assert found.ids[:3] == ["a dog", "rain", "text 1 3"]
    rows = [np.load(folder / "text_emb" / f"text_emb_{number}.npy").astype(np.float64) for number in range(2)]
    unit = [row / np.linalg.norm(row) for row in np.concatenate(rows)]
    np.testing.assert_allclose(found.vectors[:3], np.stack([unit[0], unit[10], unit[13]]), atol=1e-3)
    assert (len(found), len(opened["image"])) == (28, 40)


@pytest.mark.filterwarnings("ignore:.*texts repeat an earlier caption:UserWarning")
def test_the_column_of_ids_can_be_chosen(tmp_path: Path) -> None:
    folder = written(tmp_path / "laion")
    recaptioned(folder, ["a dog"] * 20)
    assert open_set(folder, id_column="image_path")["text"].ids == open_set(folder)["image"].ids
    for options, first in (({"id_column": "image_path"}, "img/0_0.jpg"), ({"row_ids": True}, "0"), ({}, "a dog")):
        out = tmp_path / first.replace("/", "-")
        convert(folder, out, modality="text", space="clip", **options)  # type: ignore[arg-type]
        found = Embeddings.open(out)
        assert (found.ids[0], found.numbered) == (first, False)
        assert len(found) == (21 if first == "a dog" else 40)
    with pytest.raises(IsthmusError, match=r"metadata_0\.parquet: no column 'name' \(it has image_path, caption\)"):
        open_set(folder, id_column="name")


def test_missing_metadata_is_named_and_none_at_all_leaves_rows_numbered(tmp_path: Path) -> None:
    folder = written(tmp_path / "laion", digits=2)
    (folder / "metadata" / "metadata_01.parquet").unlink()
    with pytest.raises(IsthmusError, match=r"metadata_01\.parquet: not found, so the ids of img_emb_01\.npy"):
        open_set(folder)
    (folder / "metadata" / "metadata_00.parquet").unlink()
    found = open_set(folder)
    assert found["image"].numbered
    assert found["text"].numbered


@pytest.mark.parametrize(("missing", "message"), [(1, "no shard 1 of 0 to 2"), (0, "no shard 0 of"), (2, "no shard 2")])
def test_a_missing_shard_causes_a_warning(missing: int, message: str, tmp_path: Path) -> None:
    folder = written(tmp_path / "laion", shards=3)
    (folder / "img_emb" / f"img_emb_{missing}.npy").unlink()
    with pytest.warns(UserWarning, match=f"img_emb: has {message}"):
        assert len(open_set(folder)["image"]) == 40


def test_a_file_that_is_not_a_shard_is_left_out_with_a_warning(tmp_path: Path) -> None:
    folder = written(tmp_path / "laion")
    np.save(folder / "img_emb" / "img_emb_0 (copy).npy", np.ones((3, 6), np.float32))
    with pytest.warns(UserWarning, match=r"img_emb_0 \(copy\)\.npy: left out"):
        assert len(open_set(folder)["image"]) == 40
    np.save(folder / "img_emb" / "img_emb_00.npy", np.ones((3, 6), np.float32))
    (folder / "img_emb" / "img_emb_0 (copy).npy").unlink()
    with pytest.raises(IsthmusError, match="has the same number as"):
        open_set(folder)


def test_a_set_that_lost_its_manifest_is_not_taken_for_numbered_rows(tmp_path: Path) -> None:
    folder = Embeddings.from_array(np.eye(3), modality="image", space="clip", ids=["a", "b", "c"]).save(tmp_path)
    (folder / "manifest.json").unlink()
    with pytest.raises(IsthmusError, match=r"its manifest\.json is missing"):
        open_set(folder)


def test_a_renamed_folder_is_refused_with_the_option_that_names_its_space(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left, right = written(tmp_path / "clip"), written(tmp_path / "clap", "audio", seed=1)
    isthmus.connect(open_set(left), open_set(right), method="procrustes").save(tmp_path / "joint")
    left = left.rename(tmp_path / "renamed")
    arguments = ["search", str(tmp_path / "joint"), "--queries", str(left), "--gallery", str(right), "--k", "1"]
    with pytest.raises(SystemExit):
        main(arguments)
    assert "the embeddings are of space 'renamed'" in (said := capsys.readouterr().err)
    assert "--space" in said
    main([*arguments, "--space", "clip", "clap"])
    main(["inspect", str(left), "--space", "clip"])
    assert "space 'clip'" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([*arguments, "--space", "clip"])
    assert "--space has 1 names for 2 sets" in capsys.readouterr().err


def test_the_name_of_a_space_does_not_contradict_a_manifest(tmp_path: Path) -> None:
    folder = Embeddings.from_array(np.eye(3), modality="image", space="clip", ids=["a", "b", "c"]).save(tmp_path)
    assert open_set(folder, "clip")["image"].space == "clip"
    with pytest.raises(IsthmusError, match="its manifest says space 'clip', not 'clap'"):
        open_set(folder, "clap")
