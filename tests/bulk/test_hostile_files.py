"""300 broken and hostile files of every kind: no job stops, every file is a row or an error, memory stays bounded."""

import resource
from collections.abc import Callable
from pathlib import Path

import pytest

import isthmus
import tiny_checkpoints
from hostile_writers import EACH, KINDS, write_kind, write_special

ENCODED = EACH // 4
"""Files of each kind that go through an encoder; the worker's test reads all of them."""
MOST_BYTES = 3.5 * 2**30
"""What one decoding process may hold at its peak, libraries included; they alone take about half a gigabyte."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of one kind's hostile files, written once."""
    root = tmp_path_factory.mktemp("hostile")

    def folder(kind: str) -> Path:
        if not (root / kind).is_dir():
            write_special(root / kind) if kind == "special" else write_kind(root / kind, kind)
        return root / kind

    return folder


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_file_is_a_row_or_an_unreadable_item(
    hostile: Callable[[str], Path], checkpoints: Callable[[str], Path], tmp_path: Path, kind: str
) -> None:
    """Through the encoders' own preparation, in this process; readers raise `UnreadableError` and nothing else."""
    tiny_checkpoints.write_ulip(tmp_path / "ulip.pt")
    space = {
        "image": lambda: f"clip:{checkpoints('clip')}",
        "audio": lambda: f"clap:{checkpoints('clap')}",
        "video": lambda: f"xclip:{checkpoints('xclip')}",
        "points": lambda: f"ulip:{tmp_path / 'ulip.pt'}",
    }[kind]()
    readable = [path for path in sorted(hostile(kind).iterdir()) if not promises_gigabytes(path)]
    paths = readable[:: len(readable) // ENCODED]
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(map(str, paths)))
    summary = isthmus.embed(listed, tmp_path / "out", space=space, modality=kind, workers=0, allow_outside=True)
    assert summary.rows + len(summary.failed) == len(paths) >= ENCODED
    assert summary.rows > 0
    assert len(summary.failed) > ENCODED / 4
    for failure in summary.failed:
        assert failure.id in failure.reason
        assert "\n" not in failure.reason
        assert "cannot be prepared" not in failure.reason


def promises_gigabytes(path: Path) -> bool:
    """Whether only a process with limited memory may read the file."""
    start = path.read_bytes()[:200]
    return b"4000000000" in start or b"2000000000" in start


@pytest.mark.slow
def test_one_worker_survives_all_files_within_its_memory(
    hostile: Callable[[str], Path], stage: str, tmp_path: Path
) -> None:
    paths = [path for kind in (*KINDS, "special") for path in sorted(hostile(kind).iterdir())]
    assert len(paths) == 4 * EACH + 18 > 300
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(map(str, paths)))
    options = {"space": stage, "modality": "video", "workers": 1, "timeout": 30, "allow_outside": True}
    summary = isthmus.embed(listed, tmp_path / "out", **options)
    assert summary.rows + len(summary.failed) == len(paths)
    assert summary.rows > 40
    assert len(summary.failed) > 75
    assert not [failure.reason for failure in summary.failed if "died" in failure.reason]
    assert not [failure.reason for failure in summary.failed if "within 30 seconds" in failure.reason]
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < MOST_BYTES
