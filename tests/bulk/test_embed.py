"""Bulk embedding: every item once, in any number of runs; unreadable items are recorded, files of others stay."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import isthmus
import media_files
from isthmus.base.errors import IsthmusError
from isthmus.embeddings import EmbeddingWriter
from isthmus.embeddings.folder import verify_set
from isthmus.embeddings.manifest import read_manifest
from isthmus.embeddings.token_files import open_tokens, verify_tokens
from isthmus.spaces import load_space
from written_sets import errors, hashes

Checkpoints = Callable[[str], Path]


@pytest.mark.slow
def test_rows_are_what_the_encoder_gives_for_each_item(checkpoints: Checkpoints, photos: Path, tmp_path: Path) -> None:
    name = f"clip:{checkpoints('clip')}"
    summary = isthmus.embed(photos, tmp_path / "out", space=name, shard_items=3, batch=2, dtype="float32", workers=0)
    found = isthmus.open_set(tmp_path / "out")["image"]
    space = load_space(name, device="cpu")
    assert summary.rows == summary.embedded == len(found) == 7
    assert found.ids == [f"{number}.png" for number in range(7)]
    assert found.space == space.name
    for row, path in zip(found.vectors, sorted(photos.iterdir()), strict=True):
        alone = space.encode([path], modality="image").vectors[0]
        np.testing.assert_allclose(row, alone, atol=1e-5)
    verify_set(tmp_path / "out")


@pytest.mark.slow
def test_workers_do_not_change_a_byte(checkpoints: Checkpoints, photos: Path, tmp_path: Path) -> None:
    name = f"clip:{checkpoints('clip')}"
    isthmus.embed(photos, tmp_path / "inline", space=name, shard_items=2, workers=0)
    isthmus.embed(photos, tmp_path / "two", space=name, shard_items=2, workers=2)
    assert hashes(tmp_path / "inline") == hashes(tmp_path / "two")


@pytest.mark.slow
def test_a_second_run_does_nothing_and_a_third_only_what_changed(
    checkpoints: Checkpoints, photos: Path, tmp_path: Path
) -> None:
    def run(**options: object) -> object:
        return isthmus.embed(photos, tmp_path / "out", space=f"clip:{checkpoints('clip')}", workers=0, **options)

    run()
    before = dict(zip(*rows_of(tmp_path / "out"), strict=True))
    again = run()
    assert (again.embedded, again.same, again.rows) == (0, 7, 7)

    media_files.write_image(photos / "1.png", 99)
    os.utime(photos / "2.png", (1, 1))
    (photos / "3.png").unlink()
    (photos / "4.png").rename(photos / "moved.png")
    media_files.write_image(photos / "new.png", 50)
    third = run()
    assert (third.embedded, third.dropped, third.moved, third.gone) == (2, 1, 1, 1)
    after = dict(zip(*rows_of(tmp_path / "out"), strict=True))
    assert set(after) == {"0.png", "1.png", "2.png", "3.png", "5.png", "6.png", "moved.png", "new.png"}
    assert not np.array_equal(after["1.png"], before["1.png"])
    for old, new in (("0.png", "0.png"), ("2.png", "2.png"), ("3.png", "3.png"), ("4.png", "moved.png")):
        assert np.array_equal(after[new], before[old])
    assert run(prune=True).rows == 7
    assert "3.png" not in isthmus.open_set(tmp_path / "out")["image"].ids
    verify_set(tmp_path / "out")


def rows_of(out: Path) -> tuple[list[str], np.ndarray]:
    found = isthmus.open_set(out)["image"]
    return found.ids, found.vectors


def test_tokens_go_with_their_rows(checkpoints: Checkpoints, photos: Path, tmp_path: Path) -> None:
    def run(**options: object) -> None:
        name = f"clip:{checkpoints('clip')}"
        isthmus.embed(photos, tmp_path / "out", space=name, workers=0, tokens=True, shard_items=3, **options)

    run()
    before = open_tokens(tmp_path / "out", "image")
    assert before.ids == [f"{number}.png" for number in range(7)]
    assert before.counts.tolist() == [16] * 7
    kept = before.take(np.array([5])).vectors
    (photos / "4.png").unlink()
    (photos / "5.png").rename(photos / "8.png")
    media_files.write_image(photos / "9.png", 50)
    run(prune=True)
    after = open_tokens(tmp_path / "out", "image")
    assert sorted(after.ids) == sorted(isthmus.open_set(tmp_path / "out")["image"].ids)
    assert np.array_equal(after.take(np.array([after.ids.index("8.png")])).vectors, kept)
    verify_tokens(tmp_path / "out", "image")


def test_windows_of_a_sound_are_tokens_of_one_item(checkpoints: Checkpoints, tmp_path: Path) -> None:
    media_files.write_audio(tmp_path / "a.wav", 25.0)
    name = f"clap:{checkpoints('clap')}"
    isthmus.embed(tmp_path / "a.wav", tmp_path / "out", space=name, tokens=True, workers=0)
    tokens = open_tokens(tmp_path / "out", "audio")
    assert len(tokens) == 1
    starts = tokens.places[:, 0]
    assert (np.diff(starts) > 0).all()
    assert tokens.places[-1, 1] == pytest.approx(25, abs=0.01)


def test_unreadable_items_are_recorded_and_skipped(checkpoints: Checkpoints, photos: Path, tmp_path: Path) -> None:
    (photos / "2.png").write_bytes(b"no picture")
    (photos / "3.png").write_bytes(b"")

    def run(**options: object) -> object:
        name = f"clip:{checkpoints('clip')}"
        return isthmus.embed(photos, tmp_path / "out", space=name, workers=0, shard_items=2, **options)

    assert run().rows == 5
    assert set(errors(tmp_path / "out")) == {"2.png", "3.png"}
    assert "2.png" in errors(tmp_path / "out")["2.png"]
    second = run()
    assert (second.embedded, second.same, len(second.failed)) == (0, 5, 2)
    media_files.write_image(photos / "2.png", 2)
    assert run().embedded == 1
    assert set(errors(tmp_path / "out")) == {"3.png"}
    (photos / "3.png").write_bytes(b"")
    assert run(retry=True).embedded == 0


def test_a_set_is_not_extended_with_other_settings(checkpoints: Checkpoints, photos: Path, tmp_path: Path) -> None:
    isthmus.embed(photos, tmp_path / "out", space=f"clip:{checkpoints('clip')}", workers=0)
    with pytest.raises(IsthmusError, match="are in space 'clip:clip', not 'siglip2:siglip2'"):
        isthmus.embed(photos, tmp_path / "out", space=f"siglip2:{checkpoints('siglip2')}", workers=0)
    with pytest.raises(IsthmusError, match="its image rows have preprocessing"):
        isthmus.embed(photos, tmp_path / "out", space=f"clip:{checkpoints('clip')}", workers=0, precision="bfloat16")


def test_a_file_moved_over_another_keeps_the_set_whole(checkpoints: Checkpoints, photos: Path, tmp_path: Path) -> None:
    def run() -> object:
        name = f"clip:{checkpoints('clip')}"
        return isthmus.embed(photos, tmp_path / "out", space=name, workers=0, tokens=True, shard_items=3)

    run()
    before = dict(zip(*rows_of(tmp_path / "out"), strict=True))
    (photos / "0.png").rename(photos / "5.png")
    second = run()
    assert (second.moved, second.dropped, second.embedded) == (1, 1, 0)
    after = dict(zip(*rows_of(tmp_path / "out"), strict=True))
    assert set(after) == {f"{number}.png" for number in (1, 2, 3, 4, 5, 6)}
    assert np.array_equal(after["5.png"], before["0.png"])
    assert sorted(open_tokens(tmp_path / "out", "image").ids) == sorted(after)
    verify_set(tmp_path / "out")


def test_another_folder_adds_to_a_set_and_takes_nothing(checkpoints: Checkpoints, photos: Path, tmp_path: Path) -> None:
    name = f"clip:{checkpoints('clip')}"
    isthmus.embed(photos, tmp_path / "out", space=name, workers=0)
    other = tmp_path / "other"
    other.mkdir()
    (other / "copy.png").write_bytes((photos / "0.png").read_bytes())
    second = isthmus.embed(other, tmp_path / "out", space=name, workers=0, prune=True)
    assert (second.rows, second.embedded, second.moved, second.gone, second.dropped) == (8, 1, 0, 0, 0)


def test_files_that_are_away_for_a_while_keep_their_rows(
    checkpoints: Checkpoints, photos: Path, tmp_path: Path
) -> None:
    name = f"clip:{checkpoints('clip')}"
    (photos / "list.txt").write_text("0.png\n1.png\n2.png\n")
    place = {"space": name, "modality": "image", "workers": 0}
    isthmus.embed(photos / "list.txt", tmp_path / "out", **place)
    (photos / "1.png").rename(photos / "1.away")
    assert isthmus.embed(photos / "list.txt", tmp_path / "out", **place).rows == 3


def test_files_of_others_are_left_alone(checkpoints: Checkpoints, tmp_path: Path) -> None:
    strange = tmp_path / "out" / "text_emb" / "text_emb_7.npy"
    strange.parent.mkdir(parents=True)
    np.save(strange, np.zeros((2, 3), np.float32))
    (tmp_path / "t.txt").write_text("one\n")
    with pytest.raises(IsthmusError, match="no manifest by isthmus has it"):
        isthmus.embed(tmp_path / "t.txt", tmp_path / "out", space=f"clip:{checkpoints('clip')}")
    assert strange.is_file()


def test_lists_of_paths_are_not_taken_for_texts(checkpoints: Checkpoints, photos: Path, tmp_path: Path) -> None:
    (photos / "list.txt").write_text("0.png\n1.png\n")
    with pytest.raises(IsthmusError, match="could be any of text, image: name one"):
        isthmus.embed(photos / "list.txt", tmp_path / "out", space=f"clip:{checkpoints('clip')}")


def test_precomputed_vectors_of_another_length_are_failures(tmp_path: Path) -> None:
    folder = tmp_path / "vectors"
    folder.mkdir()
    for number in range(5):
        np.save(folder / f"{number}.npy", np.ones(8 if number != 3 else 5))
    with pytest.raises(IsthmusError, match="name it with --modality"):
        isthmus.embed(folder, tmp_path / "out", space="precomputed:mine")
    summary = isthmus.embed(folder, tmp_path / "out", space="precomputed:mine", modality="audio", workers=0)
    assert (summary.rows, summary.space) == (4, "mine")
    assert "5 dimensions, not 8" in errors(tmp_path / "out")["3.npy"]


def test_two_jobs_do_not_write_one_modality_at_once(checkpoints: Checkpoints, photos: Path, tmp_path: Path) -> None:
    kind = {"modality": "image", "space": "clip:clip", "dim": 8}
    with (
        EmbeddingWriter(tmp_path / "out", **kind),
        pytest.raises(
            IsthmusError, match=r"out: another writer, in this process or another, is writing its image rows"
        ),
    ):
        isthmus.embed(photos, tmp_path / "out", space=f"clip:{checkpoints('clip')}", workers=0)


def test_files_that_a_user_put_into_a_set_stay(checkpoints: Checkpoints, photos: Path, tmp_path: Path) -> None:
    def run() -> object:
        name = f"clip:{checkpoints('clip')}"
        return isthmus.embed(photos, tmp_path / "out", space=name, workers=0, tokens=True, shard_items=3)

    run()
    theirs = [
        tmp_path / "out" / name
        for name in ("image_emb/my_notes_2024.txt", "image_emb/image_emb_7.npy", "image_emb/image_emb_3.npy",
                     "image_emb/.download_1.part", "image_metadata/metadata_7.parquet", "image_tokens/ids_7.json")
    ]  # fmt: skip
    for file in theirs:
        file.write_text("mine")
    (photos / "4.png").unlink()
    media_files.write_image(photos / "9.png", 50)
    assert run().rows == 8
    assert isthmus.embed(photos, tmp_path / "out", space=f"clip:{checkpoints('clip')}", workers=0, tokens=True,
                         prune=True).rows == 7  # fmt: skip
    assert [file.read_text() for file in theirs] == ["mine"] * len(theirs)
    verify_set(tmp_path / "out")
    assert sorted(open_tokens(tmp_path / "out").ids) == sorted(isthmus.open_set(tmp_path / "out")["image"].ids)


def test_wrong_options_and_inputs_are_refused_by_name(checkpoints: Checkpoints, photos: Path, tmp_path: Path) -> None:
    name = f"clip:{checkpoints('clip')}"
    both = tmp_path / "both"
    both.mkdir()
    (both / "a.txt").write_text("x")
    media_files.write_image(both / "a.png")
    (both / "list.txt").write_text("a.png\na.png\n")
    for options, says in (
        ({"modality": "audio"}, "has no 'audio': it has text, image"),
        ({"batch": 0}, "--batch must be at least 1"),
        ({"runner": "slurm"}, "--runner must be one of local, ray"),
        ({"colour": 1}, "unknown option .colour.: choose from column"),
    ):
        with pytest.raises(IsthmusError, match=says):
            isthmus.embed(photos, tmp_path / "out", space=name, **options)
    (both / "list.txt").rename(both / "list.md")
    with pytest.raises(IsthmusError, match="could be any of text, image: name one"):
        isthmus.embed(both, tmp_path / "out", space=name)
    (both / "list.md").rename(both / "list.txt")
    with pytest.raises(IsthmusError, match=r"'a\.png' occurs twice"):
        isthmus.embed(both / "list.txt", tmp_path / "out", space=name, modality="image")
    sentence = f"sentence:{checkpoints('sentence')}"
    with pytest.raises(IsthmusError, match="has no tokens"):
        isthmus.embed(both / "a.txt", tmp_path / "out", space=sentence, tokens=True)


def test_texts_of_very_different_length_keep_their_order(checkpoints: Checkpoints, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    texts = [" ".join(["word"] * int(draw.integers(1, 14))) + f" {number}" for number in range(50)]
    (tmp_path / "t.txt").write_text("\n".join(texts))
    name = f"clap:{checkpoints('clap')}"
    isthmus.embed(tmp_path / "t.txt", tmp_path / "out", space=name, batch=7, dtype="float32")
    found = isthmus.open_set(tmp_path / "out")["text"]
    assert found.ids == texts
    space = load_space(name, device="cpu")
    for row, text in zip(found.vectors[::9], texts[::9], strict=True):
        alone = space.encode([text], modality="text").vectors[0]
        np.testing.assert_allclose(row, alone, atol=1e-5)


def test_a_set_whose_media_were_read_differently_is_not_extended(
    photos: Path, checkpoints: Checkpoints, tmp_path: Path
) -> None:
    space = f"clip:{checkpoints('clip')}"
    isthmus.embed(photos, tmp_path / "out", space=space, workers=0)
    path = tmp_path / "out" / "manifest.json"
    now = read_manifest(tmp_path / "out")["image"].preprocessing
    content = json.loads(path.read_text().replace(now.split()[0], "0123456789abcdef"))
    del content["sha256"]
    path.write_text(json.dumps(content))
    with pytest.raises(IsthmusError, match=r"preprocessing '0123456789abcdef .*an earlier isthmus read some media"):
        isthmus.embed(photos, tmp_path / "out", space=space, workers=0)
