"""A small synthetic world with galleries and pairs, made-up media of its items, and runs on it."""

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import numpy as np

from isthmus.connectors.config import CcaConfig, ProcrustesConfig
from isthmus.connectors.connector import Connector
from isthmus.demo import methods, run
from isthmus.demo.methods import ComparedMethod
from isthmus.demo.plan import RunPlan
from isthmus.demo.world import PageTexts
from isthmus.embeddings import Embeddings
from isthmus.training.config import OptimisationConfig
from isthmus.worlds.world import Gallery, World

SHORT = OptimisationConfig(epochs=1, min_steps=3)


CLOSED_FORMS = RunPlan(
    {"chain": methods.METHODS["chain"], "procrustes": ComparedMethod("Procrustes", "", ProcrustesConfig()),
     "auto": ComparedMethod("auto", "", CcaConfig())},
    methods.QUICK_ORACLES, {}, {},
)  # fmt: skip
"""A plan without training."""


class Media:
    """Media of an item made of its number."""

    texts = PageTexts(
        "SmallTask", "Small", "A small world.", "the same number", "numbers", {"unseen": "an unseen one"}, ""
    )

    def image(self, item: str) -> np.ndarray:
        return np.full((4, 8), int(item) % 256, dtype=np.uint8)

    def waveform(self, item: str) -> tuple[np.ndarray, int]:
        return np.zeros(80, np.float32), 8000

    def words(self, item: str) -> str:
        return f"number {item}"

    def said(self, item: str) -> list[tuple[str, float, float]]:
        return [("number", 0.0, 0.005), (item, 0.005, 0.01)]


def small_world(dims: tuple[int, int] = (10, 8)) -> World:
    draw = np.random.default_rng(0)
    maps = [draw.standard_normal((6, dim)) for dim in dims]

    def embed(content: np.ndarray, side: int, modality: str) -> Embeddings:
        rows = content @ maps[side] + 0.1 * draw.standard_normal((len(content), maps[side].shape[1]))
        space, ids = ("images", "sounds")[side], range(len(rows))
        return Embeddings.from_array(rows.astype(np.float32), modality=modality, space=space, ids=ids)

    def gallery() -> Gallery:
        content = draw.standard_normal((30, 6))
        return Gallery(embed(content, 0, "image"), embed(content, 1, "audio"), np.arange(30), np.arange(30))

    def content(rows: int) -> np.ndarray:
        return draw.standard_normal((rows, 6))

    texts, pairs = content(300), content(200)
    return World(
        name="small",
        overlap="text",
        left={"text": embed(texts, 0, "text"), "image": embed(content(250), 0, "image")},
        right={"text": embed(texts, 1, "text"), "audio": embed(content(250), 1, "audio")},
        galleries={name: gallery() for name in ("seen", "unseen", "hard")},
        pairs=(embed(pairs, 0, "image"), embed(pairs, 1, "audio")),
    )


@dataclass(frozen=True)
class Run:
    """A finished run: its folder and its summary."""

    out: Path
    summary: dict[str, float]

    @classmethod
    def read(cls, out: Path) -> "Run":
        return cls(out, json.loads((out / "summary.json").read_text()))

    def connector(self, stage: str) -> Connector:
        """The connector of a stage."""
        (folder,) = (self.out / "stages").glob(f"{stage}-*")
        return Connector.load(folder / "connector")


def run_on(world: World, plan: RunPlan, out: Path) -> Run:
    """Run a plan without codes."""

    def no_codes(_: Connector) -> NoReturn:
        raise AssertionError("the plan has no codes")

    run.run_plan(plan, Media(), world, no_codes, out, seed=0, started=time.perf_counter())
    return Run.read(out)


def shortened(table: dict[str, ComparedMethod]) -> dict[str, ComparedMethod]:
    """The same methods, with a few steps of training."""
    return {
        name: replace(own, setting=replace(own.setting, optimisation=SHORT))
        if hasattr(own.setting, "optimisation")
        else own
        for name, own in table.items()
    }
