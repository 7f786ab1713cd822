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
from isthmus.connectors.graph.joint import canonical_maps, moments_of
from isthmus.connectors.graph.overlap_tree import by_space, overlap_tree
from isthmus.connectors.methods.closed_forms import canonical_axes, moments

OPTIONS = {"projector": "two-mlps"}


@pytest.fixture(scope="module")
def spaces() -> three_spaces.ThreeSpaces:
    return three_spaces.draw()


@pytest.fixture(scope="module")
def star(spaces: three_spaces.ThreeSpaces) -> isthmus.SpaceGraph:
    return isthmus.connect_graph(spaces.sets, method="exmcr", base="clip", **OPTIONS)


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


@pytest.mark.slow
def test_a_star_connects_them_too_and_keeps_its_base(
    star: isthmus.SpaceGraph, spaces: three_spaces.ThreeSpaces
) -> None:
    assert recall(star, spaces) > 0.6
    images = spaces.sets[0]["image"]
    assert star.project(images) is images
    assert star.space == "clip"
    assert star.path("clap", "ulip") == [("clap", "text", "clip"), ("clip", "image", "ulip")]


@pytest.mark.slow
def test_leaves_added_later_leave_the_others_as_they_are(
    star: isthmus.SpaceGraph, spaces: three_spaces.ThreeSpaces, tmp_path: Path
) -> None:
    first = isthmus.connect_graph(spaces.sets[:2], method="exmcr", base="clip", **OPTIONS)
    before = first.project(spaces.audio).vectors.tobytes()
    first.save(tmp_path / "star")
    weights = (tmp_path / "star" / "leg_0" / "model.safetensors").read_bytes()
    grown = isthmus.connect_graph([spaces.sets[0], spaces.sets[2]], method="exmcr", onto=first, **OPTIONS)
    grown.save(tmp_path / "star")
    again = isthmus.SpaceGraph.load(tmp_path / "star")
    assert again.spaces == ["clip", "clap", "ulip"]
    assert again.project(spaces.audio).vectors.tobytes() == before
    assert (tmp_path / "star" / "leg_0" / "model.safetensors").read_bytes() == weights
    assert again.project(spaces.points).vectors.tobytes() == star.project(spaces.points).vectors.tobytes()


@pytest.mark.slow
def test_a_leaf_of_a_leaf_is_mapped_through_both(spaces: three_spaces.ThreeSpaces) -> None:
    graph = isthmus.connect_graph(spaces.sets, method="exmcr", base="clap", **OPTIONS)
    assert graph.path("ulip", "clap") == [("ulip", "image", "clip"), ("clip", "text", "clap")]
    by_hand = graph.legs[0].project(
        isthmus.Embeddings.from_array(graph.legs[1].project(spaces.points).vectors, modality="points", space="clip")
    )
    np.testing.assert_allclose(graph.project(spaces.points).vectors, by_hand.vectors, atol=1e-6)
    assert recall(graph, spaces) > 0.5


def test_for_two_spaces_the_joint_maps_are_canonical_axes() -> None:
    draw = torch.Generator().manual_seed(0)
    latent = torch.randn(500, 5, generator=draw)
    left = latent @ torch.randn(5, 9, generator=draw) + 0.1 * torch.randn(500, 9, generator=draw)
    right = latent @ torch.randn(5, 7, generator=draw) + 0.1 * torch.randn(500, 7, generator=draw)
    maps = canonical_maps(moments_of([{"a": left, "b": right}]), 0.01, 1.0)
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


@pytest.mark.slow
def test_mixtures_weigh_unit_rows(star: isthmus.SpaceGraph, spaces: three_spaces.ThreeSpaces) -> None:
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
