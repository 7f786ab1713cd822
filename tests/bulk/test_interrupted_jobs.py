"""Jobs that are killed, and files that kill, hang or never end: nothing else is lost."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import isthmus
from isthmus.base.errors import IsthmusError
from isthmus.embeddings.folder import verify_set
from isthmus.embeddings.ledger import Ledger, RowLedger
from isthmus.embeddings.manifest import read_manifest
from isthmus.embeddings.token_files import open_tokens
from written_sets import errors, hashes

Checkpoints = Callable[[str], Path]


@pytest.mark.slow
def test_a_file_that_kills_hangs_or_eats_memory_costs_only_itself(stage: str, tmp_path: Path) -> None:
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
def test_pipes_devices_and_endless_files_cost_only_themselves(photos: Path, stage: str, tmp_path: Path) -> None:
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
