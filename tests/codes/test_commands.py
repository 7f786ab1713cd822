"""The codes commands over sets on disk, as a user would run them."""

from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from isthmus.cli import main
from isthmus.codes.assignment import Assignment
from isthmus.codes.objective import Items
from isthmus.embeddings.token_files import save_tokens

BRIEF = ["--codes", "8", "--optimisation.min-steps", "3", "--optimisation.batch-size", "16", "--restarts", "1"]


def saved(folder: Path, items: dict[str, Items], count: int) -> Path:
    for own in items.values():
        rows = np.arange(count)
        own.pooled.take(rows).save(folder)
        save_tokens(own.tokens.take(rows), folder)
    return folder


def test_codes_are_trained_assigned_and_shown(
    sides: tuple[dict[str, Items], dict[str, Items]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left, right = (saved(tmp_path / name, side, 60) for name, side in zip(("left", "right"), sides, strict=True))
    model, out = tmp_path / "codes", tmp_path / "written"
    main(["codes", "train", str(left), str(right), "--out", str(model), *BRIEF])
    assert "joint use" in capsys.readouterr().out
    main(["codes", "assign", str(model), str(left), "--modality", "image", "--out", str(out)])
    main(["codes", "show", str(model)])
    assert "8 codes for image" in capsys.readouterr().out

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


def test_one_set_with_shared_ids_is_learned_from_its_pairs(pairs: dict[str, Items], tmp_path: Path) -> None:
    from isthmus.codes.model import CodeModel

    folder = tmp_path / "set"
    for name in ("image", "text"):
        rows = np.arange(40)
        pairs[name].pooled.take(rows).save(folder)
        save_tokens(pairs[name].tokens.take(rows), folder)
    main(["codes", "train", str(folder), "--out", str(tmp_path / "codes"), *BRIEF])
    assert CodeModel.load(tmp_path / "codes").facts["sources"] == ["40 true pairs of image and text"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "{empty}", "--out", "{out}"], "not an embedding set"),
        (["assign", "{empty}", "{empty}", "--out", "{out}"], "holds no tokens"),
        (["show", "{empty}"], "config.json: not found"),
        (["show", "{empty}", "--assignment", "{empty}"], "not a readable assignment"),
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
