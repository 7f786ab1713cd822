"""Several processes write to one folder: nobody's rows are lost, and nothing that is there is overwritten."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from isthmus import Embeddings, IsthmusError, open_set
from isthmus.embeddings import EmbeddingWriter, verify_set
from isthmus.embeddings.layout import vectors_file
from isthmus.embeddings.manifest import ModalityManifest, Shard, commit

WRITE = """
import sys
import numpy as np
from isthmus.embeddings import EmbeddingWriter

rows = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)
print("ready", flush=True)
sys.stdin.readline()
with EmbeddingWriter(sys.argv[1], modality=sys.argv[2], space="clip", dim=8, shard_rows=2) as writer:
    for start in range(0, 40, 2):
        writer.append(rows[start : start + 2], [f"id{row}" for row in range(start, start + 2)])
"""


def drawn(rows: int, modality: str = "image") -> Embeddings:
    vectors = np.random.default_rng(1).normal(size=(rows, 8)).astype(np.float32)
    return Embeddings.from_array(vectors, modality=modality, space="clip", ids=[f"id{row}" for row in range(rows)])


def written_at_once(folder: Path, *modalities: str) -> list[tuple[int, str]]:
    """Exit codes and errors of one writer per modality, which begin together."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, str(folder), modality],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for modality in modalities
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
    return [(writer.wait(), writer.communicate()[1]) for writer in writers]


@pytest.mark.slow
def test_two_processes_that_write_two_modalities_both_keep_their_rows(tmp_path: Path) -> None:
    assert [code for code, _ in written_at_once(tmp_path, "image", "text")] == [0, 0]
    assert {name: len(rows) for name, rows in open_set(tmp_path).items()} == {"image": 40, "text": 40}
    verify_set(tmp_path)


@pytest.mark.slow
def test_a_second_process_that_writes_the_same_modality_is_refused(tmp_path: Path) -> None:
    with EmbeddingWriter(tmp_path, modality="image", space="clip", dim=8):
        ((code, said),) = written_at_once(tmp_path, "image")
    assert code == 1
    assert f"{tmp_path}: another writer, in this process or another, is writing its image rows" in said


def test_shards_that_no_manifest_names_are_not_overwritten(tmp_path: Path) -> None:
    stranger = tmp_path / "image_emb" / "image_emb_0.npy"
    stranger.parent.mkdir()
    np.save(stranger, np.ones((180, 8), np.float32))
    before = stranger.read_bytes()
    with pytest.raises(IsthmusError, match=r"image_emb_0\.npy: exists, but no manifest by isthmus has it"):
        drawn(5).save(tmp_path)
    assert stranger.read_bytes() == before
    drawn(5, "text").save(tmp_path)
    later = tmp_path / "text_emb" / "text_emb_1.npy"
    later.write_bytes(b"mine")
    with EmbeddingWriter(tmp_path, modality="text", space="clip", dim=8, dtype="float32") as writer:
        writer.append(np.ones((1, 8), np.float32), ["new"])
    assert later.read_bytes() == b"mine"
    assert len(Embeddings.open(tmp_path, "text")) == 6
    verify_set(tmp_path)


def test_half_a_save_is_no_set_and_the_second_save_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, real, calls = drawn(20), EmbeddingWriter.append, []

    def stop_at_the_third(writer: EmbeddingWriter, *rows: object) -> None:
        calls.append(rows)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(writer, *rows)  # type: ignore[arg-type]

    monkeypatch.setattr(EmbeddingWriter, "append", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        made.save(tmp_path / "set", shard_rows=5)
    monkeypatch.undo()
    for opened in (open_set, Embeddings.open):
        with pytest.raises(IsthmusError, match=r"image rows are unfinished: Embeddings\.save .* run it again"):
            opened(tmp_path / "set")
    assert len(Embeddings.open(tmp_path / "set", unfinished=True)) == 10
    with pytest.raises(IsthmusError, match=r"run Embeddings\.save again first"):
        EmbeddingWriter(tmp_path / "set", modality="image", space="clip", dim=8, dtype="float32")
    made.save(tmp_path / "set", shard_rows=5)
    made.save(tmp_path / "whole", shard_rows=5)
    for file in sorted(path for path in (tmp_path / "whole").rglob("*") if path.is_file()):
        assert (tmp_path / "set" / file.relative_to(tmp_path / "whole")).read_bytes() == file.read_bytes()
    assert len(list((tmp_path / "set").rglob("*"))) == len(list((tmp_path / "whole").rglob("*")))


@pytest.mark.parametrize(("old", "new"), [('"rows": 20', '"rows": 0'), ('"clip"', '"clap"'), ('"dim": 8', '"dim": 4')])
def test_a_manifest_that_was_altered_is_refused(old: str, new: str, tmp_path: Path) -> None:
    manifest = drawn(20).save(tmp_path) / "manifest.json"
    manifest.write_text(manifest.read_text().replace(old, new))
    with pytest.raises(IsthmusError, match=r"manifest\.json: altered \(its hash differs"):
        open_set(tmp_path)


def test_rows_set_to_0_and_names_of_other_folders_are_refused_also_without_a_hash(tmp_path: Path) -> None:
    manifest = drawn(20).save(tmp_path) / "manifest.json"
    lines = [line for line in manifest.read_text().splitlines() if '"sha256"' not in line or line.startswith("     ")]
    unsealed = "\n".join(lines).replace("\n },\n}", "\n }\n}")
    manifest.write_text(unsealed)
    assert len(open_set(tmp_path)["image"]) == 20
    manifest.write_text(unsealed.replace('"rows": 20', '"rows": 0'))
    with pytest.raises(IsthmusError, match="shard 0 of 0 rows with the hashes"):
        open_set(tmp_path)
    manifest.write_text(unsealed.replace('"image"', '"../evil/image"'))
    with pytest.raises(IsthmusError, match=r"modality '\.\./evil/image': use letters"):
        open_set(tmp_path)
    with pytest.raises(IsthmusError, match="use letters"):
        vectors_file(tmp_path, "../evil/image", 0)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_does_not_write_with_its_parents_writer(tmp_path: Path) -> None:
    writer = EmbeddingWriter(tmp_path, modality="image", space="clip", dim=8, shard_rows=1)
    child = os.fork()
    if child == 0:
        try:
            writer.append(np.ones((1, 8), np.float32), ["a"])
        except IsthmusError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    writer.append(np.ones((1, 8), np.float32), ["a"])
    writer.close()


def test_commits_of_two_modalities_do_not_undo_each_other(tmp_path: Path) -> None:
    shard = Shard(0, 0, "", "")
    for modality in ("image", "text"):
        commit(tmp_path, ModalityManifest(modality, "clip", 8, "float16", True, (shard,)))
    assert set(open_set(tmp_path)) == {"image", "text"}
