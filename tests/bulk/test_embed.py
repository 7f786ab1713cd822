"""Bulk embedding: every item once, whatever happens; what is there stays, what is broken is written down."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

import isthmus
import media_files
from isthmus.base.errors import IsthmusError
from isthmus.embeddings import EmbeddingWriter
from isthmus.embeddings.folder import verify_set
from isthmus.embeddings.ledger import Ledger, RowLedger
from isthmus.embeddings.manifest import read_manifest
from isthmus.embeddings.token_files import open_tokens, verify_tokens
from isthmus.spaces import load_space

Checkpoints = Callable[[str], Path]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(7):
        media_files.write_image(folder / f"{number}.png", number, (40 + number, 40))
    return folder


def hashes(out: Path, modality: str = "image") -> dict[int, tuple[str, int]]:
    return {shard.number: (shard.sha256, shard.rows) for shard in read_manifest(out)[modality].shards}


def errors(out: Path) -> dict[str, str]:
    return {row["id"]: row["reason"] for row in pyarrow.parquet.read_table(out / "errors.parquet").to_pylist()}


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
def test_neither_workers_nor_the_way_there_changes_a_byte(
    checkpoints: Checkpoints, photos: Path, tmp_path: Path
) -> None:
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


def test_what_cannot_be_read_is_written_down_and_left(checkpoints: Checkpoints, photos: Path, tmp_path: Path) -> None:
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


@pytest.mark.slow
def test_a_file_that_kills_hangs_or_eats_memory_costs_itself_only(stage: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    acts = ["fine"] * 4 + ["die", "fine", "hang", "grow", "broken", "die"] + ["fine"] * 4
    for number, act in enumerate(acts):
        (folder / f"{number:02}.npy").write_text(act)
    started = time.monotonic()
    names = [f"{number:02}.npy" for number in range(len(acts))]
    (folder / "list.txt").write_text("\n".join(names))
    summary = isthmus.embed(
        folder / "list.txt", tmp_path / "out", space=stage, modality="image", workers=2, timeout=3.0
    )
    found = errors(tmp_path / "out")
    assert set(found) == {name for name, act in zip(names, acts, strict=True) if act != "fine"}
    assert "died" in found["04.npy"]
    assert "within 3 seconds" in found["06.npy"]
    assert "emory" in found["07.npy"]
    assert "on purpose" in found["08.npy"]
    assert summary.rows == acts.count("fine")
    assert time.monotonic() - started < 60


@pytest.mark.slow
def test_after_kill_9_only_unfinished_shards_are_done_again(stage: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(24):
        (folder / f"{number:02}.npy").write_text("broken" if number % 7 == 3 else "slow")
    listed = folder / "list.txt"
    listed.write_text("\n".join(f"{number:02}.npy" for number in range(24)))
    options = {"space": stage, "modality": "image", "shard_items": 2, "workers": 0, "batch": 2}
    whole = isthmus.embed(listed, tmp_path / "whole", **options)
    assert whole.rows == 21

    cut = tmp_path / "cut"
    flags = ["--space", stage, "--modality", "image", "--shard-items", "2", "--workers", "1", "--batch", "2"]
    command = [sys.executable, "-m", "isthmus", "embed", str(listed), *flags, "--out", str(cut)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while "image" not in read_manifest(cut) or len(hashes(cut)) < 3:
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGSTOP)
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(running.pid)], capture_output=True, text=True)
    running.send_signal(signal.SIGKILL)
    running.wait()
    done = hashes(cut)
    assert 3 <= len(done) < 12
    (cut / "image_emb" / ".image_emb_99.npy.1.part").write_bytes(b"left over")
    for child in children.stdout.split():
        for _ in range(100):
            if not Path(f"/proc/{child}").exists():
                break
            time.sleep(0.1)
        assert not Path(f"/proc/{child}").exists(), "a decoding process outlived its job"

    again = isthmus.embed(listed, cut, **options)
    assert again.embedded == 21 - sum(rows for _, rows in done.values())
    assert hashes(cut) == hashes(tmp_path / "whole")
    assert errors(cut) == errors(tmp_path / "whole")
    assert not list((cut / "image_emb").glob(".*.part"))
    verify_set(cut)


def test_one_set_is_made_in_one_way_only(checkpoints: Checkpoints, photos: Path, tmp_path: Path) -> None:
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


@pytest.mark.slow
def test_a_script_without_a_guard_is_told_so(stage: str, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_text("fine")
    (tmp_path / "script.py").write_text(
        f"import isthmus\nisthmus.embed({str(tmp_path / 'a.npy')!r}, {str(tmp_path / 'out')!r}, "
        f"space={stage!r}, modality='image', workers=1)\n"
    )
    done = subprocess.run([sys.executable, str(tmp_path / "script.py")], capture_output=True, text=True)
    assert done.returncode != 0
    assert "if __name__ == '__main__'" in done.stderr


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


def test_embed_stopped_between_tokens_and_rows_is_unfinished_and_then_mended(
    checkpoints: Checkpoints, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, name = tmp_path / "out", f"clip:{checkpoints('clip')}"

    def run(folder: Path) -> object:
        return isthmus.embed(photos, folder, space=name, workers=0, tokens=True, shard_items=3)

    commits = []

    def commit_once(ledger: RowLedger, *shards: object, **facts: object) -> None:
        commits.append(shards)
        if len(commits) == 2:
            raise KeyboardInterrupt
        Ledger.commit(ledger, *shards, **facts)

    monkeypatch.setattr(RowLedger, "commit", commit_once, raising=False)
    with pytest.raises(KeyboardInterrupt):
        run(out)
    monkeypatch.undo()
    for opened in (isthmus.open_set, open_tokens):
        with pytest.raises(IsthmusError, match="image rows are unfinished: isthmus embed"):
            opened(out)
    rows, tokens = isthmus.open_set(out, unfinished=True)["image"], open_tokens(out, unfinished=True)
    assert rows.ids == tokens.ids == ["0.png", "1.png", "2.png"]
    assert run(out).embedded == 4
    run(tmp_path / "whole")
    for file in ("manifest.json", "image_tokens/manifest.json"):
        assert (out / file).read_text() == (tmp_path / "whole" / file).read_text()
    assert isthmus.open_set(out)["image"].ids == open_tokens(out).ids


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


@pytest.mark.slow
def test_pipes_devices_and_endless_files_cost_themselves_only(photos: Path, stage: str, tmp_path: Path) -> None:
    os.mkfifo(photos / "pipe.png")
    (photos / "zero.png").symlink_to("/dev/zero")
    with (photos / "endless.png").open("wb") as file:
        file.truncate(2**43)
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(map(str, sorted(photos.iterdir()))))
    for workers in (0, 1):
        out = tmp_path / f"out{workers}"
        started = time.monotonic()
        summary = isthmus.embed(
            listed, out, space=stage, modality="video", workers=workers, timeout=4.0, allow_outside=True
        )
        assert time.monotonic() - started < 60
        assert summary.rows == 7
        found = {Path(name).name: why for name, why in errors(out).items()}
        assert {name: "not a file" in why for name, why in found.items()} == {
            "pipe.png": True,
            "zero.png": True,
            "endless.png": False,
        }
        assert "not read within 4 seconds" in found["endless.png"]


@pytest.mark.slow
def test_a_worker_that_hangs_in_its_start_is_one_line(
    stage: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE_HANGS_BUT_IN", str(os.getpid()))
    monkeypatch.setattr("isthmus.bulk.decoding.START_SECONDS", 2.0)
    started = time.monotonic()
    with pytest.raises(IsthmusError, match="have not come up within 3 seconds"):
        isthmus.embed(photos, tmp_path / "out", space=stage, modality="image", workers=1, timeout=1.0)
    assert time.monotonic() - started < 20


def test_a_set_whose_media_were_read_in_another_way_is_not_extended(
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
