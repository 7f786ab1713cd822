"""The ladder of the ablation starts at the paper's recipe and ends at ours."""

from dataclasses import replace
from itertools import pairwise

from codes_ablation import OURS, PRINTED, ladder


def test_the_ladder_leads_from_the_printed_recipe_to_ours() -> None:
    steps = list(ladder().values())
    assert steps[0].terms == PRINTED.terms
    assert replace(steps[0].config, restarts=PRINTED.config.restarts) == PRINTED.config
    assert steps[-1] == OURS
    assert all(one != other for one, other in pairwise(steps))
