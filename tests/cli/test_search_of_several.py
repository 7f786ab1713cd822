"""`isthmus search` with percentiles, cut-offs, several modalities and several sets."""

import json
from pathlib import Path

import numpy as np
import pytest

import isthmus
from isthmus import Connector
from isthmus.cli import main
from two_sides import two_spaces

SAVED = Path(__file__).parents[1] / "saved_by_0_1"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sets and the connector of two small spaces."""
    root, sides = tmp_path_factory.mktemp("several"), two_spaces(left_space="clip", right_space="clap")
    for name, side in zip(("clip", "clap"), sides, strict=True):
        for rows in side.values():
            rows.save(root / name)
    isthmus.connect(*sides, method="cca").save(root / "joint")
    return root


def hits(saved: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[dict]:
    capsys.readouterr()
    main(["search", str(saved / "joint"), "--queries", str(saved / "clap"), *options])
    return [json.loads(line)["hits"] for line in capsys.readouterr().out.splitlines()]


def test_percentiles_on_request(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = hits(saved, capsys, "--gallery", str(saved / "clip"), "--ids", "3", "5", "--k", "4")
    rated = hits(saved, capsys, "--gallery", str(saved / "clip"), "--ids", "3", "5", "--k", "4", "--percentiles")
    assert [[{**hit, "percentile": None} for hit in found] for found in plain] == [
        [{**hit, "percentile": None} for hit in found] for found in rated
    ]
    scores = Connector.load(saved / "joint").scores
    for hit in rated[0]:
        assert hit["percentile"] == pytest.approx(scores.percentile(hit["score"], ("audio", "image")), abs=1e-3)


def test_a_false_positive_rate_leaves_fewer_hits(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = hits(saved, capsys, "--gallery", str(saved / "clip"), "--k", "50", "--false-positive-rate", "0.05")
    cut = Connector.load(saved / "joint").scores.cutoff(0.05, ("audio", "image"))
    counts = [len(own) for own in found]
    assert min(counts) < 50
    assert all(hit["score"] >= cut - 1e-4 for own in found for hit in own)
    assert np.mean(counts) / 200 == pytest.approx(0.05, rel=0.1)


def test_all_modalities_of_several_sets_in_one_order(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sets = [str(saved / "clip"), str(saved / "clap")]
    found = hits(saved, capsys, "--gallery", *sets, "--gallery-modality", "image", "text", "--ids", "7", "--k", "500")
    (line,) = found
    assert {(hit["modality"], hit["set"]) for hit in line} == {
        ("image", sets[0]),
        ("text", sets[0]),
        ("text", sets[1]),
    }
    shares = [hit["percentile"] for hit in line]
    assert shares == sorted(shares, reverse=True)
    one_set = hits(saved, capsys, "--gallery", sets[0], "--gallery-modality", "all", "--ids", "7", "--k", "3")
    assert list(one_set[0][0]) == ["id", "modality", "score", "percentile"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--csls", "--percentiles"], "--csls changes the scores, but percentiles"),
        (["--codes", "nowhere", "--gallery-modality", "all"], "--codes changes the scores, but percentiles"),
        (["--gallery-modality", "image", "points"], "no points vectors (--gallery-modality); there is"),
        (["--false-positive-rate", "1e-9"], "false-positive rate 1e-09: "),
    ],
)
def test_what_cannot_be_had_is_one_line(
    options: list[str], message: str, saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        hits(saved, capsys, "--gallery", str(saved / "clip"), *options)
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert message in error


def test_a_connector_saved_before_has_no_percentiles(capsys: pytest.CaptureFixture[str]) -> None:
    sets = ["--queries", str(SAVED / "set-clap"), "--gallery", str(SAVED / "set-clip")]
    with pytest.raises(SystemExit):
        main(["search", str(SAVED / "connector-cca"), *sets, "--percentiles"])
    assert "there are no scores of unrelated items, the connector is from an earlier" in capsys.readouterr().err
