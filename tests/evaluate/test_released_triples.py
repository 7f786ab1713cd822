"""The authors' head and their three triples of image, cloud and text: retrieval, as far as the files allow.

Their encoders' weights are not among the files: random ones show that the path is theirs, real ones what it finds.
"""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import isthmus
import tiny_checkpoints
from isthmus.cli import main
from isthmus.evaluate import read_result, zero_shot_accuracy
from isthmus.media import read_points
from isthmus.metrics import retrieval

NAMES = ("toilet", "BBQ", "train")
WEIGHTS = "ISTHMUS_ULIP_WEIGHTS"
CLOUDS_TO_IMAGES = np.array([[0.6783, 0.1781, 0.1436], [0.1193, 0.7866, 0.0941], [0.1319, 0.2170, 0.6512]])
"""Softmax over images of ten times the cosine: the output that the README of C-MCR says to expect."""
Spaces = dict[str, isthmus.Embeddings]


@pytest.fixture
def triples(shared_data: Path) -> Path:
    return shared_data / "cmcr_official"


def stored(triples: Path, field: str) -> np.ndarray:
    """A field of all three assets."""
    return np.stack([np.load(triples / f"{name}_nopickle.npz")[field] for name in NAMES])


def encoded(triples: Path, clip: str, ulip: str) -> Spaces:
    """The images and clouds in their own spaces."""
    images = [triples / f"{name}.jpeg" for name in NAMES]
    clouds = [triples / f"{name}_nopickle.npz" for name in NAMES]
    return {
        "image": isthmus.load_space(clip, device="cpu").encode(images, modality="image", ids=NAMES),
        "points": isthmus.load_space(ulip, device="cpu").encode(clouds, modality="points", ids=NAMES),
    }


def test_the_clouds_are_their_xyz_about_the_centroid(triples: Path) -> None:
    for name, xyz in zip(NAMES, stored(triples, "xyz").astype(np.float64), strict=True):
        centred = xyz - xyz.mean(0)
        expected = centred / np.sqrt((centred**2).sum(1).max())
        np.testing.assert_allclose(read_points(triples / f"{name}_nopickle.npz", 10_000), expected, atol=1e-6)


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Random weights under the names of the authors' encoders."""
    folder = tmp_path_factory.mktemp("encoders")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny_checkpoints, "DIM", 512)
        clip = tiny_checkpoints.write_clip(folder / "clip-vit-base-patch32")
    tiny_checkpoints.write_ulip(folder / "pointbert_ULIP-2.pt")
    return f"clip:{clip}", f"ulip:{folder / 'pointbert_ULIP-2.pt'}"


@pytest.mark.slow
def test_the_commands_of_both_3d_tasks_score_the_triples(
    triples: Path, tmp_path: Path, encoders: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder, suffix, file in (("points", ".npz", "_nopickle.npz"), ("images", ".jpeg", ".jpeg")):
        (tmp_path / "data" / folder).mkdir(parents=True)
        for name in NAMES:
            shutil.copy(triples / f"{name}{file}", tmp_path / "data" / folder / f"{name}{suffix}")
    lists = {
        "lvis-annotations.json": {name: [name] for name in NAMES},
        "labels.json": {"objaverse_lvis_openshape": NAMES},
        "templates.json": {"modelnet40_64": ["a {}", "a model of a {}"]},
    }
    for file, content in lists.items():
        (tmp_path / "data" / file).write_text(json.dumps(content))
    given = ["--connector", str(triples / "ulip_clip.pt"), "--data", "data", "--workers", "0", "--space", *encoders]
    for task in ("objaverse-lvis-retrieval", "objaverse-lvis"):
        main(["evaluate", task, *given])
    scores = {file.stem: read_result(file).scores["test"][0] for file in tmp_path.glob("results/*/*/*.json")}

    connector = isthmus.Connector.load(triples / "ulip_clip.pt")
    images, points = (connector.project(own) for own in encoded(triples, *encoders).values())
    for one, other, way in ((points, images, "points_to_image"), (images, points, "image_to_points")):
        assert scores["objaverse-lvis-retrieval"][f"{way}.r1"] == pytest.approx(retrieval(one, other).recall[1])
    clip = isthmus.load_space(encoders[0], device="cpu")
    prompts = [template.format(name) for name in NAMES for template in ("a {}", "a model of a {}")]
    texts = connector.project(clip.encode(prompts, modality="text")).vectors.reshape(3, 2, -1).mean(1)
    nearest = (points.vectors @ (texts / np.linalg.norm(texts, axis=1, keepdims=True)).T).argmax(1)
    assert scores["objaverse-lvis"]["top1"] == pytest.approx(np.mean(nearest == np.arange(3)))


@pytest.mark.slow
def test_clouds_find_images_through_the_released_head_as_in_a_loop(triples: Path, encoders: tuple[str, str]) -> None:
    given = encoded(triples, *encoders)
    connector = isthmus.Connector.load(triples / "ulip_clip.pt")
    found = retrieval(connector.project(given["points"]), connector.project(given["image"]), ks=(1, 2))

    state = torch.load(triples / "ulip_clip.pt", weights_only=True)
    joint = {}
    for modality, head in (("image", "Head_A"), ("points", "Head_B")):
        weight, bias = (state[f"{head}.net.0.{part}"].double() for part in ("weight", "bias"))
        norm = {key: state[f"{head}.net.1.{key}"].double() for key in ("weight", "bias", "running_mean", "running_var")}
        rows = torch.from_numpy(given[modality].vectors).double() @ weight.T + bias
        rows = (rows - norm["running_mean"]) / (norm["running_var"] + 1e-5).sqrt() * norm["weight"] + norm["bias"]
        joint[modality] = torch.nn.functional.normalize(rows.relu(), dim=1)
    scores = joint["points"] @ joint["image"].T
    ranks = [1 + sum(float(other) > float(row[own]) for other in row) for own, row in enumerate(scores)]
    assert (found.recall[1], found.recall[2]) == (ranks.count(1) / 3, sum(rank <= 2 for rank in ranks) / 3)
    assert found.map == pytest.approx(np.mean([1 / rank for rank in ranks]))


def test_the_openclip_vectors_in_the_files_find_each_other(triples: Path) -> None:
    """The files hold vectors of OpenCLIP ViT-bigG: of the image, of its texts and of twelve views of the object."""

    def rows(modality: str, vectors: np.ndarray) -> isthmus.Embeddings:
        return isthmus.Embeddings.from_array(vectors, modality=modality, space="openclip", ids=NAMES)

    images = rows("image", stored(triples, "thumbnail_feat"))
    texts = rows("text", stored(triples, "text_feat__prompt_avg")[:, 0, 0])
    views = rows("view", stored(triples, "image_feat").mean(1))
    for one, other in ((images, texts), (texts, images), (images, views), (views, images), (texts, views)):
        assert retrieval(one, other).recall[1] == 1
    assert zero_shot_accuracy(images, texts, np.arange(3), ks=(1,)) == {1: 1.0}


@pytest.mark.slow
def test_real_encoders_reach_what_the_authors_printed(triples: Path) -> None:
    if WEIGHTS not in os.environ:
        pytest.skip(f"no weights: set {WEIGHTS} to ULIP's pointbert_ULIP-2.pt; clip comes from the hub or its cache")
    given = encoded(triples, "clip", f"ulip:{os.environ[WEIGHTS]}")
    connector = isthmus.Connector.load(triples / "ulip_clip.pt")
    points, images = (connector.project(given[modality]) for modality in ("points", "image"))
    assert retrieval(points, images).recall[1] == 1
    scores = torch.softmax(10 * torch.from_numpy(points.vectors @ images.vectors.T), 1)
    # Their clouds are centred on the bounding box and start farthest point sampling at random, ours do neither.
    np.testing.assert_allclose(scores, CLOUDS_TO_IMAGES, atol=0.1)
