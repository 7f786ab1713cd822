"""Code models of the demo: each recipe trained, judged on every gallery, and kept as a stage."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from isthmus.base.progress import OnProgress
from isthmus.codes.learning.fit import checkpoints_of, fit_codes
from isthmus.codes.learning.objective import Terms
from isthmus.codes.model.config import CodesConfig
from isthmus.codes.model.model import CodeModel
from isthmus.demo.code_data import CodeData
from isthmus.demo.literal import LITERAL, LITERAL_TERMS
from isthmus.demo.stages import Outcome, Stages
from isthmus.evaluate.code_figures import code_figures

CODES = "codes"
"""Folder of a stage's code model."""
SHOWN_CODES = "unpaired"
"""The code model that is saved and shown."""


@dataclass(frozen=True)
class CodeRecipe:
    """One way to train codes: its label, a description, whether it gets true pairs, its config and loss terms."""

    label: str
    note: str
    paired: bool
    config: CodesConfig
    terms: Terms = Terms()  # noqa: RUF009


def code_recipes(ours: CodesConfig, literal: CodesConfig = LITERAL) -> Mapping[str, CodeRecipe]:
    """The ways to train codes that are compared; codes without pairs are trained once."""
    alone = replace(ours, restarts=1)
    return {
        "literal": CodeRecipe(
            "Codes, literal recipe", "CMCM exactly as printed, with true pairs", True, literal, LITERAL_TERMS
        ),
        "paired": CodeRecipe("Codes, with pairs", "true image-audio-text triples", True, ours),
        SHOWN_CODES: CodeRecipe("Codes, without pairs", "captions, and neighbour pairs by the connector", False, alone),
    }


@dataclass(frozen=True)
class CodeStages:
    """The data of codes (made when first needed), where stages are kept, the seed, and how training is reported."""

    make_data: Callable[[], CodeData]
    stages: Stages
    seed: int
    progress: bool | OnProgress = False

    @cached_property
    def data(self) -> CodeData:
        """What codes are trained and judged on."""
        return self.make_data()

    def recipe(self, name: str, recipe: CodeRecipe) -> Outcome:
        """Figures of a code model, and its own health report."""

        def compute(home: Path) -> Outcome:
            linked = self.data.linked(paired=recipe.paired)
            checkpoint = home / "training.checkpoint"
            with _errors_only("isthmus.codes"):
                model = fit_codes(
                    linked.items,
                    linked.sources,
                    recipe.config,
                    terms=recipe.terms,
                    seed=self.seed,
                    checkpoint=checkpoint,
                    progress=self.progress,
                )
            model.save(home / CODES)
            for done in checkpoints_of(checkpoint):
                done.unlink()
            figures = code_figures(model.token_codes, self.data.training, self.data.galleries)
            return {"figures": figures, "health": model.facts["health"]}

        if not self.stages.finished(f"codes_{name}", self._key(recipe)):
            # Code models share the data: making it must not count as the time of the first one.
            self.data.linked(paired=recipe.paired), self.data.training, self.data.galleries
        return self.stages.run(f"codes_{name}", self._key(recipe), compute)

    def model(self, name: str, recipe: CodeRecipe) -> CodeModel:
        """The code model of a finished stage."""
        return CodeModel.load(self.stages.home(f"codes_{name}", self._key(recipe)) / CODES)

    def _key(self, recipe: CodeRecipe) -> Mapping[str, object]:
        return {"paired": recipe.paired, "seed": self.seed, **asdict(recipe.config)}


def headline_figures(figures: Mapping[str, float]) -> dict[str, float]:
    """A code model's figures as the summary has them: with means of `pointing` and `iou` by gallery.

    Figures without a gallery in their name are those of the gallery ``seen``.
    """
    found = dict(figures)
    for gallery in {name.rsplit(".", 1)[1] for name in figures}:
        for figure in ("pointing", "iou"):
            directions = [name for name in figures if name.startswith(f"{figure}.") and name.endswith(f".{gallery}")]
            found[f"{figure}.{gallery}"] = float(np.mean([figures[name] for name in directions]))
    for figure in ("joint_use", "joint_use_by_all", "same_top_code"):
        found[figure] = figures[f"{figure}.seen"]
    return found


@contextmanager
def _errors_only(package: str) -> Iterator[None]:
    """Silence a package's warnings, because the page shows the same facts."""
    logger = logging.getLogger(package)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
