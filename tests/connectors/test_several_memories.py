"""Several memories on one side are one memory, each part centred by itself."""

from pathlib import Path

import numpy as np
import pytest
import torch

import isthmus
from isthmus import Connector, Embeddings
from isthmus.connectors.overlap.centring import centred_memory, memory_sample
from isthmus.connectors.overlap.materials import assemble
from isthmus.connectors.overlap.rows import read
from isthmus.worlds.world import World
from worlds.synthetic import SyntheticRecipe, synthetic_world

Set = dict[str, Embeddings]


@pytest.fixture(scope="module")
def world() -> World:
    recipe = SyntheticRecipe(texts=300, memory=800, gallery=300, text_noise=(1.0, 1.0))
    return synthetic_world("several", recipe, seed=4)


def split(own: Set, rows: np.ndarray, shift: np.ndarray | float = 0.0) -> Set:
    """The image memory in two: the given rows remain images, the others become videos, shifted."""
    images = own["image"]
    video = np.setdiff1d(np.arange(len(images)), rows)
    vectors = np.asarray(images.vectors)[video] + shift
    return {
        "text": own["text"],
        "image": images.take(rows),
        "video": Embeddings.from_array(vectors, modality="video", space=images.space),
    }


def mrr(connector: Connector, world: World) -> float:
    gallery = world.galleries["test"]
    found = isthmus.metrics.retrieval(
        connector.project(gallery.left),
        connector.project(gallery.right),
        (gallery.left_concepts, gallery.right_concepts),
    )
    return found.mrr


def test_without_centring_two_memories_give_the_maps_of_one_with_the_same_items(world: World) -> None:
    options = {"method": "cca", "centring": "none", "pair_weights": "equal"}
    halves = split(world.left, np.arange(0, 800, 2))
    one, two = (isthmus.connect(left, world.right, **options) for left in (world.left, halves))
    gallery = world.galleries["test"]
    for side in (gallery.left, gallery.right):
        np.testing.assert_allclose(two.project(side).vectors, one.project(side).vectors, atol=2e-3)


def test_each_memory_is_centred_by_itself_so_a_gap_between_them_does_not_matter(world: World) -> None:
    shift = np.random.default_rng(0).standard_normal(world.left["image"].dim)
    shift *= 0.5 / np.linalg.norm(shift)
    halves = split(world.left, np.arange(0, 800, 2), shift)
    level = split(world.left, np.arange(0, 800, 2))
    one, apart, alike = (
        mrr(isthmus.connect(left, world.right, method="cca", centring="mean"), world)
        for left in (world.left, halves, level)
    )
    assert apart == pytest.approx(alike, abs=0.02)
    assert apart == pytest.approx(one, abs=0.05)


def test_two_memories_that_each_cover_half_of_the_content_are_better_than_one(world: World) -> None:
    vectors = np.asarray(world.left["image"].vectors)
    leading = np.linalg.svd(vectors - vectors.mean(0), full_matrices=False)[2][0]
    halves = split(world.left, np.flatnonzero((vectors - vectors.mean(0)) @ leading > 0))
    both = isthmus.connect(halves, world.right, method="cca")
    image_only = isthmus.connect({"text": halves["text"], "image": halves["image"]}, world.right, method="cca")
    assert mrr(both, world) > mrr(image_only, world) + 0.01
    gaps = {gap.modalities for gap in both.report.gaps}
    assert {("text", "image"), ("text", "video"), ("image", "audio"), ("video", "audio")} <= gaps
    (entry,) = [entry for entry in both.report.coverage if entry.space == world.left["text"].space]
    assert entry.rows == 800
    assert set(entry.modality.split(" and ")) == {"image", "video"}


def test_the_sample_has_rows_of_each_memory_in_proportion_to_its_size(world: World) -> None:
    side = assemble(split(world.left, np.arange(600)), world.right, "text").left
    own = {"image": torch.full((128,), 0.01), "video": torch.full((128,), -0.02)}
    whole = read(centred_memory(side, own), torch.device("cpu"))
    found = memory_sample(side, own, 80)
    assert [len(rows) for _, rows in side.spaced_items(80)] == [60, 20]
    expected = np.concatenate([np.linspace(0, 599, 60).astype(int), 600 + np.linspace(0, 199, 20).astype(int)])
    torch.testing.assert_close(found, whole[expected])


@pytest.mark.slow
@pytest.mark.parametrize("method", ["cmcr", "exmcr"])
def test_trained_methods_take_several_memories(method: str, world: World, tmp_path: Path) -> None:
    halves = split(world.left, np.arange(0, 800, 2))
    short = {"epochs": 1, "min_steps": 40}
    options = {"base": "right"} if method == "exmcr" else {}
    connector = isthmus.connect(halves, world.right, method=method, optimisation=short, centring="mean", **options)
    loaded = Connector.load(connector.save(tmp_path / "joint"))
    for modality in ("text", "image", "video"):
        projected = loaded.project(halves[modality])
        np.testing.assert_array_equal(projected.vectors, connector.project(halves[modality]).vectors)
    assert connector.report.overlap_mrr > connector.report.chance_mrr


def test_the_report_has_the_gap_of_every_memory(world: World) -> None:
    left = split(world.left, np.arange(0, 800, 2), shift=0.1)
    report = isthmus.connect(left, world.right, method="procrustes").report
    assert report is not None
    gaps = {gap.modalities[1]: gap for gap in report.gaps if gap.space == left["text"].space}
    row = next(line for line in report.lines() if line.startswith(f"{left['text'].space} image and video"))
    for modality in ("image", "video"):
        assert f"{gaps[modality].before:.2f}" in row
        assert f"{gaps[modality].after:.2f}" in row
