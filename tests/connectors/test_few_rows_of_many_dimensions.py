"""Fewer rows than dimensions: closed forms in the rows' span equal those of the dense moments in float64."""

import numpy as np
import pytest
import scipy.linalg
import torch

from isthmus.connectors.graph import joint
from isthmus.connectors.methods.closed_forms import cca, moments, procrustes, ridge, spans_of

ROWS, DIMS = 30, (70, 50)


def pairs(seed: int = 0) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Two batches of centred unit rows, as overlap pairs and pseudo pairs are."""
    draw = np.random.default_rng(seed)
    maps = [draw.standard_normal((12, dim)) for dim in DIMS]
    found = []
    for _ in range(2):
        meaning = draw.standard_normal((ROWS // 2, 12))
        sides = [meaning @ own + 0.3 * draw.standard_normal((ROWS // 2, own.shape[1])) for own in maps]
        sides = [rows - rows.mean(0) for rows in sides]
        sides = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in sides]
        found.append((torch.from_numpy(sides[0]).float(), torch.from_numpy(sides[1]).float()))
    return found


def dense() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Second moments of all rows, in float64."""
    left, right = (torch.cat(rows).double().numpy() for rows in zip(*pairs(), strict=True))
    return left.T @ left / ROWS, right.T @ right / ROWS, left.T @ right / ROWS


def queries(side: int) -> np.ndarray:
    """Rows within and outside the span of the pairs."""
    draw = np.random.default_rng(5 + side)
    inside = draw.standard_normal((8, ROWS)) @ torch.cat([pair[side] for pair in pairs()]).double().numpy()
    return np.concatenate([inside, draw.standard_normal((8, DIMS[side]))])


def cosines(left: np.ndarray, right: np.ndarray, rows: slice = slice(None)) -> np.ndarray:
    joint = [queries(side)[rows] @ np.asarray(own, np.float64) for side, own in enumerate((left, right))]
    units = [own / np.linalg.norm(own, axis=1, keepdims=True) for own in joint]
    return units[0] @ units[1].T


@pytest.fixture(params=[(0, 1), (0,), (1,)], ids=["both sides few", "left few", "right few"])
def spanned(request: pytest.FixtureRequest):
    spans = spans_of(pairs())
    assert all(span is not None and span.shape == (dim, ROWS) for span, dim in zip(spans, DIMS, strict=True))
    kept = tuple(span if side in request.param else None for side, span in enumerate(spans))
    return moments(pairs(), kept)


@pytest.mark.parametrize("penalty", [1e-4, 1e-2])
def test_ridge_is_that_of_the_dense_moments(spanned, penalty: float) -> None:
    _, right, cross = dense()
    expected = scipy.linalg.solve(right + penalty * np.eye(DIMS[1]), cross.T)
    left_map, right_map = ridge(spanned, penalty)
    assert torch.equal(left_map, torch.eye(DIMS[0]))
    np.testing.assert_allclose(right_map.numpy(), expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize(("penalty", "power"), [((1e-3, 1e-3), 1.0), ((1e-2, 1e-4), 0.5), ((1e-3, 1e-2), 2.0)])
def test_canonical_correlations_are_those_of_the_dense_moments(spanned, penalty: tuple, power: float) -> None:
    left, right, cross = dense()
    roots = [
        np.linalg.inv(scipy.linalg.sqrtm(own + p * np.eye(len(own))).real)
        for own, p in zip((left, right), penalty, strict=True)
    ]
    u, values, vt = np.linalg.svd(roots[0] @ cross @ roots[1], full_matrices=False)
    weights = np.where(values > 1e-9, values, 0) ** power
    maps = cca(spanned, penalty, power)
    assert maps[0].shape[1] == maps[1].shape[1] <= ROWS + 20
    np.testing.assert_allclose(cosines(*maps), cosines(roots[0] @ u * weights, roots[1] @ vt.T * weights), atol=1e-5)


def test_procrustes_turns_what_the_pairs_span_as_the_dense_rotation(spanned) -> None:
    u, values, vt = np.linalg.svd(dense()[2], full_matrices=False)
    kept = values > 1e-9
    inside = slice(0, 8)
    np.testing.assert_allclose(
        cosines(*procrustes(moments(pairs(), spans_of(pairs()))), inside)[:, :8],
        cosines(u[:, kept], vt.T[:, kept], inside),
        atol=1e-5,
    )


def test_rows_enough_have_no_span() -> None:
    many = [(torch.randn(100, 7), torch.randn(100, 120))]
    left, right = spans_of(many)
    assert left is None
    assert right is not None
    assert right.shape == (120, 100)


def test_a_joint_graph_of_few_rows_is_that_of_dense_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    block = {"a": pairs()[0][0], "b": pairs()[0][1], "c": pairs(1)[0][0][:, :40]}
    few = joint.canonical_maps(joint.moments_of([joint.JointBlock(block)]), 1e-3, 1.0)
    monkeypatch.setattr(joint, "span_of", lambda rows: None)
    whole = joint.canonical_maps(joint.moments_of([joint.JointBlock(block)]), 1e-3, 1.0)
    for one, other in (("a", "b"), ("b", "c")):
        rows = [block[space].double().numpy() for space in (one, other)]
        found = [
            [
                torch.nn.functional.normalize(torch.from_numpy(own) @ maps[space].double())
                for own, space in zip(rows, (one, other), strict=True)
            ]
            for maps in (few, whole)
        ]
        np.testing.assert_allclose(found[0][0] @ found[0][1].T, found[1][0] @ found[1][1].T, atol=1e-4)
