"""How much of a blend another member gets, by how it compares with the closed forms."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import nn

from isthmus.connectors.choosing.auto import Choice, add_member, blend
from isthmus.connectors.choosing.chain import chain_of
from isthmus.connectors.choosing.evidence import Evidence, gather_evidence
from isthmus.connectors.config import CcaConfig
from isthmus.connectors.connect import hold_out
from isthmus.connectors.member import Head, Member, blend_projection
from isthmus.connectors.methods.linear import fit_linear
from isthmus.connectors.overlap.materials import assemble
from isthmus.connectors.pseudo.centred import centred_materials
from worlds.synthetic import SyntheticRecipe, synthetic_world


@pytest.fixture(scope="module")
def judged() -> tuple[Choice, Evidence, Member]:
    world = synthetic_world("small", SyntheticRecipe(texts=500, memory=400, gallery=50), seed=3)
    materials = assemble(world.left, world.right, "text")
    matched = centred_materials(materials, "matched", torch.arange(500))
    views = {"matched": matched, "mean": centred_materials(materials, "mean", torch.arange(500))}
    fitted, held = hold_out(500, seed=0)
    evidence = gather_evidence(materials, fitted, held, seed=0)
    assert evidence is not None
    chosen = blend(views, fitted)
    return chosen, evidence, fit_linear(materials, CcaConfig())


def member_of(left: torch.Tensor, right: torch.Tensor, centres: tuple[Mapping, Mapping]) -> Member:
    heads = []
    for weight, centre in zip((left, right), centres, strict=True):
        linear = nn.Linear(*weight.shape, bias=False)
        linear.weight.data = weight.T.contiguous()
        heads.append(Head(nn.Sequential(linear), dict(centre)))
    return Member(heads[0], heads[1], "cmcr", "both")


@pytest.mark.slow
def test_a_member_as_good_as_the_closed_forms_gets_its_share(judged: tuple[Choice, Evidence, Member]) -> None:
    chosen, evidence, equal = judged
    joined = add_member(chosen, "trained", (equal,), equal, evidence, share=0.25)
    assert len(joined.members) == len(chosen.members) + 1
    worth = (
        chain_of(evidence, blend_projection((equal,), (1.0,))).items
        / chain_of(evidence, blend_projection(chosen.judged, chosen.weights)).items
    )
    assert joined.weights[-1] / sum(joined.weights) == pytest.approx(0.25 * (worth - 0.9) / 0.1)
    assert 0.9 < worth < 1.1


def test_a_member_that_maps_at_random_gets_nothing(judged: tuple[Choice, Evidence, Member]) -> None:
    chosen, evidence, _ = judged
    member = random_member(chosen)
    joined = add_member(chosen, "trained", (member,), member, evidence, share=0.25)
    assert joined.members == chosen.members
    assert joined.tried["trained"]["share"] == 0


def random_member(chosen: Choice) -> Member:
    centres = (chosen.judged[0].left.centres, chosen.judged[0].right.centres)
    draw = torch.Generator().manual_seed(0)
    return member_of(torch.randn(128, 32, generator=draw), torch.randn(96, 32, generator=draw), centres)


def test_a_member_a_tenth_better_replaces_the_others(judged: tuple[Choice, Evidence, Member]) -> None:
    chosen, evidence, good = judged
    bad = random_member(chosen)
    poor = replace(chosen, members=(bad,), judged=(bad,), weights=(1.0,))
    assert add_member(poor, "trained", (good,), good, evidence, share=0.25).members == (good,)


def test_the_worst_fit_of_a_member_decides(judged: tuple[Choice, Evidence, Member]) -> None:
    chosen, evidence, good = judged
    joined = add_member(chosen, "bridge", (good, random_member(chosen)), good, evidence, share=0.5)
    assert joined.members == chosen.members
    assert joined.tried["bridge"]["share"] == 0
