"""Three ways to localize in images of coloured boxes, by an encoder that sees colours in the middle of an image."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colour_space import CELLS, colour_space, scene
from isthmus.base.errors import IsthmusError
from isthmus.codes.model.config import CodesConfig
from isthmus.codes.model.model import CodeModel
from isthmus.codes.model.view import View
from isthmus.localize import (
    CodeLocalizer,
    DenseLocalizer,
    JointEncoder,
    Localizer,
    ProposalLocalizer,
    localized,
    overlay,
    write_heat,
    write_overlay,
)
from isthmus.localize.windows import overlaps
from isthmus.metrics import box_mask, ciou

RED, BLUE = (10, 100, 90, 180), (230, 20, 310, 100)
ENCODER = JointEncoder((colour_space(),))


class Boxes:
    """A detector that knows the boxes, among others and one outside the image."""

    def boxes(self, image: Image.Image) -> np.ndarray:
        return np.array([[50, 60, 120, 150], RED, BLUE, [-20, -20, 0.5, 0.5]], float)


def code_localizer() -> CodeLocalizer:
    """Three codes, one for each of the colours red, green and blue."""
    views = {name: View(name, "colour", dim=3, pooled_dim=3) for name in ("image",)}
    model = CodeModel(views, CodesConfig(codes=3, code_dim=3)).eval()
    import torch

    model.codebook.start_at(3 * torch.eye(3))
    model.set_head("image", 4 * torch.eye(3), torch.zeros(3))
    return CodeLocalizer(model, (colour_space(),))


@pytest.mark.parametrize(
    ("way", "least"),
    [
        (DenseLocalizer(ENCODER), 0.5),
        (ProposalLocalizer(ENCODER), 0.5),
        (ProposalLocalizer(ENCODER, Boxes()), 0.99),
        (code_localizer(), 0.5),
    ],
)
def test_each_way_finds_a_colour_at_either_end_of_a_wide_picture(way: Localizer, least: float) -> None:
    image = scene(320, 200, ("red", RED), ("blue", BLUE))
    (parts,) = way.parts([image])
    assert parts.extent == (320, 200)
    queries = way.queries([scene(50, 50, ("red", (0, 0, 50, 50))), scene(50, 50, ("blue", (0, 0, 50, 50)))], "image")
    for query, box in zip(queries, (RED, BLUE), strict=True):
        found = localized(parts, query)
        left, top, right, bottom = box
        x, y = found.peak
        assert left <= x <= right
        assert top <= y <= bottom
        assert overlaps(np.array(box, float), found.regions)[0] > least
        warm = found.heat_map()
        assert warm.shape == (200, 320)
        assert warm[top:bottom, left:right].mean() > np.quantile(warm, 0.8)
        y, x = np.unravel_index(warm.argmax(), warm.shape)
        assert (left - 20 <= x <= right + 20, top - 20 <= y <= bottom + 20) == (True, True)


def test_a_text_is_found_and_half_a_picture_is_predicted() -> None:
    image = scene(200, 200, ("green", (0, 0, 100, 200)))
    way = DenseLocalizer(ENCODER)
    found = localized(way.parts([image])[0], way.queries(["green"], "text")[0])
    assert ciou(found.mask(), box_mask(np.array([[0, 0, 0.5, 1.0]])).astype(float)) > 0.95


def test_the_heat_of_a_square_picture_is_the_cosine_of_its_patches_smoothed() -> None:
    image = scene(64, 64, ("red", (0, 0, 32, 32)))
    way = DenseLocalizer(ENCODER)
    tokens = colour_space().encode_tokens([image], modality="image")
    query = way.queries(["red"], "text")[0]
    cosines = (tokens.vectors @ query).reshape(CELLS, CELLS)
    expected = np.empty((CELLS, CELLS))
    for y in range(CELLS):
        for x in range(CELLS):
            near = [(a, b) for a in (y - 1, y, y + 1) for b in (x - 1, x, x + 1) if 0 <= a < CELLS and 0 <= b < CELLS]
            weights = [1.0 if one == (y, x) else 0.5 for one in near]
            expected[y, x] = np.average([cosines[one] for one in near], weights=weights)
    np.testing.assert_allclose(localized(way.parts([image])[0], query).heat, expected.ravel(), rtol=1e-5)


def test_pictures_encoded_together_are_as_alone() -> None:
    images = [scene(320, 200, ("red", RED)), scene(64, 64), scene(60, 200, ("blue", (0, 150, 60, 200)))]
    way = DenseLocalizer(ENCODER)
    for image, parts in zip(images, way.parts(images), strict=True):
        np.testing.assert_allclose(parts.rows, way.parts([image])[0].rows, rtol=1e-6)
        np.testing.assert_array_equal(parts.places, way.parts([image])[0].places)


def test_the_confidence_tells_what_is_there_from_what_is_not() -> None:
    way = DenseLocalizer(ENCODER)
    draw = np.random.default_rng(0)
    unrelated = draw.dirichlet(np.ones(3), 100).astype(np.float32)
    unrelated /= np.linalg.norm(unrelated, axis=1, keepdims=True)
    (parts,) = way.parts([scene(320, 200, ("red", RED))])
    red, blue = (localized(parts, query, unrelated).confidence for query in way.queries(["red", "blue"], "text"))
    assert red is not None
    assert blue is not None
    assert red > 0.7 > 0.4 > blue
    assert localized(parts, way.queries(["red"], "text")[0]).confidence is None


def test_an_overlay_colours_and_frames_what_was_found(tmp_path: Path) -> None:
    image = scene(320, 200, ("red", RED), ("blue", BLUE))
    way = DenseLocalizer(ENCODER)
    found = localized(way.parts([image])[0], way.queries(["blue"], "text")[0])
    drawn = np.asarray(overlay(image, found)).astype(int)
    changed = np.abs(drawn - np.asarray(image)).sum(2)
    assert drawn.shape == (200, 320, 3)
    assert changed[40:80, 250:290].mean() > 100 > 10 > changed[120:160, 30:70].mean()
    assert np.median(changed) < 10
    with Image.open(write_overlay(image, found, tmp_path / "a.png")) as written:
        np.testing.assert_array_equal(np.asarray(written), drawn)
    np.testing.assert_allclose(np.load(write_heat(found, tmp_path / "a.npy")), found.heat_map(), rtol=1e-5)
    one = Image.new("RGB", (1, 1))
    assert overlay(one, localized(way.parts([one])[0], way.queries(["blue"], "text")[0])).size == (1, 1)
    with pytest.raises(IsthmusError, match=r"a name that ends in \.png"):
        write_overlay(image, found, tmp_path / "a.jpg")
    with pytest.raises(IsthmusError, match=r"a name that ends in \.npy"):
        write_heat(found, tmp_path / "a.png")


def test_what_cannot_be_localized_is_refused() -> None:
    with pytest.raises(IsthmusError, match="not of audio: localize it densely"):
        ProposalLocalizer(ENCODER).parts(["a.wav"], "audio")
    with pytest.raises(IsthmusError, match=r"no encoder takes audio \(colour: text, image\)"):
        DenseLocalizer(ENCODER).queries(["a.wav"], "audio")
    with pytest.raises(IsthmusError, match="cannot be compared without a connector"):
        JointEncoder((colour_space(), colour_space()))
