"""What a user sees when something goes wrong or is named oddly: one line, no control characters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from isthmus import Embeddings, connect
from isthmus.cli import app, main

ODD = "é\x1b[2J\x9b1A\u202egnp.exe"


@pytest.fixture(scope="module")
def found_in(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The arguments of a search among items with odd ids."""
    root, draw = tmp_path_factory.mktemp("odd"), np.random.default_rng(0)
    texts, meaning = [f"text {n}" for n in range(30)], draw.normal(size=(30, 4))
    for space, modality in (("clip", "image"), ("clap", "audio")):
        for kind, ids in (("text", texts), (modality, [ODD, *"bcdefghijkl"])):
            rows = meaning[: len(ids)] @ draw.normal(size=(4, 8)) + 0.1 * draw.normal(size=(len(ids), 8))
            Embeddings.from_array(rows, modality=kind, space=space, ids=ids).save(root / space)
    from isthmus import open_set

    connect(open_set(root / "clip"), open_set(root / "clap"), overlap="text", method="procrustes").save(root / "joint")
    return ["search", str(root / "joint"), "--queries", str(root / "clip"), "--gallery", str(root / "clap")]


def ran(arguments: list[str], **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "isthmus", *arguments], capture_output=True, env={**os.environ, **environment}
    )


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii"])
def test_ids_are_printed_as_valid_json_whatever_the_console(encoding: str, found_in: list[str]) -> None:
    done = ran(found_in, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode(encoding)
    assert json.loads(text.splitlines()[0])["query"] == ODD
    assert not set(text) & set("\x1b\x9b\u202e")


def test_control_characters_in_names_reach_no_terminal(
    found_in: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["inspect", found_in[3]])
    with pytest.raises(SystemExit):
        main(["inspect", str(tmp_path / "a\x1b]0;owned\x07\x9b2J")])
    said = capsys.readouterr()
    assert not set(said.out + said.err) & set("\x1b\x07\x9b")
    assert r"a\x1b]0;owned\x07\x9b2J" in said.err


def test_a_file_has_the_characters_themselves(found_in: list[str], tmp_path: Path) -> None:
    main([*found_in, "--out", str(tmp_path / "hits.jsonl")])
    assert "é" in (tmp_path / "hits.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize("error", [KeyError("legs"), RuntimeError("two\nlines"), MemoryError(), RecursionError("deep")])
def test_an_unforeseen_error_is_one_line_that_names_the_command(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(app, "run", broken)
    with pytest.raises(SystemExit) as ended:
        main(["codes", "show", "model"])
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert said.count("\n") == 1
    assert said.startswith("isthmus: codes show failed (")
    assert "ISTHMUS_TRACEBACK=1" in said

    monkeypatch.setenv("ISTHMUS_TRACEBACK", "1")
    with pytest.raises(SystemExit):
        main(["codes", "show", "model"])
    said = capsys.readouterr().err
    assert said.startswith("Traceback (most recent call last):")
    assert "in broken" in said


@pytest.mark.slow
def test_a_reader_that_has_enough_is_no_error(found_in: list[str]) -> None:
    command = [sys.executable, "-m", "isthmus", *found_in]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs a device that is always full")
def test_output_that_cannot_be_written_is_one_line(found_in: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "isthmus", *found_in]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr == b"isthmus: search: No space left on device\n"


@pytest.mark.parametrize("own", [{}, {"OMP_WAIT_POLICY": "ACTIVE"}, {"GOMP_SPINCOUNT": "5"}])
def test_threads_sleep_while_they_wait_unless_the_user_says_otherwise(own: dict[str, str]) -> None:
    code = """if True:
        import os, isthmus.cli
        before = dict(os.environ)
        isthmus.cli.main(["--version"])
        print(dict(os.environ) == before, os.environ.get("OMP_WAIT_POLICY"))
    """
    unset = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_WAIT", "GOMP_", "KMP_"))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**unset, **own}, check=True
    )
    expected = f"True {own.get('OMP_WAIT_POLICY')}" if own else "False PASSIVE"
    assert done.stdout.splitlines()[-1] == expected
