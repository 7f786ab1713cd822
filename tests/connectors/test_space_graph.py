"""Graphs of spaces: modalities without a shared space meet through two overlaps; a star keeps its base and grows."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import isthmus
import three_spaces
from isthmus.base.errors import IsthmusError
from isthmus.cli import main
from isthmus.connectors.graph.joint import JointBlock, canonical_maps, moments_of
from isthmus.connectors.graph.overlap_tree import by_space, overlap_tree
from isthmus.connectors.graph.space_graph import renamed
from isthmus.connectors.methods.closed_forms import canonical_axes, moments

QUICK = {
    "projector": "two-mlps",
    "temperature": 0.1,
    "noise_variance": 0.01,
    "optimisation": {"epochs": 1, "min_steps": 200, "batch_size": 200, "learning_rate": 5e-3},
}
SHORT = {"projector": "linear", "optimisation": {"epochs": 1, "min_steps": 2, "batch_size": 64}}
SHORT_MLPS = {**SHORT, "projector": "two-mlps"}


@pytest.fixture(scope="module")
def spaces() -> three_spaces.ThreeSpaces:
    return three_spaces.draw()


def recall(graph: isthmus.SpaceGraph, spaces: three_spaces.ThreeSpaces) -> float:
    """R@1 of points by audio, which share no space."""
    audio, points = graph.project(spaces.audio).vectors, graph.project(spaces.points).vectors
    return float(((audio @ points.T).argmax(1) == np.arange(len(audio))).mean())


def test_overlaps_are_found_by_their_ids(spaces: three_spaces.ThreeSpaces) -> None:
    tree = overlap_tree(by_space(spaces.sets), "ulip")
    assert [(edge.parent, edge.overlap, edge.leaf) for edge in tree] == [
        ("ulip", "image", "clip"),
        ("clip", "text", "clap"),
    ]
    with pytest.raises(IsthmusError, match=r"'clap' shares no modality with ulip"):
        overlap_tree(by_space([spaces.sets[2], spaces.sets[1]]), "ulip")


@pytest.mark.parametrize("method", ["auto", "cca"])
def test_a_joint_space_connects_modalities_without_a_shared_space(
    spaces: three_spaces.ThreeSpaces, method: str
) -> None:
    graph = isthmus.connect_graph(spaces.sets, method=method)
    assert recall(graph, spaces) > 0.8
    projected = [graph.project(own) for sets in spaces.sets for own in sets.values()]
    assert {part.space for part in projected} == {graph.space}


def in_other_orders(sets: list[three_spaces.Set]) -> list[list[three_spaces.Set]]:
    """The same sets with the keys of each, the sets, or both the other way round."""
    turned = [dict(reversed(own.items())) for own in sets]
    return [turned, sets[::-1], turned[::-1]]


@pytest.mark.parametrize("method", ["auto", "cca"])
def test_the_order_of_sets_and_of_their_keys_changes_nothing(spaces: three_spaces.ThreeSpaces, method: str) -> None:
    uneven = [{**spaces.sets[0], "depth": spaces.sets[0]["image"].take(np.arange(80))}, *spaces.sets[1:]]
    uneven[0]["depth"] = isthmus.Embeddings.from_array(
        uneven[0]["depth"].vectors, modality="depth", space="clip", ids=[f"d{row}" for row in range(80)]
    )
    expected = isthmus.connect_graph(uneven, method=method, base="clip")
    for number, sets in enumerate(in_other_orders(uneven)):
        graph = isthmus.connect_graph(sets, method=method, base="clip")
        assert graph.space == expected.space
        for own in (spaces.audio, spaces.points, uneven[0]["depth"]):
            assert np.array_equal(graph.project(own).vectors, expected.project(own).vectors), number


def test_the_base_of_a_joint_graph_names_it_only(spaces: three_spaces.ThreeSpaces) -> None:
    cosines = []
    for base in ("clip", "clap", "ulip"):
        graph = isthmus.connect_graph(spaces.sets, method="cca", base=base)
        cosines.append(graph.project(spaces.audio).vectors @ graph.project(spaces.points).vectors.T)
    np.testing.assert_allclose(cosines[1], cosines[0], atol=1e-4)
    np.testing.assert_allclose(cosines[2], cosines[0], atol=1e-4)


def test_the_order_of_keys_changes_no_connector(spaces: three_spaces.ThreeSpaces) -> None:
    found = [
        isthmus.connect(*(dict(order(own.items())) for own in spaces.sets[:2]), method="cca")
        for order in (list, reversed)
    ]
    assert found[0].space == found[1].space


@pytest.mark.slow
def test_a_star_connects_them_too_and_keeps_its_base(spaces: three_spaces.ThreeSpaces) -> None:
    star = isthmus.connect_graph(spaces.sets, method="exmcr", base="clip", **QUICK)
    assert recall(star, spaces) > 0.6
    images = spaces.sets[0]["image"]
    assert star.project(images) is images
    assert star.space == "clip"
    assert star.path("clap", "ulip") == [("clap", "text", "clip"), ("clip", "image", "ulip")]


@pytest.mark.slow
def test_leaves_added_later_leave_the_others_as_they_are(spaces: three_spaces.ThreeSpaces, tmp_path: Path) -> None:
    star, first = (
        isthmus.connect_graph(sets, method="exmcr", base="clip", **SHORT_MLPS)
        for sets in (spaces.sets, spaces.sets[:2])
    )
    before = first.project(spaces.audio).vectors.tobytes()
    first.save(tmp_path / "star")
    weights = (tmp_path / "star" / "leg_0" / "model.safetensors").read_bytes()
    grown = isthmus.connect_graph([spaces.sets[0], spaces.sets[2]], method="exmcr", onto=first, **SHORT_MLPS)
    grown.save(tmp_path / "star")
    again = isthmus.SpaceGraph.load(tmp_path / "star")
    assert again.spaces == ["clip", "clap", "ulip"]
    assert again.project(spaces.audio).vectors.tobytes() == before
    assert (tmp_path / "star" / "leg_0" / "model.safetensors").read_bytes() == weights
    assert again.project(spaces.points).vectors.tobytes() == star.project(spaces.points).vectors.tobytes()


def short_star(spaces: three_spaces.ThreeSpaces, seed: int, sets: int = 3) -> isthmus.SpaceGraph:
    return isthmus.connect_graph(spaces.sets[:sets], method="exmcr", base="clip", seed=seed, **SHORT)


def test_two_stars_do_not_mix_and_both_meet_the_stored_base(spaces: three_spaces.ThreeSpaces, tmp_path: Path) -> None:
    first, second = (short_star(spaces, seed) for seed in (0, 1))
    audio, points = first.project(spaces.audio), second.project(spaces.points)
    for gallery, queries in ((audio, points), (points, audio), (audio, second.project(spaces.audio))):
        with pytest.raises(IsthmusError, match="project both with the same connector first"):
            isthmus.Index(gallery).search(queries)
    assert first.project(spaces.audio).space == first.project(spaces.points).space != points.space
    stored = isthmus.Embeddings.open(spaces.sets[0]["image"].save(tmp_path / "stored"))
    for star in (first, second):
        assert len(isthmus.Index(stored).search(star.project(spaces.audio), k=1)) == len(spaces.audio)
        assert len(isthmus.Index(star.project(spaces.points)).search(stored, k=1)) == len(stored)
    again = isthmus.Embeddings.open(audio.save(tmp_path / "mapped"))
    assert len(isthmus.Index(again).search(first.project(spaces.points), k=1)) == len(spaces.points)


def test_vectors_stay_valid_when_their_star_grows(spaces: three_spaces.ThreeSpaces) -> None:
    star = short_star(spaces, 0, sets=2)
    before = star.project(spaces.audio)
    grown = isthmus.connect_graph([spaces.sets[0], spaces.sets[2]], method="exmcr", onto=star, **SHORT)
    assert len(isthmus.Index(before).search(grown.project(spaces.points), k=1)) == len(spaces.points)
    leg = star.legs[0].project(spaces.audio)
    assert leg.space == before.space
    assert np.array_equal(leg.vectors, before.vectors)


def test_a_leaf_of_mapped_vectors_meets_the_first_base_too(spaces: three_spaces.ThreeSpaces) -> None:
    star = short_star(spaces, 0, sets=2)
    mapped = {name: star.project(own) for name, own in spaces.sets[1].items()}
    other = {name: renamed(own, "other") for name, own in spaces.sets[1].items()}
    connector = isthmus.connect(mapped, other, method="exmcr", base="left", **SHORT)
    leaf = connector.project(other["audio"])
    for stored in (spaces.sets[0]["image"], mapped["audio"]):
        assert len(isthmus.Index(stored).search(leaf, k=1)) == len(leaf)


@pytest.mark.parametrize("name", ["clap, music", "clap,music", "clip via clap#979c9c55"])
def test_a_leaf_whose_name_would_be_read_as_something_else_is_refused(
    spaces: three_spaces.ThreeSpaces, name: str
) -> None:
    leaf = {modality: renamed(own, name) for modality, own in spaces.sets[1].items()}
    with pytest.raises(IsthmusError, match=rf"^space '{name}' cannot be mapped into another: .* must not contain ','"):
        isthmus.connect(spaces.sets[0], leaf, method="exmcr", **SHORT)
    with pytest.raises(IsthmusError, match=f"^space '{name}' cannot be mapped into another"):
        isthmus.connect_graph([spaces.sets[0], leaf, spaces.sets[2]], method="exmcr", **SHORT)
    kept = isthmus.connect(spaces.sets[0], leaf, method="exmcr", base="right", **SHORT)
    assert len(isthmus.Index(leaf["audio"]).search(kept.project(spaces.sets[0]["image"]), k=1)) == 600


@pytest.mark.parametrize("base", ["left", "right"])
def test_exmcr_of_two_spaces_takes_stored_vectors_of_its_base(spaces: three_spaces.ThreeSpaces, base: str) -> None:
    left, right = spaces.sets[:2]
    connector = isthmus.connect(left, right, method="exmcr", base=base, **SHORT)
    kept, mapped = (left["image"], right["audio"]) if base == "left" else (right["audio"], left["image"])
    assert connector.base == kept.space
    assert connector.project(kept) is kept
    leaf = connector.project(mapped)
    assert len(isthmus.Index(kept).search(leaf, k=1)) == len(mapped)
    assert connector.estimate(leaf, kept).gallery == len(kept)
    with pytest.raises(IsthmusError, match="project both with the same connector first"):
        isthmus.Index(mapped).search(leaf)


def test_a_connector_without_a_base_takes_no_stored_vectors(spaces: three_spaces.ThreeSpaces) -> None:
    connector = isthmus.connect(*spaces.sets[:2], method="cca")
    assert connector.base is None
    with pytest.raises(IsthmusError, match="project both with the same connector first"):
        isthmus.Index(connector.project(spaces.audio)).search(spaces.sets[0]["image"])


def test_a_leaf_of_a_leaf_is_mapped_through_both(spaces: three_spaces.ThreeSpaces) -> None:
    graph = isthmus.connect_graph(spaces.sets, method="exmcr", base="clap", **SHORT)
    assert graph.path("ulip", "clap") == [("ulip", "image", "clip"), ("clip", "text", "clap")]
    by_hand = graph.legs[0].project(
        isthmus.Embeddings.from_array(graph.legs[1].project(spaces.points).vectors, modality="points", space="clip")
    )
    np.testing.assert_allclose(graph.project(spaces.points).vectors, by_hand.vectors, atol=1e-6)


def test_for_two_spaces_the_joint_maps_are_canonical_axes() -> None:
    draw = torch.Generator().manual_seed(0)
    latent = torch.randn(500, 5, generator=draw)
    left = latent @ torch.randn(5, 9, generator=draw) + 0.1 * torch.randn(500, 9, generator=draw)
    right = latent @ torch.randn(5, 7, generator=draw) + 0.1 * torch.randn(500, 7, generator=draw)
    maps = canonical_maps(moments_of([JointBlock({"a": left, "b": right})]), 0.01, 1.0)
    axes = canonical_axes(moments([(left, right)]), (0.01, 0.01))
    for own, expected in ((maps["a"], axes.weighted(1.0)[0]), (maps["b"], axes.weighted(1.0)[1])):
        ours, theirs = own.double() * 2**0.5, expected.double()
        torch.testing.assert_close(ours @ ours.T, theirs @ theirs.T, rtol=1e-3, atol=1e-4)


def test_a_saved_graph_loads_and_names_an_altered_leg(spaces: three_spaces.ThreeSpaces, tmp_path: Path) -> None:
    graph = isthmus.connect_graph(spaces.sets, method="cca")
    again = isthmus.SpaceGraph.load(graph.save(tmp_path / "joint"))
    assert again.space == graph.space
    assert np.array_equal(again.project(spaces.points).vectors, graph.project(spaces.points).vectors)
    (tmp_path / "joint" / "leg_1" / "model.safetensors").write_bytes(b"altered")
    with pytest.raises(IsthmusError, match="leg_1"):
        isthmus.SpaceGraph.load(tmp_path / "joint")


def test_mixtures_weigh_unit_rows(spaces: three_spaces.ThreeSpaces) -> None:
    star = short_star(spaces, 0)
    own, lent = (star.project(spaces.sets[number]["text"]) for number in (0, 1))
    mixed = isthmus.mix_embeddings([own, lent], [3.0, 1.0])
    expected = 3 * own.vectors.astype(np.float64) + lent.vectors
    np.testing.assert_allclose(mixed.vectors, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(isthmus.mix_embeddings([own, lent], [1.0, 0.0]).vectors, own.vectors, atol=1e-6)
    for parts, weights, says in (
        ([own, spaces.sets[1]["text"]], [1.0, 1.0], "project them first"),
        ([own, lent], [0.0, 0.0], "give one number, 0 or more"),
        ([own, lent], [1.0], "give one number, 0 or more"),
    ):
        with pytest.raises(IsthmusError, match=says):
            isthmus.mix_embeddings(parts, weights)


def test_the_command_joins_three_sets_and_searches_through_them(
    spaces: three_spaces.ThreeSpaces, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [str(tmp_path / f"set{number}") for number in range(3)]
    for folder, own in zip(folders, spaces.sets, strict=True):
        for embeddings in own.values():
            embeddings.save(folder)
    main(["connect", *folders, "--out", str(tmp_path / "graph")])
    said = capsys.readouterr().out
    assert "clap to ulip: clap -(text)-> clip -(image)-> ulip" in said
    main(
        ["search", str(tmp_path / "graph"), "--queries", folders[1], "--gallery", folders[2], "--ids", "a3", "--k", "2"]
    )
    hits = json.loads(capsys.readouterr().out)
    assert hits["query"] == "a3"
    assert all(hit["id"].startswith("p") for hit in hits["hits"])


@pytest.mark.parametrize(("method", "says"), [("ridge", "connects two spaces"), ("nothing", "unknown method")])
def test_methods_for_two_are_refused(spaces: three_spaces.ThreeSpaces, method: str, says: str) -> None:
    with pytest.raises(IsthmusError, match=says):
        isthmus.connect_graph(spaces.sets, method=method)


def test_graphs_have_scores_of_unrelated_items_of_modalities_that_share_no_space(
    spaces: three_spaces.ThreeSpaces, tmp_path: Path
) -> None:
    star = short_star(spaces, 0)
    for graph in (isthmus.connect_graph(spaces.sets, method="cca"), star):
        assert isthmus.SpaceGraph.load(graph.save(tmp_path / graph.kind)).scores == graph.scores
        audio, points = graph.project(spaces.audio), graph.project(spaces.points)
        pair = (graph.scores.name_of(audio), graph.scores.name_of(points))
        assert pair == ("audio", "points")
        cosines = audio.vectors @ points.vectors.T
        unrelated = cosines[~np.eye(len(cosines), dtype=bool)]
        assert (unrelated >= graph.scores.cutoff(0.05, pair)).mean() == pytest.approx(0.05, rel=0.3)
        text = graph.project(spaces.sets[1]["text"])
        assert graph.scores.name_of(text) == "text of clap"
    grown = short_star(spaces, 0, sets=2)
    assert "points" not in grown.scores.modalities
