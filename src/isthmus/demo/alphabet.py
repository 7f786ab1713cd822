"""Alphabet: the demo's code models, each learned, measured and kept as a stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from isthmus.base.progress import OnProgress
from isthmus.codes.learning.fit import checkpoints_of, fit_codes
from isthmus.codes.learning.objective import Terms
from isthmus.codes.model.config import CodesConfig
from isthmus.codes.model.model import CodeModel
from isthmus.demo.lessons import Lessons
from isthmus.demo.literal import LITERAL, LITERAL_TERMS
from isthmus.demo.progress import quiet
from isthmus.demo.stages import Outcome, Stages
from isthmus.evaluate.code_figures import code_figures

CODES = "codes"
"""Folder of a stage's code model."""
ITEMS, GALLERY = 2500, 250
"""CodeItems of each kind that codes are learned from, and items of each gallery they are judged on."""


@dataclass(frozen=True)
class Writer:
    """A way of learning codes: its label, what it does, whether it was given pairs, and its config."""

    label: str
    note: str
    paired: bool
    config: CodesConfig
    terms: Terms = Terms()  # noqa: RUF009


OURS = CodesConfig(restarts=2)
WRITERS: Mapping[str, Writer] = {
    "literal": Writer("Codes, literal recipe", "CMCM as it is printed, with true pairs", True, LITERAL, LITERAL_TERMS),
    "paired": Writer("Codes, with pairs", "true picture-sound-text triples", True, OURS),
    "unpaired": Writer(
        "Codes, without pairs", "captions, and the connector's pseudo pairs", False, replace(OURS, restarts=1)
    ),
}
WRITTEN = "unpaired"
"""The code model that is saved and shown."""
QUICK_WRITERS = {WRITTEN: WRITERS[WRITTEN]}


@dataclass(frozen=True)
class School:
    """What codes are learned from, made when it is first needed, where stages are kept, and whom to tell of steps."""

    make_lessons: Callable[[], Lessons]
    stages: Stages
    seed: int
    progress: bool | OnProgress = False

    @cached_property
    def lessons(self) -> Lessons:
        """What codes are learned from and judged by."""
        return self.make_lessons()

    def learned(self, name: str, writer: Writer) -> Outcome:
        """Figures of a code model, and what it says of its own health."""

        def compute(home: Path) -> Outcome:
            source = self.lessons.paired if writer.paired else self.lessons.unpaired
            checkpoint = home / "training.checkpoint"
            with quiet("isthmus.codes"):
                model = fit_codes(
                    source.items, source.sources, writer.config, terms=writer.terms, seed=self.seed,
                    checkpoint=checkpoint, progress=self.progress,
                )  # fmt: skip
            model.save(home / CODES)
            for done in checkpoints_of(checkpoint):
                done.unlink()
            figures = code_figures(model.token_codes, self.lessons.taught, self.lessons.asked)
            return {"figures": figures, "health": model.facts["health"]}

        if not self.stages.finished(f"codes_{name}", self._key(writer)):
            # Made once for all code models: no single one's time.
            self.lessons  # noqa: B018
        return self.stages.run(f"codes_{name}", self._key(writer), compute)

    def model(self, name: str, writer: Writer) -> CodeModel:
        """The code model of a finished stage."""
        return CodeModel.load(self.stages.home(f"codes_{name}", self._key(writer)) / CODES)

    def _key(self, writer: Writer) -> Mapping[str, object]:
        return {"paired": writer.paired, "seed": self.seed, **asdict(writer.config)}


def headlines(figures: Mapping[str, float]) -> dict[str, float]:
    """A code model's figures as the summary gives them: shares of 1, `pointing` and `iou` also as means by gallery.

    Without a gallery in its name a figure is that of the seen voices.
    """
    found = dict(figures)
    for gallery in {name.rsplit(".", 1)[1] for name in figures}:
        for figure in ("pointing", "iou"):
            own = [
                value
                for name, value in figures.items()
                if name.startswith(f"{figure}.") and name.endswith(f".{gallery}")
            ]
            found[f"{figure}.{gallery}"] = float(np.mean(own))
    for figure in ("joint_use", "joint_use_by_all", "same_top_code"):
        found[figure] = figures[f"{figure}.seen"]
    return found
