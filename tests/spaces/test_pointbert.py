"""PointBERT: the keys of the official checkpoint, and the numbers of a NumPy implementation in float64."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import erf

import media_files
from isthmus.media import read_points
from isthmus.spaces import load_space
from isthmus.spaces.pointbert.sampling import farthest_points, neighbours
from tiny_checkpoints import write_ulip

Weights = dict[str, np.ndarray]


def farthest_by_loop(cloud: np.ndarray, count: int) -> list[int]:
    found, nearest = [0], np.full(len(cloud), np.inf)
    while len(found) < count:
        nearest = np.minimum(nearest, ((cloud - cloud[found[-1]]) ** 2).sum(1))
        found.append(int(nearest.argmax()))
    return found


@pytest.mark.parametrize("points", [40, 64, 700])
def test_farthest_points_as_in_a_loop(points: int) -> None:
    clouds = np.random.default_rng(points).standard_normal((3, points, 3)).astype(np.float32)
    found = farthest_points(torch.from_numpy(clouds), min(points, 128))
    for cloud, own in zip(clouds, found.tolist(), strict=True):
        assert own == farthest_by_loop(cloud.astype(np.float64), min(points, 128))


def test_with_few_points_centres_repeat() -> None:
    clouds = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 5, 3)).astype(np.float32))
    found = farthest_points(clouds, 12)
    assert all(set(row[:5]) == set(range(5)) for row in found.tolist())


def test_neighbours_as_by_sorting() -> None:
    clouds = np.random.default_rng(1).standard_normal((2, 90, 3)).astype(np.float32)
    centres = clouds[:, :7]
    found = neighbours(torch.from_numpy(centres), torch.from_numpy(clouds), 9).numpy()
    for cloud, own, chosen in zip(clouds.astype(np.float64), centres.astype(np.float64), found, strict=True):
        for centre, members in zip(own, chosen, strict=True):
            nearest = np.argsort(((cloud - centre) ** 2).sum(1))[:9]
            assert set(members) == set(nearest)


def linear(rows: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    bias = weights.get(f"{name}.bias", 0.0)
    return rows @ weights[f"{name}.weight"].reshape(weights[f"{name}.weight"].shape[:2]).T + bias


def batch_norm(rows: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    scaled = (rows - weights[f"{name}.running_mean"]) / np.sqrt(weights[f"{name}.running_var"] + 1e-5)
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def layer_norm(rows: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    centred = rows - rows.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def gelu(rows: np.ndarray) -> np.ndarray:
    return rows * 0.5 * (1 + erf(rows / np.sqrt(2)))


def patches(groups: np.ndarray, weights: Weights) -> np.ndarray:
    first = np.maximum(batch_norm(linear(groups, weights, "encoder.first_conv.0"), weights, "encoder.first_conv.1"), 0)
    first = linear(first, weights, "encoder.first_conv.3")
    whole = np.broadcast_to(first.max(1, keepdims=True), first.shape)
    both = linear(np.concatenate([whole, first], -1), weights, "encoder.second_conv.0")
    second = np.maximum(batch_norm(both, weights, "encoder.second_conv.1"), 0)
    return linear(second, weights, "encoder.second_conv.3").max(1)


def attention(rows: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    queries, keys, values = np.split(linear(rows, weights, f"{name}.qkv"), 3, axis=-1)
    heads = []
    for head in range(6):
        own = slice(64 * head, 64 * head + 64)
        scores = queries[:, own] @ keys[:, own].T / 8
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        heads.append(shares / shares.sum(-1, keepdims=True) @ values[:, own])
    return linear(np.concatenate(heads, -1), weights, f"{name}.proj")


def point_bert(cloud: np.ndarray, weights: Weights) -> np.ndarray:
    centres = cloud[farthest_by_loop(cloud, 512)]
    distances = ((centres[:, None] - cloud[None]) ** 2).sum(-1)
    groups = cloud[np.argsort(distances, axis=1)[:, :32]] - centres[:, None]
    rows = np.concatenate([weights["cls_token"][0], linear(patches(groups, weights), weights, "reduce_dim")])
    placed = linear(gelu(linear(centres, weights, "pos_embed.0")), weights, "pos_embed.2")
    positions = np.concatenate([weights["cls_pos"][0], placed])
    for number in range(12):
        name = f"blocks.blocks.{number}"
        rows = rows + positions
        rows = rows + attention(layer_norm(rows, weights, f"{name}.norm1"), weights, f"{name}.attn")
        hidden = gelu(linear(layer_norm(rows, weights, f"{name}.norm2"), weights, f"{name}.mlp.fc1"))
        rows = rows + linear(hidden, weights, f"{name}.mlp.fc2")
    rows = layer_norm(rows, weights, "norm")
    return np.concatenate([rows[0], rows[1:].max(0)])


@pytest.mark.slow
@pytest.mark.parametrize("points", [300, 900])
def test_vectors_as_by_the_recipe_in_float64(tmp_path: Path, points: int) -> None:
    state = write_ulip(tmp_path / "ulip.pt")
    path = media_files.write_cloud(tmp_path / "cloud.npy", points)
    weights = {name: value.double().numpy() for name, value in state.items()}
    expected = point_bert(read_points(path, 10_000).astype(np.float64), weights) @ weights["pc_projection"]
    space = load_space(f"ulip:{tmp_path / 'ulip.pt'}", device="cpu")
    found = space.encode([path], modality="points").vectors[0]
    difference = np.linalg.norm(found - expected / np.linalg.norm(expected))
    assert difference < 1e-5


def test_the_authors_clouds_are_encoded(shared_data: Path, tmp_path: Path) -> None:
    write_ulip(tmp_path / "ulip.pt")
    space = load_space(f"ulip:{tmp_path / 'ulip.pt'}", device="cpu")
    path = shared_data / "cmcr_official" / "BBQ_nopickle.npz"
    points = read_points(path, 10_000)
    assert points.shape == (10_000, 3)
    assert np.linalg.norm(points, axis=1).max() == pytest.approx(1)
    assert np.isfinite(space.encode([path], modality="points").vectors).all()


def test_a_coloured_checkpoint_is_refused(tmp_path: Path) -> None:
    write_ulip(tmp_path / "colour.pt", inputs=6)
    with pytest.raises(ValueError, match="is not a PointBERT of xyz points"):
        load_space(f"ulip:{tmp_path / 'colour.pt'}", device="cpu")
