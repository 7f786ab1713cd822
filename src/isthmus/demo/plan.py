"""A plan: what a run of the demo compares, and on how much data codes are trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from isthmus.demo.code_stages import SHOWN_CODES, CodeRecipe
from isthmus.demo.methods import ABLATION, METHODS, ORACLES, QUICK_METHODS, QUICK_ORACLES, ComparedMethod


@dataclass(frozen=True)
class RunPlan:
    """What a run compares: methods, oracles, variants of C-MCR and recipes of codes, each by name."""

    methods: Mapping[str, ComparedMethod]
    oracles: Mapping[str, ComparedMethod]
    ablation: Mapping[str, ComparedMethod]
    recipes: Mapping[str, CodeRecipe]


@dataclass(frozen=True)
class CodeSizes:
    """Items of each kind that codes are trained on, and items of each gallery they are judged on."""

    items: int
    gallery: int


def plan_of(recipes: Mapping[str, CodeRecipe], *, quick: bool) -> RunPlan:
    """Everything, or for a quick run fewer methods, no ablation, and only the codes that are shown."""
    if quick:
        return RunPlan(QUICK_METHODS, QUICK_ORACLES, {}, {SHOWN_CODES: recipes[SHOWN_CODES]})
    return RunPlan(METHODS, ORACLES, ABLATION, recipes)
