"""`isthmus.connect` and `Connector` from the user's side: results, refusals, files."""

import importlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import isthmus
from isthmus import Connector, Embeddings, IsthmusError
from isthmus.base.progress import Progress
from isthmus.connectors.choosing.auto import TRAINED
from isthmus.connectors.config import CcaConfig
from isthmus.training.config import OptimisationConfig
from isthmus.worlds.world import World
from worlds.synthetic import SyntheticRecipe, synthetic_world

METHODS = ("procrustes", "ridge", "cca", "auto")


@pytest.fixture(scope="module")
def world() -> World:
    return synthetic_world("small", SyntheticRecipe(texts=600, memory=500, gallery=100), seed=1)


@pytest.fixture(scope="module")
def connector(world: World) -> Connector:
    return isthmus.connect(world.left, world.right, method="cca")


@pytest.fixture(scope="module")
def auto(world: World) -> Connector:
    return isthmus.connect(world.left, world.right, method="auto", seed=3)


def found_first(connector: Connector, world: World) -> float:
    gallery = world.galleries["test"]
    left, right = connector.project(gallery.left), connector.project(gallery.right)
    labels = (gallery.left_concepts, gallery.right_concepts)
    return isthmus.metrics.retrieval(left, right, relevant=labels).recall[1]


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_counterparts_it_never_saw_paired(method: str, world: World) -> None:
    connector = isthmus.connect(world.left, world.right, method=method)
    assert found_first(connector, world) > 0.4
    assert connector.report is not None
    assert connector.report.overlap_mrr > 10 * connector.report.chance_mrr


@pytest.mark.slow
def test_auto_is_not_worse_than_the_plain_closed_forms(auto: Connector, world: World) -> None:
    assert found_first(auto, world) >= found_first(isthmus.connect(world.left, world.right, method="procrustes"), world)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_connector(auto: Connector, world: World) -> None:
    again = isthmus.connect(world.left, world.right, method="auto", seed=3)
    assert again.space == auto.space
    np.testing.assert_array_equal(again.project(world.left["image"]).vectors, auto.project(world.left["image"]).vectors)


def test_saved_and_loaded_it_is_the_same_connector(connector: Connector, world: World, tmp_path: Path) -> None:
    loaded = Connector.load(connector.save(tmp_path / "joint"))
    assert loaded.space == connector.space
    assert loaded.report == connector.report
    np.testing.assert_array_equal(
        loaded.project(world.right["audio"]).vectors, connector.project(world.right["audio"]).vectors
    )
    card = (tmp_path / "joint" / "README.md").read_text()
    assert "`left`" in card
    assert "cca" in card


@pytest.mark.slow
def test_cosines_of_a_blend_are_the_weighted_mean_of_its_members_in_fewer_dimensions(world: World) -> None:
    blend = isthmus.connect(world.left, world.right, method="auto")
    gallery = world.galleries["test"]
    joint = blend.project(gallery.left).vectors @ blend.project(gallery.right).vectors.T
    alone, wide = [], 0
    for member in blend.members:
        single = Connector("left", "right", "text", (member,), (1.0,))
        alone.append(single.project(gallery.left).vectors @ single.project(gallery.right).vectors.T)
        wide += single.dim
    np.testing.assert_allclose(joint, np.average(alone, axis=0, weights=blend.weights), atol=5e-3)
    assert blend.dim < wide / 2
    assert blend.project(gallery.left).dim == blend.dim


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.0, 0.25])
def test_a_trained_member_is_tried_where_texts_are_many(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    brief = replace(TRAINED, optimisation=OptimisationConfig(epochs=1, min_steps=5))
    monkeypatch.setattr(importlib.import_module("isthmus.connectors.connect"), "TRAINED", brief)
    many = synthetic_world("many", SyntheticRecipe(texts=2600, memory=300, dims=(32, 24), content=12), seed=1)
    connector = isthmus.connect(many.left, many.right, trained_share=share)
    assert ("trained" in connector.choice["tried"]) == (share > 0)
    if share > 0:
        tried = connector.choice["tried"]["trained"]
        joined = connector.members[-1].method == "cmcr"
        expected = connector.weights[-1] / sum(connector.weights) if joined else 0
        assert tried["share"] == pytest.approx(expected, abs=1e-4)


def test_unpaired_overlap_rows_are_dropped_and_counted(world: World) -> None:
    texts = world.right["text"]
    fewer = texts.take(np.arange(100, 600))
    with pytest.warns(UserWarning, match="dropped 100 text rows without a counterpart; 500 pairs remain"):
        isthmus.connect(world.left, {**world.right, "text": fewer}, method="procrustes")


def test_overlap_rows_correspond_by_id_not_by_order(connector: Connector, world: World) -> None:
    shuffled = world.right["text"].take(np.random.default_rng(0).permutation(600))
    again = isthmus.connect(world.left, {**world.right, "text": shuffled}, method="cca")
    assert found_first(again, world) == pytest.approx(found_first(connector, world), abs=0.03)


def test_without_a_memory_the_overlap_alone_connects(world: World) -> None:
    with pytest.warns(UserWarning, match="the right side has no memory"):
        connector = isthmus.connect(world.left, {"text": world.right["text"]}, method="auto")
    assert connector.report is not None
    assert connector.report.bands == ()
    assert connector.report.no_estimate == "a space has no memory: add one"


def renamed(side: Mapping[str, Embeddings], space: str) -> dict[str, Embeddings]:
    return {
        name: Embeddings.from_array(rows.vectors, modality=name, space=space, ids=rows.ids)
        for name, rows in side.items()
    }


def test_input_that_cannot_be_connected_is_refused_in_one_line(world: World) -> None:
    left, right = dict(world.left), dict(world.right)
    other_ids = Embeddings.from_array(
        right["text"].vectors, modality="text", space="right", ids=[f"x{i}" for i in range(600)]
    )
    few = {**right, "text": right["text"].take(np.arange(5))}
    cases = [
        (lambda: isthmus.connect(left, right, overlap="image"), "the right side has no 'image'"),
        (lambda: isthmus.connect(left, renamed(right, "left")), "both sides are in space 'left'"),
        (lambda: isthmus.connect(left, {**right, "text": other_ids}), "no text id is on both sides"),
        (lambda: isthmus.connect({**left, "video": left["image"]}, right), "make key and modality the same"),
        (lambda: isthmus.connect({**left, "image": left["image"].take(np.arange(2))}, right), "memory has 2 items"),
        (lambda: isthmus.connect(left, right, method="umap"), "unknown method 'umap'"),
        (lambda: isthmus.connect(left, right, method="cca", powr=2), "no option 'powr'"),
        (lambda: isthmus.connect(left, right, method="cca", penalty=-1.0), "penalty must be above 0"),
        (lambda: isthmus.connect(left, right, method="cca", penalty=float("inf")), "penalty must be a finite number"),
        (
            lambda: isthmus.connect(left, right, method="cca", source="foo"),
            "source must be one of overlap, pseudo, both",
        ),
        (lambda: isthmus.connect(left, right, trained_share="a"), "trained-share must be a finite number"),
        (lambda: isthmus.connect(left, right, method="cmcr", min_steps=3), "write optimisation="),
        (lambda: isthmus.connect(left, right, method="cmcr", optimisation={"steps": 3}), "unknown option 'steps'"),
        (
            lambda: isthmus.connect(left, right, method="cmcr", device="gpu9"),
            "device 'gpu9' is not supported",
        ),
        (lambda: isthmus.connect(left, right, seed=-1), "seed -1: pass an integer"),
        (lambda: isthmus.connect(left, right, method=CcaConfig(), power=2.0), "not both \\(got config and 'power'\\)"),
    ]
    for attempt, message in cases:
        with pytest.raises(IsthmusError, match=message) as caught:
            attempt()
        assert "\n" not in str(caught.value)
    with (
        pytest.warns(UserWarning, match="without a counterpart"),
        pytest.raises(IsthmusError, match="only 5 text rows are on both sides"),
    ):
        isthmus.connect(left, few)


def test_vectors_of_another_space_or_dimension_are_refused(connector: Connector, world: World) -> None:
    stranger = renamed({"image": world.left["image"]}, "siglip")["image"]
    with pytest.raises(IsthmusError, match="are of space 'siglip'"):
        connector.project(stranger)
    short = Embeddings.from_array(np.eye(5, dtype=np.float32), modality="image", space="left")
    with pytest.raises(IsthmusError, match="have 5 dimensions, space 'left' has 128"):
        connector.project(short)


def test_damaged_files_are_named(connector: Connector, tmp_path: Path) -> None:
    folder = connector.save(tmp_path / "joint")
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-10])
    with pytest.raises(IsthmusError, match=r"model\.safetensors: cut short or altered"):
        Connector.load(folder)
    weights.unlink()
    with pytest.raises(IsthmusError, match=r"model\.safetensors: not found"):
        Connector.load(folder)
    (folder / "config.json").write_text('{"format": "other"}')
    with pytest.raises(IsthmusError, match="not an isthmus connector"):
        Connector.load(folder)
    with pytest.raises(IsthmusError, match=r"config\.json: not found"):
        Connector.load(tmp_path / "nowhere")


@pytest.mark.slow
def test_the_config_on_disk_says_what_was_asked_and_chosen(world: World, tmp_path: Path) -> None:
    isthmus.connect(world.left, world.right, seed=4).save(tmp_path / "joint")
    config = json.loads((tmp_path / "joint" / "config.json").read_text())
    asked = {"trained_share": 0.5, "bridge_share": 0.5, "precision": "auto", "joint_dim": None, "time_budget": 90.0}
    assert config["config"] == {"method": "auto", "seed": 4, **asked}
    assert len(config["members"]) == len(config["choice"]["members"]) == 6


@pytest.mark.slow
def test_connectors_that_cannot_be_trusted_get_no_band_and_say_so(world: World) -> None:
    shuffled = Embeddings.from_array(
        world.right["text"].vectors,
        modality="text",
        space="right",
        ids=[world.right["text"].ids[row] for row in np.random.default_rng(0).permutation(600)],
    )
    with pytest.warns(UserWarning, match="as force asks"):
        report = isthmus.connect(world.left, {**world.right, "text": shuffled}, force=True).report
    assert report is not None
    assert report.bands == ()
    assert "no better than by chance" in " ".join(report.verdict)
    assert "good" not in " ".join(report.verdict)


@pytest.mark.filterwarnings("ignore:2 different rows are too few to tell", "ignore:the image memory of 'left' varies")
def test_texts_alike_but_for_one_are_not_taken_for_found_counterparts(world: World) -> None:
    rows = np.ones((600, 128))
    rows[0, :64] = -1
    alike = Embeddings.from_array(rows, modality="text", space="left", ids=world.left["text"].ids)
    report = isthmus.connect({**world.left, "text": alike}, world.right, method="procrustes").report
    assert report is not None
    assert not report.beats_chance


@pytest.mark.slow
def test_more_overlap_rows_than_the_sample_holds_still_connect(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("isthmus.connectors.connect")
    monkeypatch.setattr(module, "FITTED_ROWS", 150)
    monkeypatch.setattr(module, "JUDGED_ROWS", 100)
    for method in ("auto", "cca"):
        connector = isthmus.connect(world.left, world.right, method=method)
        assert connector.report is not None
        assert connector.report.held_out == 120
        assert found_first(connector, world) > 0.4


def test_a_modality_that_was_never_connected_is_refused(connector: Connector, world: World) -> None:
    stranger = Embeddings.from_array(world.left["image"].vectors, modality="img", space="left")
    with pytest.raises(IsthmusError, match="'img' of space 'left' was not connected: pass image or text"):
        connector.project(stranger)


def test_pseudo_pairs_without_a_memory_are_refused(world: World) -> None:
    with pytest.warns(UserWarning, match="no memory"), pytest.raises(IsthmusError, match="need a memory on both sides"):
        isthmus.connect({"text": world.left["text"]}, world.right, method="cca", source="pseudo")


def test_exmcr_leaves_the_base_bit_for_bit(world: World) -> None:
    made = isthmus.connect(world.left, world.right, method="exmcr", optimisation={"epochs": 1, "min_steps": 2})
    np.testing.assert_array_equal(made.project(world.left["image"]).vectors, world.left["image"].vectors)


@pytest.mark.parametrize("key", ["members", "weights", "left_space", "config", "sha256"])
def test_a_description_without_a_part_is_refused(key: str, connector: Connector, tmp_path: Path) -> None:
    path = connector.save(tmp_path / "joint") / "config.json"
    content = json.loads(path.read_text())
    del content[key]
    path.write_text(json.dumps(content))
    with pytest.raises(IsthmusError, match="copy or save"):
        Connector.load(tmp_path / "joint")


@pytest.mark.slow
def test_a_description_that_does_not_fit_its_weights_is_refused(world: World, tmp_path: Path) -> None:
    blend = isthmus.connect(world.left, world.right, trained_share=0.0)
    path = blend.save(tmp_path / "joint") / "config.json"
    content = json.loads(path.read_text())
    content["weights"][0] *= 5
    path.write_text(json.dumps(content))
    with pytest.raises(IsthmusError, match="altered"):
        Connector.load(tmp_path / "joint")


@pytest.mark.parametrize("method", ["procrustes", "cca", "auto"])
def test_every_stage_is_reported_and_the_first_before_any_work(
    method: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Progress] = []
    matching = importlib.import_module("isthmus.connectors.overlap.materials").matching_items
    reported_before = []

    def matched(*sets: Embeddings) -> tuple[np.ndarray, np.ndarray]:
        reported_before.append(len(seen))
        return matching(*sets)

    monkeypatch.setattr("isthmus.connectors.overlap.materials.matching_items", matched)
    isthmus.connect(world.left, world.right, method=method, progress=seen.append)
    assert reported_before == [1]
    stages = list(dict.fromkeys(now.stage for now in seen))
    assert stages[0] == "matching text rows"
    assert {"centring left", "centring right"} <= set(stages)
    assert stages[-2:] == ["measuring the report", "scores of unrelated items"]
    pairs = "pseudo pairs in left image and right audio"
    counts = [(now.done, now.total) for now in seen if now.stage == pairs]
    assert counts == {"procrustes": [], "cca": [(0, 480), (480, 480), (0, 120), (120, 120)]}.get(method, counts)
