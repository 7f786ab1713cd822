"""The drawings of the package: complete, framed, told apart by style, and refused when altered."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from isthmus.base.errors import IsthmusError
from isthmus.worlds.things.drawings.drawings import Drawings
from isthmus.worlds.things.drawings.framing import framed
from isthmus.worlds.things.drawings.naming import code_points, thing_named
from isthmus.worlds.things.drawings.sheet import cut_up, laid_out
from isthmus.worlds.things.drawings.shipped import ASSETS, INDEX, UNSEEN_STYLE, read_sheets, shipped_drawings
from isthmus.worlds.things.things import thing_names, things

MOST_BYTES = 2.2e6


@pytest.fixture(scope="module")
def shipped() -> Drawings:
    return shipped_drawings()


def test_every_style_but_emojione_draws_every_thing(shipped: Drawings) -> None:
    counts = dict(zip(shipped.styles, np.bincount(shipped.style).tolist(), strict=True))
    assert {style: count for style, count in counts.items() if style != "emojione"} == dict.fromkeys(
        ("fluent-3d", "fluent-flat", "noto", "twemoji"), len(things())
    )
    assert counts["emojione"] > 250
    assert len(set(zip(shipped.style.tolist(), shipped.thing.tolist(), strict=True))) == len(shipped)
    assert shipped.missing == ()
    assert UNSEEN_STYLE in shipped.styles


def test_every_drawing_fills_its_cell_but_for_the_margin(shipped: Drawings) -> None:
    drawn = shipped.pixels[..., 3] > 40
    for axis in (1, 2):
        assert not drawn.any(axis)[:, [0, 1, -2, -1]].any()
    extent = np.maximum(*(drawn.any(axis).sum(1) for axis in (1, 2)))
    assert extent.min() >= 54
    assert (shipped.pixels[shipped.pixels[..., 3] == 0] == 0).all()


def test_drawings_of_a_thing_are_alike_beyond_chance(shipped: Drawings) -> None:
    """In sheets cut in another order than that of things, colours would agree between styles no more than by chance."""
    weight = shipped.pixels[..., 3:].astype(np.float32)
    colour = (shipped.pixels[..., :3] * weight).sum((1, 2)) / weight.sum((1, 2))
    noto, fluent = (colour[shipped.style == shipped.styles.index(name)] for name in ("noto", "fluent-3d"))
    distance = np.linalg.norm(noto[:, None] - fluent[None], axis=-1)
    assert np.median((distance < distance.diagonal()[:, None]).mean(1)) < 0.15


def test_styles_can_be_chosen_in_any_order(shipped: Drawings) -> None:
    chosen = shipped.of_styles(["twemoji", "emojione"])
    assert chosen.styles == ("twemoji", "emojione")
    for style, name in enumerate(chosen.styles):
        before = shipped.style == shipped.styles.index(name)
        np.testing.assert_array_equal(chosen.pixels[chosen.style == style], shipped.pixels[before])
        np.testing.assert_array_equal(chosen.thing[chosen.style == style], shipped.thing[before])
    assert "scissors" not in chosen.of_styles(["emojione"]).missing
    assert "wheel" in chosen.of_styles(["emojione"]).missing
    assert len(shipped.of_styles([])) == 0
    with pytest.raises(IsthmusError, match=r"no drawings in the style 'oil': choose among fluent-3d, "):
        shipped.of_styles(["noto", "oil"])


def test_the_fingerprint_depends_on_every_part() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 4)).astype(np.uint8)
    plain = Drawings(("a", "b"), pixels, np.array([3, 4]), np.array([0, 1]))
    others = (
        Drawings(("a", "c"), pixels, np.array([3, 4]), np.array([0, 1])),
        Drawings(("a", "b"), pixels ^ 1, np.array([3, 4]), np.array([0, 1])),
        Drawings(("a", "b"), pixels, np.array([3, 5]), np.array([0, 1])),
        Drawings(("a", "b"), pixels, np.array([3, 4]), np.array([0, 0])),
    )
    assert len({drawings.fingerprint for drawings in (plain, *others)}) == 5
    assert Drawings(plain.styles, pixels.copy(), plain.thing, plain.style).fingerprint == plain.fingerprint


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ASSETS, tmp_path / "assets"))


def test_an_altered_sheet_is_refused(assets: Path) -> None:
    sheet = assets / "noto.webp"
    sheet.write_bytes(sheet.read_bytes()[:-1] + b"\1")
    with pytest.raises(IsthmusError, match=r"noto\.webp: altered .*: reinstall isthmus"):
        read_sheets(assets)


def test_sheets_of_other_things_are_refused(assets: Path) -> None:
    index = json.loads((assets / INDEX).read_text())
    index["things"] = index["things"][::-1]
    (assets / INDEX).write_text(json.dumps(index))
    with pytest.raises(IsthmusError, match=r"drawings\.json: .*things\.tsv.*: reinstall isthmus"):
        read_sheets(assets)


def test_the_index_names_sources_and_licences_and_the_notice_has_them_all() -> None:
    notice = (ASSETS / "LICENCES.md").read_text()
    for entry in json.loads((ASSETS / INDEX).read_text())["styles"]:
        assert entry["licence"] in ("MIT", "Apache-2.0", "CC-BY-4.0")
        assert f"`{entry['file']}`" in notice
        assert f"`{entry['package']}` {entry['version']}" in notice
        assert entry["attribution"]
        assert hashlib.sha256((ASSETS / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]


def test_the_assets_stay_small() -> None:
    assert sum(file.stat().st_size for file in ASSETS.iterdir()) <= MOST_BYTES


def test_no_two_things_share_a_file_name() -> None:
    assert [thing_named(thing.name) for thing in things()] == list(range(len(things())))
    assert [thing_named(code_points(thing.emoji)) for thing in things()] == list(range(len(things())))
    assert len(set(thing_names())) == len(things())


def test_a_sheet_has_its_cells_in_reading_order() -> None:
    cells = np.random.default_rng(0).integers(0, 256, (45, 64, 64, 4)).astype(np.uint8)
    sheet = laid_out(cells)
    assert sheet.shape == (3 * 64, 20 * 64, 4)
    np.testing.assert_array_equal(sheet[64:128, 128:192], cells[22])
    np.testing.assert_array_equal(cut_up(sheet, 45), cells)


def test_a_picture_is_cropped_scaled_and_centred_as_it_is_when_drawn_so() -> None:
    picture = Image.new("RGBA", (400, 300))
    picture.paste((200, 0, 0, 255), (5, 20, 125, 80))  # 120 x 60, twice as large as it becomes
    expected = np.zeros((64, 64, 4), np.uint8)
    expected[17:47, 2:62] = (200, 0, 0, 255)
    np.testing.assert_array_equal(framed(picture), expected)
