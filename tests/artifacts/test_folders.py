"""Folders of artifacts: what is altered is refused, others' files stay, readers get one of two editions whole."""

import json
import math
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import isthmus
from isthmus import CodeModel, Connector, SpaceGraph
from isthmus.artifacts.record import stored
from isthmus.base.errors import IsthmusError
from isthmus.cli import main
from isthmus.codes.reading.assignment import Assignment
from isthmus.connectors.files import named_tensors
from isthmus.connectors.member import Head, Member

SAVED = Path(__file__).parents[1] / "saved_by_0_1"
LOADERS = {"connector-cmcr": Connector, "codes": CodeModel, "graph-star": SpaceGraph, "assignment": Assignment}
RECORDS = {
    "connector-cmcr": "config.json",
    "codes": "config.json",
    "graph-star": "graph.json",
    "assignment": "assignment.json",
}


def saved(kind: str, tmp_path: Path) -> Path:
    """An artifact in today's format."""
    return LOADERS[kind].load(SAVED / kind).save(tmp_path / "own")


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


CHANGES: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "a layer more": ("connector-cmcr", lambda own: own["members"][0]["left"].append({"relu": True})),
    "another overlap": ("connector-cmcr", lambda own: own.update(overlap="image")),
    "a figure of the report": ("connector-cmcr", lambda own: own["report"].update(overlap_mrr=1.0)),
    "no hash": ("connector-cmcr", lambda own: own.pop("own_sha256")),
    "no files": ("connector-cmcr", lambda own: own.pop("files")),
    "another distance": ("codes", lambda own: own["config"].update(distance="plain")),
    "another floor": ("codes", lambda own: own.update(floor=1e-3)),
    "another kind": ("graph-star", lambda own: own.update(kind="joint")),
    "other legs": ("graph-star", lambda own: own["legs"].reverse()),
    "other ids": ("assignment", lambda own: own["ids"].reverse()),
    "another unit": ("assignment", lambda own: own.update(modality="audio")),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_record_that_was_altered_is_refused(name: str, tmp_path: Path) -> None:
    kind, change = CHANGES[name]
    folder = saved(kind, tmp_path)
    edit(folder / RECORDS[kind], change)
    with pytest.raises(IsthmusError, match=rf"{RECORDS[kind]}: altered \(its hash differs"):
        LOADERS[kind].load(folder)


@pytest.mark.parametrize("kind", LOADERS)
def test_one_altered_byte_of_any_file_is_named(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = saved(kind, tmp_path)
    main(["inspect", str(folder), "--verify"])
    assert capsys.readouterr().out.endswith("all hashes match\n")
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        whole = path.read_bytes()
        path.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
        if path.name == "README.md":
            main(["inspect", str(folder), "--verify"])
            assert "which decides nothing" in capsys.readouterr().out
        else:
            with pytest.raises(SystemExit):
                main(["inspect", str(folder), "--verify"])
            said = capsys.readouterr().err
            assert path.name in said
            assert len(said.splitlines()) == 1
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("connector-cmcr", "connector of 'clip' and 'clap' through text"),
        ("codes", "code model: 6 codes for"),
        ("graph-star", "star around 'clip'"),
        ("assignment", "assignment: 40 image items"),
        ("set-clip", "image: 40 rows"),
    ],
)
def test_inspect_shows_every_kind_also_of_0_1(kind: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["inspect", str(SAVED / kind)])
    assert says in capsys.readouterr().out
    main(["inspect", str(SAVED / kind), "--verify"])
    assert "saved by an earlier version" in capsys.readouterr().out


def test_inspect_of_something_else_says_what_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["inspect", str(tmp_path)])
    assert "is not an embedding set, connector, graph of spaces, code model or assignment" in capsys.readouterr().err


@pytest.mark.parametrize(
    "folder", ["../leg_0", "..", ".", "", "leg_0/../leg_1", "/etc", "a\\b", "a\0b", 7, ["leg_0"], "link"]
)
def test_a_leg_outside_the_graphs_folder_is_refused(folder: object, tmp_path: Path) -> None:
    own, outside = tmp_path / "own", tmp_path / "leg_0"
    shutil.copytree(SAVED / "graph-star", own)
    shutil.copytree(SAVED / "graph-star" / "leg_0", outside)
    (own / "link").symlink_to(outside)
    edit(own / "graph.json", lambda content: content["legs"][0].update(folder=folder))
    with pytest.raises(IsthmusError, match=r"graph\.json: names the leg .* which is not a folder inside"):
        SpaceGraph.load(own)


@pytest.mark.parametrize(
    "parents",
    [
        {"clap": "ulip", "ulip": "clap"},
        {"clap": "clap", "ulip": "clip"},
        {"clap": "clip"},
    ],
)
def test_a_graph_in_a_circle_is_refused(parents: dict[str, Any], tmp_path: Path) -> None:
    shutil.copytree(SAVED / "graph-star", tmp_path / "own")
    edit(tmp_path / "own" / "graph.json", lambda content: content.update(parents=parents))
    with pytest.raises(IsthmusError, match=r"graph\.json: not a graph of spaces"):
        SpaceGraph.load(tmp_path / "own")
    star = SpaceGraph.load(SAVED / "graph-star")
    with pytest.raises(IsthmusError, match=r"parents|leads from"):
        replace(star, parents=parents)
    joint = SpaceGraph.load(SAVED / "graph-joint")
    with pytest.raises(IsthmusError, match="parents"):
        replace(joint, parents=parents)


@pytest.mark.parametrize("content", ["[" * 100_000, "{", '"text"', "[]", '{"format": 1e999}', b"\xff\xfe", "1" * 5000])
@pytest.mark.parametrize("kind", LOADERS)
def test_anything_but_a_record_is_named(kind: str, content: str | bytes, tmp_path: Path) -> None:
    shutil.copytree(SAVED / kind, tmp_path / "own")
    path = tmp_path / "own" / RECORDS[kind]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(IsthmusError, match=RECORDS[kind]) as said:
        LOADERS[kind].load(tmp_path / "own")
    assert "\n" not in str(said.value)
    with pytest.raises(IsthmusError, match=f"{RECORDS[kind]}: is damaged or belongs to something else"):
        LOADERS[kind].load(SAVED / kind).save(tmp_path / "own")


WRONG: list[tuple[str, Callable[[dict[str, Any]], object]]] = [
    ("connector-cmcr", lambda own: own["members"][0]["left"][0].update(linear=[10**9, 10**9])),
    ("connector-cmcr", lambda own: own["members"][0]["left"][0].update(linear=[-1, 8])),
    ("connector-cmcr", lambda own: own["members"][0]["left"].append({"gelu": "often"})),
    ("connector-cmcr", lambda own: own["members"][0]["left"].append({"layernorm": 8, "eps": "x"})),
    ("connector-cmcr", lambda own: own["members"].append(7)),
    ("connector-cmcr", lambda own: own.update(weights=[math.nan])),
    ("connector-cmcr", lambda own: own.update(weights=[-1])),
    ("connector-cmcr", lambda own: own.update(weights=[10**400])),
    ("connector-cmcr", lambda own: own.update(left_space=["clip"])),
    ("connector-cmcr", lambda own: own.update(report=3)),
    ("codes", lambda own: own["config"].update(codes=10**12)),
    ("codes", lambda own: own.update(summary_dim="many")),
    ("codes", lambda own: own.update(views=[])),
    ("assignment", lambda own: own.update(size=2)),
    ("assignment", lambda own: own.update(ids=["a"])),
    ("assignment", lambda own: own.update(unit="metres")),
    ("assignment", lambda own: own.update(ids=list(range(40)))),
]


@pytest.mark.parametrize(("kind", "change"), WRONG)
def test_a_record_without_a_hash_that_is_wrong_is_named(
    kind: str, change: Callable[[dict[str, Any]], object], tmp_path: Path
) -> None:
    shutil.copytree(SAVED / kind, tmp_path / "own")
    edit(tmp_path / "own" / RECORDS[kind], change)
    with pytest.raises(IsthmusError, match="own") as said:
        LOADERS[kind].load(tmp_path / "own")
    assert "\n" not in str(said.value)


def test_figures_that_are_not_finite_become_null_and_are_read_again(tmp_path: Path) -> None:
    own = Connector.load(SAVED / "connector-cmcr")
    assert own.report is not None
    report = replace(
        own.report, overlap_mrr=math.nan, hubness=math.inf, gaps=(replace(own.report.gaps[0], after=-math.inf),)
    )
    folder = replace(own, report=report, choice={"best": math.inf}).save(tmp_path / "own")
    content = json.loads((folder / "config.json").read_text(), parse_constant=pytest.fail)
    assert content["choice"] == {"best": None}
    assert content["report"]["overlap_mrr"] is None
    again = Connector.load(folder)
    assert again.space == own.space
    assert again.report is not None
    assert "nan" in " ".join(again.report.lines())
    shutil.copytree(SAVED / "connector-cmcr", tmp_path / "older")
    edit(
        tmp_path / "older" / "config.json", lambda old: old["report"].update(overlap_mrr=math.nan, chance_mrr=math.inf)
    )
    older = Connector.load(tmp_path / "older").report
    assert older is not None
    assert math.isinf(older.chance_mrr)


@pytest.mark.parametrize("record", ["manifest.json", "graph.json", "config.json"])
def test_a_folder_of_something_else_is_refused(record: str, tmp_path: Path) -> None:
    (tmp_path / record).write_text('{"model_type": "clip"}')
    for kind in ("connector-cmcr", "codes", "graph-star"):
        with pytest.raises(IsthmusError, match=record):
            LOADERS[kind].load(SAVED / kind).save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [record]


@pytest.mark.parametrize(
    "command",
    ["connect {set} {set} --out {out}", "codes train {set} --out {out}", "codes assign {set} {set} --out {out}"],
)
def test_a_command_refuses_such_a_folder_before_it_works(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for record in ("config.json", "assignment.json"):
        (tmp_path / record).write_text('{"model_type": "clip"}')
    with pytest.raises(SystemExit):
        main(command.format(set=tmp_path / "absent", out=tmp_path).split())
    assert "is damaged or belongs to something else" in capsys.readouterr().err


def test_a_code_model_does_not_replace_a_connector(tmp_path: Path) -> None:
    folder = saved("connector-cmcr", tmp_path)
    with pytest.raises(IsthmusError, match=r"config\.json: is damaged or belongs to something else"):
        CodeModel.load(SAVED / "codes").save(folder)
    Connector.load(folder)


def test_files_of_the_user_stay_as_they_are(tmp_path: Path) -> None:
    own = Connector.load(SAVED / "connector-cmcr")
    mine = {"README.md": "my project", "model.safetensors": "mine", "notes.txt": "mine", "model-1.safetensors": "mine"}
    for name, text in mine.items():
        (tmp_path / name).write_text(text)
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"README\.md: was not written by isthmus"):
            own.save(tmp_path)
        assert {name: (tmp_path / name).read_text() for name in mine} == mine
        assert Connector.load(tmp_path).space == own.space
        assert len(list(tmp_path.iterdir())) == len(mine) + 2


def test_a_card_that_was_edited_is_kept(tmp_path: Path) -> None:
    own = Connector.load(SAVED / "connector-cmcr")
    own.save(tmp_path)
    own.save(tmp_path)
    (tmp_path / "README.md").write_text((tmp_path / "README.md").read_text() + "my remark")
    with pytest.warns(UserWarning, match="or has been changed since"):
        own.save(tmp_path)
    assert (tmp_path / "README.md").read_text().endswith("my remark")
    shutil.copytree(SAVED / "connector-cca", tmp_path / "older")
    own.save(tmp_path / "older")
    assert "cmcr (weight" in (tmp_path / "older" / "README.md").read_text()


def test_links_are_replaced_and_not_followed(tmp_path: Path) -> None:
    folder, outside = saved("connector-cmcr", tmp_path), tmp_path / "outside"
    outside.mkdir()
    for path in list(folder.iterdir()):
        path.rename(outside / path.name)
        path.symlink_to(outside / path.name)
    before = {path.name: path.read_bytes() for path in outside.iterdir()}
    assert Connector.load(folder).members[0].method == "cmcr"
    Connector.load(SAVED / "connector-cca").save(folder)
    assert {path.name: path.read_bytes() for path in outside.iterdir()} == before
    assert Connector.load(folder).members[0].method.startswith("cca")


def test_a_journal_deletes_nothing_outside_and_nothing_that_it_does_not_describe(tmp_path: Path) -> None:
    folder = saved("connector-cmcr", tmp_path)
    for name in ("outside.txt", "own/mine.txt"):
        (tmp_path / name).write_text("mine")
    digest = "7bcc6ffb7a5c9a4e1b9f7b1f3f6b4b0a"
    names = ("../outside.txt", str(tmp_path / "outside.txt"), "mine.txt", "model.safetensors")
    (folder / ".config.json.isthmus-saving").write_text(json.dumps({name: [digest] for name in names}))
    Connector.load(folder).save(folder)
    assert (tmp_path / "outside.txt").exists()
    assert (folder / "mine.txt").exists()
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "config.json",
        "mine.txt",
        "model.safetensors",
    ]


@pytest.mark.parametrize("kind", LOADERS)
def test_readers_beside_writers_get_one_of_the_two(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    other = {"connector-cmcr": "connector-cca", "codes": "codes-literal", "graph-star": "graph-joint"}.get(kind, kind)
    editions = [LOADERS[kind].load(SAVED / name) for name in (kind, other)]
    folder = editions[0].save(tmp_path / "own")
    failures: list[Exception] = []

    def write(own: Any) -> None:
        try:
            for _ in range(5):
                own.save(folder)
        except Exception as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(own,)) for own in editions]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        LOADERS[kind].load(folder)
    assert failures == []
    plain = editions[0].save(tmp_path / "plain")
    assert {path.name for path in folder.iterdir()} == {path.name for path in plain.iterdir()}


def test_layers_that_a_config_asks_for_take_no_memory_before_they_are_checked() -> None:
    with torch.device("meta"):
        layer = nn.Linear(10**6, 10**6)
    with pytest.raises(ValueError, match="shape"):
        isthmus.artifacts.folder.fill(layer, {"weight": torch.zeros(2, 2), "bias": torch.zeros(2)})


def test_names_of_an_edition_are_beside_the_usual_ones() -> None:
    beside = {"edition": "0123456789ab"}
    assert stored("model.safetensors", beside) == "model-0123456789ab.safetensors"
    assert stored("leg_0/config.json", beside) == "leg_0-0123456789ab/config.json"
    for edition in ("../../../x", 7, "0123456789AB"):
        with pytest.raises(IsthmusError, match="edition"):
            stored("model.safetensors", {"edition": edition})


def test_a_connector_is_the_same_after_it_is_saved_and_loaded(tmp_path: Path) -> None:
    projector = nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3, 1e-3), nn.GELU("tanh"), nn.BatchNorm1d(3)).eval()
    head = Head(projector, {"text": torch.randn(4)}, {"image": nn.Linear(4, 4)})
    own = Connector("a", "b", "text", (Member(head, Head(nn.Sequential(nn.Linear(5, 3)), {}), "mine", "both"),), (0.5,))
    again = Connector.load(own.save(tmp_path))
    found, expected = (dict(named_tensors(each.members, each.basis)) for each in (again, own))
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert [found[name].dtype for name in found] == [expected[name].dtype for name in expected]
    rows = np.random.default_rng(0).standard_normal((7, 4)).astype(np.float32)
    for modality in ("text", "image"):
        embeddings = isthmus.Embeddings.from_array(rows, modality=modality, space="a", ids=range(7))
        assert np.array_equal(again.project(embeddings).vectors, own.project(embeddings).vectors)
