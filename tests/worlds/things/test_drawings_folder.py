"""Drawings of users' own: files named by thing or emoji, backgrounds, styles, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

import hostile_writers
from isthmus.base.errors import IsthmusError
from isthmus.worlds.things.drawings.folder import read_drawings
from isthmus.worlds.things.things import thing_names

RED = (200, 30, 30)


def disc(mode: str, ground: tuple[int, ...] | str, fill: tuple[int, ...] = RED) -> Image.Image:
    """A disc 120 pixels wide with a hole, on a ground."""
    image = Image.new(mode, (200, 160), ground)
    draw = ImageDraw.Draw(image)
    draw.ellipse((30, 20, 149, 139), fill=fill)
    draw.ellipse((80, 70, 99, 89), fill=ground)
    return image


def test_names_are_nouns_or_code_points_in_any_case(tmp_path: Path) -> None:
    names = {
        "dog.png": "dog",
        "Christmas Tree.png": "christmas tree",
        "palm_tree.webp": "palm tree",
        "yo-yo.png": "yo yo",
        "1F431.png": "cat",
        "2764.png": "heart",
        "2600-fe0f.png": "sun",
    }
    for name in names:
        disc("RGBA", (0, 0, 0, 0)).save(tmp_path / name)
    drawings = read_drawings(tmp_path)
    assert {thing_names()[number] for number in drawings.thing} == set(names.values())
    assert drawings.styles == (tmp_path.name,)
    assert set(drawings.missing) == set(thing_names()) - set(names.values())


def test_subfolders_are_styles(tmp_path: Path) -> None:
    for style, colour in (("oil", RED), ("color/72x72", (0, 0, 250))):
        (tmp_path / style).mkdir(parents=True)
        disc("RGB", "white", colour).save(tmp_path / style / "dog.png")
    drawings = read_drawings(tmp_path)
    assert drawings.styles == ("color/72x72", "oil")
    assert drawings.pixels[:, 10, 32, :3].tolist() == [[0, 0, 250], [*RED]]
    assert len(drawings.of_styles(["oil"])) == 1


def test_a_plain_background_vanishes_as_far_as_it_reaches_the_border(tmp_path: Path) -> None:
    disc("RGBA", (0, 0, 0, 0)).save(tmp_path / "dog.png")
    disc("RGB", "white").save(tmp_path / "cat.png")
    disc("RGB", "white").save(tmp_path / "mouse.jpg", quality=80)
    disc("RGBA", (255, 255, 255, 255)).save(tmp_path / "pig.webp", lossless=True)
    cut, *plain = read_drawings(tmp_path).pixels
    away = np.hypot(*(np.mgrid[:64, :64] - 31.5))
    for drawing in plain:
        np.testing.assert_array_equal(drawing[away > 33, 3], 0)
        assert drawing[away < 27, 3].min() >= 250
        assert np.abs(drawing[(away < 26) & (away > 9)].astype(int) - (*RED, 255)).max() < 25
        assert drawing[32, 32].min() >= 245  # the hole keeps its white
    assert cut[32, 32, 3] == 0


def test_a_varied_background_stays(tmp_path: Path) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (120, 120, 3)).astype(np.uint8)
    Image.fromarray(photo).save(tmp_path / "dog.png")
    drawing = read_drawings(tmp_path).pixels[0]
    assert (drawing[2:62, 2:62, 3] == 255).all()
    assert drawing[..., 3].sum() == 60 * 60 * 255


def test_files_that_name_nothing_are_counted_in_one_warning(tmp_path: Path) -> None:
    for name in ("dog.png", "alpha.png", "beta.png", "gamma.jpg", "delta.png"):
        disc("RGB", "white").save(tmp_path / name)
    (tmp_path / "cat.svg").write_text("<svg/>")
    (tmp_path / ".DS_Store").write_text("")
    with pytest.warns(
        UserWarning, match=r"left out 5 files .*: alpha\.png, beta\.png, cat\.svg, …; name PNG"
    ) as caught:
        assert len(read_drawings(tmp_path)) == 1
    assert len(caught) == 1


def nothing(folder: Path) -> None:
    disc("RGB", "white").save(folder / "unknown.png")


def twice(folder: Path) -> None:
    for name in ("dog.png", "1f436.png"):
        disc("RGB", "white").save(folder / name)


def blank(folder: Path) -> None:
    Image.new("RGB", (64, 64), "white").save(folder / "dog.png")


def transparent(folder: Path) -> None:
    Image.new("RGBA", (64, 64)).save(folder / "dog.png")


def cut(folder: Path) -> None:
    disc("RGB", "white").save(folder / "dog.png")
    (folder / "dog.png").write_bytes((folder / "dog.png").read_bytes()[:200])


def broken_link(folder: Path) -> None:
    (folder / "dog.png").symlink_to(folder / "none.png")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (nothing, r'no file in it names a thing; name PNG, WebP or JPEG files by what they draw \("dog\.png"'),
        (twice, r"dog\.png: draws 'dog', as 1f436\.png does: keep one of them"),
        (blank, r"dog\.png: shows nothing but its background: replace or remove it"),
        (transparent, r"dog\.png: shows nothing but its background: replace or remove it"),
        (cut, r"dog\.png: cannot be read .*: replace or remove it"),
        (broken_link, r"dog\.png: not found: replace or remove it"),
    ],
)
def test_folders_that_cannot_be_used_are_refused_in_one_line(
    make: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    make(tmp_path)
    with pytest.raises(IsthmusError, match=message) as caught:
        read_drawings(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_hostile_images_are_refused_by_name(tmp_path: Path) -> None:
    for _, content in hostile_writers.hostile_images():
        (tmp_path / "dog.png").write_bytes(content)
        with pytest.raises(IsthmusError, match=r"dog\.png: .*: replace or remove it") as caught:
            read_drawings(tmp_path)
        assert "\n" not in str(caught.value)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IsthmusError, match=r"none: not found; name PNG"):
        read_drawings(tmp_path / "none")
    (tmp_path / "dog.png").write_bytes(b"")
    with pytest.raises(IsthmusError, match=r"dog\.png: not a folder; name PNG"):
        read_drawings(tmp_path / "dog.png")
