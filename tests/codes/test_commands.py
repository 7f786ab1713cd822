"""The codes commands over sets on disk, as a user would run them."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from isthmus.cli import main
from isthmus.codes.learning.pairs import CodeItems
from isthmus.codes.model.model import CodeModel
from isthmus.codes.reading.alignment import rerank_by_codes
from isthmus.codes.reading.assignment import Assignment
from isthmus.embeddings.token_files import save_tokens
from isthmus.search import Hits

pytestmark = pytest.mark.slow
BRIEF = ["--codes", "8", "--optimisation.min-steps", "3", "--optimisation.batch-size", "16", "--restarts", "1"]


def saved(folder: Path, items: dict[str, CodeItems], count: int) -> Path:
    for own in items.values():
        rows = np.arange(count)
        own.pooled.take(rows).save(folder)
        save_tokens(own.tokens.take(rows), folder)
    return folder


def test_codes_are_trained_assigned_and_shown(
    sides: tuple[dict[str, CodeItems], dict[str, CodeItems]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left, right = (saved(tmp_path / name, side, 60) for name, side in zip(("left", "right"), sides, strict=True))
    model, out = tmp_path / "codes", tmp_path / "written"
    main(["codes", "train", str(left), str(right), "--out", str(model), *BRIEF])
    assert "joint use" in capsys.readouterr().out
    main(["codes", "assign", str(model), str(left), "--modality", "image", "--out", str(out)])
    main(["codes", "show", str(model)])
    assert "8 codes for image" in capsys.readouterr().out

    fetched, loaded = CodeModel.from_pretrained(model).state_dict(), CodeModel.load(model).state_dict()
    assert all(np.array_equal(fetched[name].numpy(), loaded[name].numpy()) for name in loaded)
    assert "licences" in (model / "README.md").read_text()
    written = Assignment.load(out)
    tokens = sides[0]["image"].tokens.take(np.arange(60))
    assert written.ids == tokens.ids
    table = pyarrow.parquet.read_table(out / "codes.parquet").to_pydict()
    assert table["code"] == written.codes.tolist()
    assert table["id"][0] == tokens.ids[0]
    assert table["right"][:2] == [4.0, 8.0]

    main(["codes", "show", str(model), "--assignment", str(out), "--item", tokens.ids[3]])
    lines = capsys.readouterr().out.splitlines()
    codes, _ = written.of(tokens.ids[3])
    assert len(lines) == 1 + np.count_nonzero(np.diff(codes))
    assert lines[0].startswith(f"code {codes[0]:4d}  0 to ")
    assert lines[-1].endswith("to 168 pixels")


def test_search_is_reordered_by_codes(
    sides: tuple[dict[str, CodeItems], dict[str, CodeItems]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left, right = (saved(tmp_path / name, side, 60) for name, side in zip(("left", "right"), sides, strict=True))
    model, joined = tmp_path / "codes", tmp_path / "joined"
    main(["connect", str(left), str(right), "--method", "procrustes", "--out", str(joined)])
    main(["codes", "train", str(left), str(right), "--out", str(model), *BRIEF])
    search = ["search", str(joined), "--queries", str(left), "--gallery", str(right), "--k", "5"]
    capsys.readouterr()
    main([*search, "--codes", str(model), "--shortlist", "8"])
    ordered = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    main([*search[:-1], "8"])
    plain = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for again, first in zip(ordered, plain, strict=True):
        assert len(again["hits"]) == 5
        assert {hit["id"] for hit in again["hits"]} <= {hit["id"] for hit in first["hits"]}
    assert any(again["hits"][0] != first["hits"][0] for again, first in zip(ordered, plain, strict=True))
    tokens, answers = sides[0]["image"].tokens.take(np.arange(60)), sides[1]["audio"].tokens.take(np.arange(60))
    rows = np.array([[answers.ids.index(hit["id"]) for hit in first["hits"]] for first in plain])
    scores = np.array([[hit["score"] for hit in first["hits"]] for first in plain], np.float32)
    hits = Hits(tokens.ids, np.array(answers.ids)[rows], scores, rows)
    expected = rerank_by_codes(hits, CodeModel.load(model), tokens, answers)
    assert [again["hits"][0]["id"] for again in ordered][:20] == expected.ids[:20, 0].tolist()


def test_one_set_with_shared_ids_is_trained_on_its_pairs(pairs: dict[str, CodeItems], tmp_path: Path) -> None:
    folder = tmp_path / "set"
    for name in ("image", "text"):
        rows = np.arange(40)
        pairs[name].pooled.take(rows).save(folder)
        save_tokens(pairs[name].tokens.take(rows), folder)
    main(["codes", "train", str(folder), "--out", str(tmp_path / "codes"), *BRIEF])
    assert CodeModel.load(tmp_path / "codes").facts["sources"] == ["40 true pairs of image and text"]


def test_two_sets_with_shared_ids_are_trained_on_their_pairs(pairs: dict[str, CodeItems], tmp_path: Path) -> None:
    image, text = (saved(tmp_path / name, {name: pairs[name]}, 60) for name in ("image", "text"))
    main(["codes", "train", str(image), str(text), "--paired", "--out", str(tmp_path / "codes"), *BRIEF])
    both = saved(tmp_path / "both", {name: pairs[name] for name in ("image", "text")}, 60)
    main(["codes", "train", str(both), "--out", str(tmp_path / "same"), *BRIEF])
    one, other = (CodeModel.load(tmp_path / name) for name in ("codes", "same"))
    assert list(one.views) == ["image", "text"]
    assert np.array_equal(one.codebook.vectors.numpy(), other.codebook.vectors.numpy())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "{empty}", "--out", "{out}"], "not an embedding set"),
        (["assign", "{empty}", "{empty}", "--out", "{out}"], "has no tokens"),
        (["show", "{empty}"], "config.json: not found"),
        (["show", "{empty}", "--item", "7"], "--item needs --assignment"),
        (["train", "{empty}", "--connector", "{empty}", "--out", "{out}"], "connects two sets: give the second"),
        (["train", "{empty}", "--paired", "--out", "{out}"], "--paired is for two sets: give the second one too"),
        (["show", "{empty}", "--assignment", "{empty}"], "assignment.json: not found"),
    ],
)
def test_bad_input_ends_in_one_line(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"empty": tmp_path / "empty", "out": tmp_path / "out"}
    places["empty"].mkdir()
    with pytest.raises(SystemExit) as left:
        main(["codes", *(argument.format(**places) for argument in arguments)])
    said = capsys.readouterr().err.strip()
    assert left.value.code == 2
    assert message in said
    assert "\n" not in said
