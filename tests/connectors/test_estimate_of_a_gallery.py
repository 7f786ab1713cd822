"""The estimate for a gallery takes its size into account, and the truth stays within the band."""

import numpy as np
import pytest

import isthmus
from isthmus.base.errors import IsthmusError
from two_views import draw


def with_ids(rows: isthmus.Embeddings) -> isthmus.Embeddings:
    return isthmus.Embeddings.from_array(
        rows.vectors, modality=rows.modality, space=rows.space, ids=list(range(len(rows)))
    )


def test_an_estimate_falls_as_its_gallery_grows() -> None:
    """Items of the other content make retrieval harder; the true figure stays in the band."""
    world = draw(texts=300, memory=200, gallery=900, dims=(20, 20), latent=16, noise=0.4)
    sides = [
        {rows.modality: with_ids(rows) for rows in (side.overlap, side.memory)}
        for side in (world.materials.left, world.materials.right)
    ]
    connector = isthmus.connect(*sides, method="cca")
    queries, items = connector.project(world.images), connector.project(world.sounds)
    asked = queries.take(np.arange(100))
    middles = []
    for size in (100, 300, 900):
        scores = asked.vectors @ items.vectors[:size].T
        truth = (1 / (scores >= scores[np.arange(100), np.arange(100)][:, None]).sum(1)).mean()
        band = connector.estimate(asked, items.take(np.arange(size)))
        assert band.gallery == size
        assert band.low <= truth <= band.high
        middles.append(band.middle)
    assert middles[0] > middles[1] > middles[2]


def test_a_gallery_of_the_queries_own_modality_is_refused() -> None:
    world = draw(texts=100, memory=100, gallery=60, dims=(20, 20), latent=16)
    sides = [
        {rows.modality: with_ids(rows) for rows in (side.overlap, side.memory)}
        for side in (world.materials.left, world.materials.right)
    ]
    connector = isthmus.connect(*sides, method="procrustes")
    images = connector.project(world.images)
    with pytest.raises(IsthmusError, match="both image rows of 'clip': pass a gallery of another modality"):
        connector.estimate(images, images)
