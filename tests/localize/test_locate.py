"""Localization in sets on disk, as a user would run it: parts of audio clips and images, and bad input."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isthmus.base.errors import IsthmusError
from isthmus.cli import main
from isthmus.codes.learning.fit import fit_codes
from isthmus.codes.learning.pairs import pairs_by_row
from isthmus.codes.model.config import BRIEF
from isthmus.codes.model.model import CodeModel
from isthmus.demo import code_data as codes_of
from isthmus.demo.digits import DigitsDemo
from isthmus.embeddings.token_files import open_tokens, save_tokens
from isthmus.localize import LocateQuery, locate
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.digits.items import digits_in
from isthmus.worlds.world import Sizes

ITEMS = 400
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(digits: DigitsWorld) -> CodeModel:
    world = digits.world("test", Sizes(texts=10, memory=10, pairs=ITEMS, gallery=10))
    items = codes_of.true_pairs(DigitsDemo(digits), world).items
    sources = [pairs_by_row(a, b, ITEMS) for a, b in (("image", "audio"), ("image", "text"), ("audio", "text"))]
    short = replace(BRIEF, min_steps=80, batch_size=64)
    return fit_codes(items, sources, optimisation=short, restarts=1, device="cpu")


@pytest.fixture(scope="module")
def folder(digits: DigitsWorld, model: CodeModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of unseen images and audio clips with tokens, and a code model next to it."""
    place = tmp_path_factory.mktemp("sets")
    gallery = digits.world("test", Sizes(texts=10, memory=10, pairs=0, gallery=40)).galleries["seen"]
    own = {
        "image": codes_of.image_items(DigitsDemo(digits), gallery.left),
        "audio": codes_of.audio_items(DigitsDemo(digits), gallery.right),
    }
    for items in own.values():
        items.pooled.save(place / "set")
        save_tokens(items.tokens, place / "set")
    model.save(place / "codes")
    return place


def test_a_spoken_digit_is_found_in_images(digits: DigitsWorld, folder: Path, capsys) -> None:
    command = ["localize", str(folder / "codes"), "--queries", str(folder / "set"), "--gallery", str(folder / "set")]
    command += ["--query-modality", "audio", "--gallery-modality", "image"]
    spoken, right, asked = open_tokens(folder / "set", "audio"), 0, 0
    for query in spoken.ids[:6]:
        digit, (start, end) = digits_in(query)[0], digits.seconds(query)[0]
        main([*command, "--query", query, "--part", str(start), str(end)])
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert len(lines) == 40
        for found in lines:
            boxes = digits.boxes(found["item"])[np.array(digits_in(found["item"])) == digit]
            if len(boxes):
                x, y = found["peak"]
                right += bool(((boxes[:, 0] <= x) & (x < boxes[:, 2])).any())
                asked += 1
                assert found["region"][0] <= x <= found["region"][2]
                assert found["region"][1] <= y <= found["region"][3]
                assert found["unit"] == "pixels"
    assert right / asked > 0.85


@pytest.mark.parametrize("by", ["codes", "tokens"])
def test_codes_and_tokens_both_locate(digits: DigitsWorld, model: CodeModel, folder: Path, by: str) -> None:
    images, audio = (open_tokens(folder / "set", name) for name in ("image", "audio"))
    item = images.ids[0]
    left, _, right, _ = digits.boxes(item)[0]
    query = LocateQuery.of(model, images, item, (float(left), float(right)))
    hits = [
        any(start <= found.peak[0] < end for start, end in spans)
        for found in locate(model, query, audio, by=by)
        if len(spans := digits.seconds(found.item)[np.array(digits_in(found.item)) == digits_in(item)[0]])
    ]
    assert len(hits) >= 5
    assert np.mean(hits) > 0.8


def test_a_part_without_tokens_and_unknown_items_are_named(model: CodeModel, folder: Path) -> None:
    audio = open_tokens(folder / "set", "audio")
    with pytest.raises(IsthmusError, match=r"part 90 to 95 of .* has no tokens: choose a part of 0 to [0-9.]+ seconds"):
        LocateQuery.of(model, audio, audio.ids[0], (90.0, 95.0))
    with pytest.raises(IsthmusError, match=r"part 0\.4 to 0\.2 of .* has no tokens"):
        LocateQuery.of(model, audio, audio.ids[0], (0.4, 0.2))
    narrow = LocateQuery.of(model, audio, audio.ids[0], (0.201, 0.202))
    np.testing.assert_allclose(narrow.codes.sum(), 1, rtol=1e-5)
    with pytest.raises(IsthmusError, match="no audio item 'nothing': ids look like"):
        LocateQuery.of(model, audio, "nothing")


def test_modalities_without_tokens_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["localize", str(folder / "codes"), "--queries", str(folder / "set"), "--gallery", str(folder / "set")]
    with pytest.raises(SystemExit):
        main([*command, "--query", "x", "--query-modality", "text"])
    assert "has no text tokens, only audio, image" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*command, "--query", "x"])
    assert "choose one with --query-modality" in capsys.readouterr().err
    main(["inspect", str(folder / "set"), "--verify"])
    said = capsys.readouterr().out
    assert "image tokens: 1680 of 40 items, 42 to 42 each, 128 dimensions" in said
