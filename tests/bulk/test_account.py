"""The line at the end of a job: what became of every item, and what else was found, counted honestly."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import isthmus
import media_files
from isthmus.base.errors import IsthmusError
from isthmus.base.progress import Progress
from isthmus.bulk.embed import Summary
from isthmus.cli import main


def vectors(folder: Path, rows: int, seed: int = 0) -> Path:
    folder.mkdir()
    for number, row in enumerate(np.random.default_rng(seed).standard_normal((rows, 8))):
        np.save(folder / f"{number}.npy", row)
    return folder


def embed_vectors(where: Path, out: Path, **options: object) -> Summary:
    return isthmus.embed(where, out, space="precomputed:mine", modality="image", workers=0, **options)


def test_everything_found_in_a_folder_is_accounted_for(clip: str, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(4):
        media_files.write_image(photos / f"{number}.png", number)
    (photos / "broken.png").write_bytes(b"not an image")
    for name in ("a.heic", "b.HEIC", "notes.txt"):
        (photos / name).write_text("x")

    def run() -> Summary:
        return isthmus.embed(photos, photos / "set", space=clip, modality="image", workers=0)

    first = run()
    assert first.account == "5 found: 4 embedded, 0 already there, 1 failed; skipped .heic 2, .txt 1"
    assert str(first).endswith(first.account)
    (photos / "0.png").rename(photos / "moved.png")
    media_files.write_image(photos / "new.png", 9)
    second = run()
    assert second.account == (
        "6 found: 1 embedded, 3 already there, 1 moved, 1 failed; skipped .heic 2, .txt 1; "
        "left out: folders isthmus wrote into 1"
    )
    assert second.listed == second.embedded + second.same + second.moved + second.failed_here


def test_texts_doubled_empty_and_cut_are_counted(clip: str, tmp_path: Path) -> None:
    long = "a dog " * 60
    (tmp_path / "t.csv").write_text(f"caption\nrain\nrain\n{long}\n{long} again\n \nwind\n")
    summary = isthmus.embed(tmp_path / "t.csv", tmp_path / "out", space=clip, modality="text", shard_items=2)
    assert summary.account == (
        "4 found: 4 embedded, 0 already there, 0 failed; cut 2 (longer than the encoder reads); "
        "doubled 1 (taken once); empty 1"
    )


def test_the_command_prints_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = vectors(tmp_path / "in", 3)
    (where / "a.txt").write_text("x")
    flags = ["--space", "precomputed:mine", "--modality", "image", "--workers", "0"]
    main(["embed", str(where), "--out", str(tmp_path / "out"), *flags])
    assert "\n  3 found: 3 embedded, 0 already there, 0 failed; skipped .txt 1\n" in capsys.readouterr().out


def test_output_inside_input_is_not_embedded(tmp_path: Path) -> None:
    where = vectors(tmp_path / "in", 3)
    for out in (where / "set", where):
        for same in (0, 3):
            summary = embed_vectors(where, out)
            assert (summary.rows, summary.same) == (3, same)


def test_a_folder_of_equal_names_sizes_and_times_is_not_there_already(tmp_path: Path) -> None:
    first, second = vectors(tmp_path / "a", 3, seed=0), vectors(tmp_path / "b", 3, seed=1)
    for folder in (first, second):
        for path in folder.iterdir():
            os.utime(path, ns=(10**18, 10**18))
    embed_vectors(first, tmp_path / "out")
    with pytest.raises(IsthmusError, match=r"b/0\.npy: the id '0\.npy' belongs to .*a/0\.npy.*into another folder"):
        embed_vectors(second, tmp_path / "out")
    assert embed_vectors(first, tmp_path / "out").same == 3


def test_a_file_replaced_by_one_of_equal_size_and_time_is_embedded_again(tmp_path: Path) -> None:
    where, other = vectors(tmp_path / "a", 3, seed=0), vectors(tmp_path / "b", 1, seed=1)
    for path in (where / "0.npy", other / "0.npy"):
        os.utime(path, ns=(10**18, 10**18))
    embed_vectors(where, tmp_path / "out")
    shutil.move(other / "0.npy", where / "0.npy")
    assert embed_vectors(where, tmp_path / "out").embedded == 1


def test_a_moved_folder_is_there_already(tmp_path: Path) -> None:
    where = vectors(tmp_path / "a", 3)
    embed_vectors(where, tmp_path / "out")
    where.rename(tmp_path / "b")
    summary = embed_vectors(tmp_path / "b", tmp_path / "out")
    assert (summary.rows, summary.same, summary.gone) == (3, 3, 0)


def test_a_failure_in_another_folder_does_not_count_here(tmp_path: Path) -> None:
    first, second = vectors(tmp_path / "a", 1, seed=0), vectors(tmp_path / "b", 1, seed=1)
    size = (first / "0.npy").stat().st_size
    np.save(first / "good.npy", np.ones(8))
    (first / "0.npy").write_bytes(b"x" * size)
    for folder in (first, second):
        os.utime(folder / "0.npy", ns=(10**18, 10**18))
    assert embed_vectors(first, tmp_path / "out").failed_here == 1
    summary = embed_vectors(second, tmp_path / "out")
    assert (summary.embedded, summary.failed_here) == (1, 0)


def test_a_uri_under_the_id_of_another_is_not_there_already(clip: str, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    for name in ("a", "b"):
        with fsspec.open(f"memory://{name}.png", "wb") as file:
            file.write(media_files.write_image(tmp_path / f"{name}.png", ord(name)).read_bytes())
        (tmp_path / f"{name}.csv").write_text(f"id,url\n7,memory://{name}.png\n")
    options = {"space": clip, "modality": "image", "id_column": "id", "workers": 0}
    isthmus.embed(tmp_path / "a.csv", tmp_path / "out", **options)
    assert isthmus.embed(tmp_path / "a.csv", tmp_path / "out", **options).same == 1
    with pytest.raises(IsthmusError, match=r"the id '7' belongs to memory://a\.png"):
        isthmus.embed(tmp_path / "b.csv", tmp_path / "out", **options)


def test_vectors_of_frames_are_refused_one_by_one(tmp_path: Path) -> None:
    where = vectors(tmp_path / "in", 2)
    np.save(where / "frames.npy", np.ones((4, 16)))
    summary = embed_vectors(where, tmp_path / "out")
    assert (summary.rows, summary.failed_here) == (2, 1)
    assert "expected one vector per item, got shape (4, 16)" in summary.failed[0].reason


def test_texts_of_another_table_do_not_replace_those_of_the_same_ids(clip: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,caption\n0,a dog\n1,rain\n")
    (tmp_path / "b.csv").write_text("id,caption\n0,wind\n1,rain\n")

    def run(name: str) -> Summary:
        return isthmus.embed(tmp_path / name, tmp_path / "out", space=clip, modality="text", id_column="id")

    run("a.csv")
    with pytest.raises(IsthmusError, match=r"b\.csv: the id '0' belongs to .*a\.csv"):
        run("b.csv")
    (tmp_path / "a.csv").write_text("id,caption\n0,a brown dog\n1,rain\n")
    edited = run("a.csv")
    assert (edited.rows, edited.embedded, edited.dropped, edited.same) == (2, 1, 1, 1)
    (tmp_path / "a.csv").unlink()
    assert (run("b.csv").rows, run("b.csv").same) == (2, 2)


def test_a_text_is_not_embedded_again_with_an_id_of_another_origin(stage: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,caption\n0,a dog\n1,rain\n")
    (tmp_path / "b.csv").write_text("id,caption\n0,wind\n1,snow\n")

    def run(name: str, out: str, id_column: str | None = None) -> Summary:
        return isthmus.embed(tmp_path / name, tmp_path / out, space=stage, modality="text", id_column=id_column)

    assert run("a.csv", "own").account.endswith("; ids: the texts; --id-column id takes that column")
    with pytest.raises(
        IsthmusError, match=r"'a dog' as its own id, .* with the id '0' from a column: omit --id-column"
    ):
        run("a.csv", "own", "id")
    assert run("a.csv", "keyed", "id").account.endswith("; ids: column 'id'")
    with pytest.raises(
        IsthmusError, match=r"'a dog' with the id '0' from a column, .* as its own id: give --id-column"
    ):
        run("a.csv", "keyed")
    assert (run("a.csv", "keyed", "id").same, run("a.csv", "own").same) == (2, 2)
    assert (run("b.csv", "keyed").rows, run("b.csv", "own").rows) == (4, 4)


def test_unrelated_tables_share_no_ids_by_their_row_numbers(stage: str, tmp_path: Path) -> None:
    for name, captions in (("a", ("a dog", "rain")), ("b", ("wind", "rain"))):
        (tmp_path / f"{name}.csv").write_text("id,caption\n" + "".join(f"{n},{c}\n" for n, c in enumerate(captions)))
        isthmus.embed(tmp_path / f"{name}.csv", tmp_path / name, space=stage, modality="text")
    found = [set(isthmus.open_set(tmp_path / name)["text"].ids) for name in ("a", "b")]
    assert found[0] & found[1] == {"rain"}


def test_a_long_listing_reports_its_progress(stage: str, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("\n".join(f"text {number}" for number in range(2500)))
    reports: list[Progress] = []
    isthmus.embed(tmp_path / "t.txt", tmp_path / "out", space=stage, modality="text", progress=reports.append)
    assert [one.done for one in reports if one.stage == "listing text"] == [1000, 2000]
    assert reports[-1].stage == "embedding text"
    assert reports[-1].done == reports[-1].total == 2500
    isthmus.embed(tmp_path / "t.txt", tmp_path / "again", space=stage, modality="text", progress=True)
