"""Zero-shot classification: prompts as ULIP's, class vectors and accuracies as by loops in float64."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings
from isthmus.evaluate import class_vectors, read_names, zero_shot_accuracy
from isthmus.spaces import load_space


def test_modelnet40_has_40_names_and_64_templates(shared_data: Path) -> None:
    names = read_names(shared_data / "labels" / "modelnet40_shapenet_labels.json", "modelnet40")
    templates = read_names(shared_data / "labels" / "ulip_templates.json", "modelnet40_64")
    assert (len(names), len(templates)) == (40, 64)
    assert templates[0].format(names[0]) == "a point cloud model of airplane."
    with pytest.raises(IsthmusError, match="has no list 'modelnet10'"):
        read_names(shared_data / "labels" / "ulip_templates.json", "modelnet10")


def test_a_class_is_the_mean_of_its_prompts(checkpoints: Callable[[str], Path]) -> None:
    space = load_space(f"clip:{checkpoints('clip')}", device="cpu")
    names, templates = ["cat", "dog", "horse"], ["a {}.", "the {} here", "{}"]
    found = class_vectors(space, names, templates)
    for name, row in zip(names, found.vectors, strict=True):
        rows = [
            space.encode([template.format(name)], modality="text").vectors[0].astype(np.float64)
            for template in templates
        ]
        mean = np.mean(rows, axis=0)
        np.testing.assert_allclose(row, mean / np.linalg.norm(mean), atol=1e-5)
    assert found.ids == names


def test_accuracies_as_by_sorting() -> None:
    draw = np.random.default_rng(0)
    items = Embeddings.from_array(draw.standard_normal((200, 6)), modality="points", space="s")
    classes = Embeddings.from_array(draw.standard_normal((9, 6)), modality="text", space="s")
    labels = draw.integers(0, 9, 200)
    found = zero_shot_accuracy(items, classes, labels)
    order = np.argsort(-(items.vectors.astype(np.float64) @ classes.vectors.T), axis=1)
    for k in (1, 3, 5):
        assert found[k] == pytest.approx(np.mean([label in row[:k] for label, row in zip(labels, order, strict=True)]))


def test_ties_count_against() -> None:
    rows = np.eye(3, 4, dtype=np.float32)
    same = Embeddings.from_array(np.repeat(rows[:1], 3, 0), modality="text", space="s")
    items = Embeddings.from_array(rows[:1], modality="points", space="s")
    assert zero_shot_accuracy(items, same, np.array([0]), ks=(1, 3)) == {1: 0.0, 3: 1.0}


def test_what_does_not_fit_is_refused() -> None:
    items = Embeddings.from_array(np.eye(3, 4), modality="points", space="s")
    other = Embeddings.from_array(np.eye(3, 4), modality="text", space="t")
    with pytest.raises(IsthmusError, match="project them into one"):
        zero_shot_accuracy(items, other, np.array([0, 1, 2]))
    with pytest.raises(IsthmusError, match="one label from 0 to 2"):
        zero_shot_accuracy(items, items, np.array([0, 1, 3]))
