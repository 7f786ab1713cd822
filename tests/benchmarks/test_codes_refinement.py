"""Refinement picks the candidate with the most similar codes, against a loop."""

import numpy as np

from codes_refinement import most_similar


def test_the_candidate_whose_codes_are_most_similar_is_chosen() -> None:
    draw = np.random.default_rng(0)
    left, right = (np.log(draw.dirichlet(np.ones(5), size=count)) for count in (30, 40))
    candidates = np.stack([draw.permutation(40)[:6] for _ in range(30)])
    chosen = most_similar(left, right, candidates)
    for row in range(30):
        similarity = [np.exp(left[row]) @ right[c] + left[row] @ np.exp(right[c]) for c in candidates[row]]
        assert chosen[row] == candidates[row][int(np.argmax(similarity))]
