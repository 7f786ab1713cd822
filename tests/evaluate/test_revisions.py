"""Results of two stars around one base are kept apart."""

import numpy as np

from isthmus import Embeddings, connect_graph
from isthmus.evaluate.running.views import revision_of


def test_stars_around_one_base_have_revisions_of_their_own() -> None:
    draw = np.random.default_rng(0)
    meaning = draw.standard_normal((60, 4))

    def rows(modality: str, space: str) -> Embeddings:
        vectors = meaning @ draw.standard_normal((4, 8))
        return Embeddings.from_array(vectors, modality=modality, space=space, ids=range(60))

    spaces = (("clip", "image"), ("clap", "audio"), ("xclip", "video"))
    sets = [{name: rows(name, space) for name in ("text", other)} for space, other in spaces]
    options = {"method": "exmcr", "optimisation": {"epochs": 1, "min_steps": 2, "batch_size": 16}}
    stars = [connect_graph(sets, seed=seed, **options) for seed in (0, 1)]
    assert [star.space for star in stars] == ["clip", "clip"]
    revisions = [revision_of(star) for star in stars]
    assert len(set(revisions)) == 2
    assert all(len(own) == 2 * 8 + 1 for own in revisions)
    assert revision_of(stars[0].legs[0]) == stars[0].legs[0].fingerprint
