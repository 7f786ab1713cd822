"""The commands as a user types them: light to start, one line for bad input, files where they say."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch

from isthmus.cli import commands, main
from isthmus.cli.parser import run
from isthmus.connectors.config import CmcrConfig
from isthmus.connectors.connector import Connector
from isthmus.embeddings import Embeddings
from isthmus.training.checkpoint import Checkpoint
from isthmus.worlds.world import World
from worlds.synthetic import SyntheticRecipe, synthetic_world

HEEDING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""Children of a shell's background job ignore Ctrl-C, and a suite that runs there would wait for ever."""

HEAVY = ("torch", "faiss", "sklearn", "matplotlib", "scipy", "pyarrow", "transformers")


@pytest.fixture(scope="module")
def world() -> World:
    return synthetic_world("small", SyntheticRecipe(texts=300, memory=200, gallery=50), seed=2)


@pytest.fixture(scope="module")
def sets(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("sets")
    for name, side in (("left", world.left), ("right", world.right)):
        for embeddings in side.values():
            embeddings.save(root / name)
    return root / "left", root / "right"


@pytest.mark.parametrize("statement", ["import isthmus", "import isthmus.cli"])
def test_nothing_heavy_is_imported_before_it_is_used(statement: str) -> None:
    code = f"import sys; {statement}; print([m for m in {HEAVY!r} if m in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_connect_then_search_from_the_command_line(
    sets: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left, right = map(str, sets)
    joint = str(tmp_path / "joint")
    main(["connect", left, right, "--method", "cca", "--power", "2", "--out", joint])
    said = capsys.readouterr().out
    assert "held-out text" in said
    assert "next: isthmus search" in said
    main(["search", joint, "--queries", right, "--gallery", left, "--ids", "3", "5", "--k", "4"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith('{"query": "3", "hits": [{"id": ')


def test_with_queries_and_a_gallery_the_report_begins_with_their_estimate(
    sets: tuple[Path, Path], world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left, right = map(str, sets)
    joint, page, again = str(tmp_path / "joint"), tmp_path / "report.html", tmp_path / "again.html"
    items = next(iter(world.galleries.values()))
    asked, searched = str(items.right.save(tmp_path / "asked")), str(items.left.save(tmp_path / "searched"))
    given = ["--queries", asked, "--gallery", searched]
    main(["connect", left, right, "--method", "cca", "--out", joint, *given, "--report", str(page)])
    lines = capsys.readouterr().out.splitlines()
    connector = Connector.load(joint)
    projected = [connector.project(Embeddings.open(*own)) for own in ((asked, "audio"), (searched, "image"))]
    band = connector.estimate(*projected)
    assert connector.report is not None
    assert connector.report.given is not None
    assert connector.report.given.band == band
    assert "for these queries and this gallery" in " ".join(lines[:2])
    count = len(items.left)
    said = (
        f"estimated MRR of the {count} right audio queries in the gallery of {count} left image items: {band.low:.2f}"
    )
    assert said in " ".join(" ".join(lines).split())
    assert f"report: {page}" in lines
    assert f"{count} right audio queries in {count} left image items" in page.read_text()

    main(["inspect", joint, "--report", str(again), "--media", left, right])
    assert again.read_text() == page.read_text()

    capsys.readouterr()
    main(["search", joint, *given, "--out", str(tmp_path / "hits.jsonl")])
    assert said in capsys.readouterr().err
    main(["search", joint, *given, "--ids", "3", "5"])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--queries", "{left}"], "--queries and --gallery go together"),
        (["--queries", "{left}", "--gallery", "{other}"], "of space 'other', but 'left' and 'right' are connected"),
        (["--gallery", "{left}", "--base-space", "left"], "--gallery: only a connector of two sets has this report"),
    ],
)
def test_queries_that_cannot_be_estimated_are_refused_before_the_work(
    extra: list[str], message: str, sets: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left, right = map(str, sets)
    other = tmp_path / "other"
    Embeddings.from_array(np.eye(3), modality="image", space="other").save(other)
    options = [own.format(left=left, other=other) for own in extra]
    with pytest.raises(SystemExit):
        main(["connect", left, right, "--method", "cca", "--out", str(tmp_path / "joint"), *options])
    assert message in capsys.readouterr().err
    assert not (tmp_path / "joint").exists()


def test_queries_that_cannot_be_projected_lose_no_connector(
    sets: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left, right = map(str, sets)
    wrong = tmp_path / "wrong"
    Embeddings.from_array(np.eye(3), modality="image", space="left").save(wrong)
    given = ["--queries", str(wrong), "--gallery", right]
    with pytest.raises(SystemExit):
        main(["connect", left, right, "--method", "cca", "--out", str(tmp_path / "joint"), *given])
    assert "have 3 dimensions" in capsys.readouterr().err
    assert Connector.load(tmp_path / "joint").report is not None


def test_a_method_has_its_own_options(capsys: pytest.CaptureFixture[str]) -> None:
    for method, option in (("cca", "--power"), ("cmcr", "--intra-weight"), ("auto", "--trained-share")):
        with pytest.raises(SystemExit):
            main(["connect", "--method", method, "--help"])
        assert option in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["connect", "LEFT", "RIGHT", "--out", "OUT", "--overlap", "image"], "the right side has no 'image'"),
        (["connect", "LEFT", "RIGHT", "--out", "OUT", "--method", "umap"], "--method umap: choose one of"),
        (["connect", "LEFT", "NOWHERE", "--out", "OUT"], "nowhere"),
        (["search", "LEFT", "--queries", "LEFT", "--gallery", "RIGHT"], "config.json"),
    ],
)
def test_bad_input_ends_in_one_line_and_exit_code_2(
    arguments: list[str],
    message: str,
    sets: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    places = {"LEFT": sets[0], "RIGHT": sets[1], "OUT": tmp_path / "out", "NOWHERE": tmp_path / "nowhere"}
    with pytest.raises(SystemExit) as ended:
        main([str(places.get(argument, argument)) for argument in arguments])
    assert ended.value.code == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert error.startswith("isthmus: ")
    assert "\n" not in error


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with contextlib.suppress(SystemExit):
        main(arguments)
    return capsys.readouterr().out


@pytest.mark.parametrize("command", commands())
def test_help_reads_as_if_written_by_hand(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, *command.split(), "--help")
    assert text.startswith(f"usage: isthmus {command} ")
    for internal in ("None", "Path", "[[", "(default: )", "dummy", "<"):
        assert internal not in text
    undescribed = re.findall(r"^  (--?\S+)(?: [A-Z{]\S*)*\n(?=  -|\n|$)", text, re.MULTILINE)
    assert undescribed == []


def test_help_is_found_where_people_look_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    overview = said(capsys)
    assert overview == said(capsys, "help") == said(capsys, "--help")
    assert all(f"  {command}  " in overview for command in commands())
    assert said(capsys, "help", "connect", "--method", "cca") == said(capsys, "connect", "--method", "cca", "--help")
    assert said(capsys, "help", "codes", "train") == said(capsys, "codes", "train", "-h")
    actions = said(capsys, "codes")
    assert actions == said(capsys, "codes", "--help") == said(capsys, "help", "codes")
    assert all(f"  codes {action}  " in actions for action in ("train", "assign", "show"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("frob", "unknown command 'frob': see isthmus help"),
        ("conect a b", "unknown command 'conect': did you mean connect? see isthmus help"),
        ("codes tran", "unknown command 'codes tran': did you mean codes train? see isthmus help"),
        ("search", "missing CONNECTOR, --queries, --gallery: see isthmus search --help"),
        ("connect --out x", "missing SET: see isthmus connect --help"),
        ("connect a b --out x --sede 3", "unknown option --sede: did you mean --seed? see isthmus connect --help"),
        ("inspect a b c", "unexpected argument 'c': see isthmus inspect --help"),
        ("demo --seed", "--seed: expected one argument"),
        ("demo --seed x", "--seed: expected a whole number, got 'x'"),
        ("connect a b --out x --method cca --power big", "--power: expected a number, got 'big'"),
        ("localize x --by sight", "--by: expected one of dense, proposals, codes, tokens, got 'sight'"),
        ("connect a b --out x --method cca --power -1", "--power must be at least 0, got -1.0"),
    ],
)
def test_a_usage_error_is_one_line(line: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"isthmus: {message}\n"


def test_a_nested_option_changes_its_field_only() -> None:
    default = CmcrConfig()
    given: list[CmcrConfig] = []

    def command(*sets: Path, options: CmcrConfig = default) -> None:
        """Take two sets.

        Args:
            *sets: Sets.
        """
        given.append(options)
        assert sets == (Path("a"), Path("b"))

    run(command, ["a", "--optimisation.epochs", "3", "b", "--intra=plain"], "isthmus command")
    assert given == [replace(default, intra="plain", optimisation=replace(default.optimisation, epochs=3))]


def test_an_interruption_says_what_was_kept(
    sets: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, checkpoint: Path, **__: object) -> None:
        if checkpoint.parent.name == "late":
            objective = torch.nn.Linear(2, 2)
            Checkpoint(checkpoint, "run").save(7, objective, torch.optim.AdamW(objective.parameters()))
        raise KeyboardInterrupt

    monkeypatch.setattr("isthmus.connectors.connect.connect", interrupted)
    continued = f"a checkpoint is in {tmp_path / 'late'}; run the same command again to continue"
    for name, kept in (("early", "nothing was saved"), ("late", continued)):
        with pytest.raises(SystemExit) as ended:
            main(["connect", *map(str, sets), "--out", str(tmp_path / name)])
        assert ended.value.code == 130
        assert capsys.readouterr().err == f"isthmus: interrupted; {kept}\n"


@pytest.mark.slow
@pytest.mark.parametrize("checkpoint_seconds", [0, 1000])
def test_ctrl_c_while_training_says_whether_a_checkpoint_was_kept(
    checkpoint_seconds: int, sets: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "joint"
    code = HEEDING + (
        f"import sys, isthmus.training.loop as loop; loop.CHECKPOINT_SECONDS = {checkpoint_seconds}\n"
        "from isthmus.cli import main; main(sys.argv[1:])"
    )
    line = ["connect", *map(str, sets), "--out", str(out), "--method", "cmcr", "--optimisation.min-steps", "1000000"]
    with subprocess.Popen([sys.executable, "-c", code, *line], stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        for shown in running.stderr:
            if shown.startswith("training"):
                break
        while checkpoint_seconds == 0 and not (out / "training.checkpoint").exists():
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        said = running.stderr.read().splitlines()[-1]
    assert running.returncode == 130
    kept = f"a checkpoint is in {out}; run the same command again to continue"
    assert said == f"isthmus: interrupted; {kept if checkpoint_seconds == 0 else 'nothing was saved'}"


@pytest.mark.slow
def test_ctrl_c_in_a_closed_form_says_that_nothing_was_saved(sets: tuple[Path, Path], tmp_path: Path) -> None:
    line = ["connect", *map(str, sets), "--out", str(tmp_path / "joint"), "--method", "cca"]
    code = HEEDING + (
        "import sys, time, isthmus.connectors.connect as own; own.measure = lambda *given: time.sleep(100)\n"
        "from isthmus.cli import main; main(sys.argv[1:])"
    )
    with subprocess.Popen([sys.executable, "-c", code, *line], stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        for shown in running.stderr:
            if shown.startswith("measuring"):
                break
        running.send_signal(signal.SIGINT)
        said = running.stderr.read().splitlines()[-1]
    assert running.returncode == 130
    assert said == "isthmus: interrupted; nothing was saved"
    assert not (tmp_path / "joint").exists()


def test_an_output_folder_that_cannot_be_written_is_refused_before_the_sets_are_read(
    sets: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def read(*_: object) -> None:
        raise AssertionError("the sets were read")

    monkeypatch.setattr("isthmus.embeddings.open_set", read)
    (tmp_path / "file").write_text("taken")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text("{}")
    (tmp_path / "link").symlink_to(tmp_path / "missing")
    refused = {
        "file": "file: cannot be written (Not a directory): save to another folder",
        "file/deep/er": "er: cannot be written (Not a directory): save to another folder",
        "link": "link: cannot be written (No such file or directory): save to another folder",
        "x" * 300: "cannot be written (File name too long): save to another folder",
        "other": "config.json: is damaged or belongs to something else",
    }
    for out, message in refused.items():
        with pytest.raises(SystemExit) as ended:
            main(["connect", *map(str, sets), "--out", str(tmp_path / out)])
        assert ended.value.code == 2
        said = capsys.readouterr().err
        assert message in said
        assert said.count("\n") == 1
    for set_as_out in sets:
        with pytest.raises(SystemExit):
            main(["connect", *map(str, sets), "--out", str(set_as_out)])
        assert "contains an embedding set (manifest.json)" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_output_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(SystemExit):
        main(["connect", "left", "right", "--out", str(tmp_path / "locked" / "joint")])
    assert "cannot be written (Permission denied)" in capsys.readouterr().err


def test_the_documented_help_is_the_commands_own() -> None:
    script = Path(__file__).parents[2] / "scripts" / "write_command_help.py"
    subprocess.run([sys.executable, str(script), "--check"], check=True)


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--version"])
    assert capsys.readouterr().out == f"isthmus {version('isthmus')}\n"


def test_a_file_that_cannot_be_written_ends_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "rows.npy", np.eye(12, dtype=np.float32))
    (tmp_path / "taken").write_text("a file, no folder")
    given = ["convert", str(tmp_path / "rows.npy"), "--modality", "image", "--space", "clip"]
    with pytest.raises(SystemExit) as ended:
        main([*given, "--out", str(tmp_path / "taken")])
    said = capsys.readouterr().err.strip()
    assert ended.value.code == 2
    assert said.startswith("isthmus: ")
    assert "taken" in said
    assert "\n" not in said
