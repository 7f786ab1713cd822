"""Matched centring removes the gap and keeps the difference of content; plain centring removes both."""

import numpy as np
import torch
from torch.nn import functional

from isthmus.connectors.member import recentred
from isthmus.connectors.overlap.centring import centres, matched_centre, sample
from isthmus.connectors.overlap.materials import Materials, Side
from isthmus.embeddings import Embeddings


def gapped_world(seed: int, topics_of_items: slice) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Texts over 20 topics, items over some of them, both unit rows; the items carry a constant offset."""
    draw = torch.Generator().manual_seed(seed)
    topics = functional.normalize(torch.randn(20, 64, generator=draw), dim=-1)
    offset = functional.normalize(torch.randn(64, generator=draw), dim=-1)
    texts = topics[torch.randint(20, (1500,), generator=draw)] + 0.05 * torch.randn(1500, 64, generator=draw)
    about = torch.arange(20)[topics_of_items]
    chosen = about[torch.randint(len(about), (1200,), generator=draw)]
    items = topics[chosen] + offset + 0.05 * torch.randn(1200, 64, generator=draw)
    return texts, items, offset


def error_of_offset(centre: torch.Tensor, texts: torch.Tensor, offset: torch.Tensor) -> float:
    """How far ``centre - mean(texts)`` is from the true offset, in units of the offset."""
    return ((centre - texts.mean(0) - offset).norm() / offset.norm()).item()


def test_both_centres_find_the_gap_when_the_memory_covers_the_texts() -> None:
    texts, items, offset = gapped_world(0, slice(0, 20))
    assert error_of_offset(items.mean(0), texts, offset) < 0.1
    assert error_of_offset(matched_centre(items, texts), texts, offset) < 0.1


def test_only_the_matched_centre_finds_the_gap_when_the_memory_is_about_other_things() -> None:
    texts, items, offset = gapped_world(1, slice(0, 4))
    assert error_of_offset(items.mean(0), texts, offset) > 0.3
    assert error_of_offset(matched_centre(items, texts), texts, offset) < 0.1


def test_recentred_rows_are_unit() -> None:
    rows = torch.randn(30, 8, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(recentred(rows, rows.mean(0)).norm(dim=-1), torch.ones(30))


def embedded(rows: torch.Tensor, modality: str, space: str) -> Embeddings:
    return Embeddings.from_array(rows.numpy(), modality=modality, space=space)


def test_every_modality_of_each_side_gets_its_own_centre() -> None:
    texts, items, _ = gapped_world(2, slice(0, 20))
    left = Side(embedded(texts, "text", "a"), embedded(items, "image", "a"))
    right = Side(embedded(texts.flip(1), "text", "b"), None)
    found_left, found_right = centres(Materials(left, right), "mean")
    assert set(found_left) == {"text", "image"}
    assert set(found_right) == {"text"}
    np.testing.assert_allclose(found_left["image"], left.memory.vectors.mean(0), atol=1e-6)
    assert centres(Materials(left, right), "none") == ({}, {})


def test_a_sample_keeps_few_rows_and_thins_many_evenly() -> None:
    rows = embedded(torch.randn(300, 3, generator=torch.Generator().manual_seed(3)), "text", "a")
    assert torch.equal(sample(rows, 400), torch.from_numpy(rows.vectors))
    assert torch.equal(sample(rows, 3), torch.from_numpy(rows.vectors[[0, 149, 299]]))
