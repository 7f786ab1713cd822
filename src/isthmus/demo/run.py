"""A run of the demo: build the world, connect it by every method, train codes, and write results and page."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from isthmus.base.progress import reporting
from isthmus.connectors.connector import Connector
from isthmus.demo.code_data import CodeData, code_data
from isthmus.demo.code_sections import CodeResults, code_sections
from isthmus.demo.code_stages import (
    CODE_GALLERY,
    CODE_ITEMS,
    CODE_RECIPES,
    QUICK_CODE_RECIPES,
    SHOWN_CODES,
    CodeRecipe,
    CodeStages,
)
from isthmus.demo.connector_stages import ConnectorStages
from isthmus.demo.methods import ABLATION, METHODS, ORACLES, QUICK_METHODS, QUICK_ORACLES, SHOWN, ComparedMethod
from isthmus.demo.page import DemoResults, demo_page
from isthmus.demo.stages import Outcome, StageProgress, Stages
from isthmus.demo.summary import summary, write_summary
from isthmus.demo.world import ItemMedia, open_world
from isthmus.evaluate import write_result
from isthmus.evaluate.results import task_result
from isthmus.report import Section, write_page
from isthmus.worlds.world import World

GALLERY, QUICK_GALLERY = 1000, 300
TASK = "DigitsImageAudioRetrieval"


@dataclass(frozen=True)
class RunPlan:
    """What a run compares: methods, oracles, variants of C-MCR and recipes of codes, each by name."""

    methods: Mapping[str, ComparedMethod]
    oracles: Mapping[str, ComparedMethod]
    ablation: Mapping[str, ComparedMethod]
    recipes: Mapping[str, CodeRecipe]


FULL = RunPlan(METHODS, ORACLES, ABLATION, CODE_RECIPES)
QUICK = RunPlan(QUICK_METHODS, QUICK_ORACLES, {}, QUICK_CODE_RECIPES)


def run_demo(out: Path, *, images: Path | None, speech: Path | None, seed: int, retrain: bool, quick: bool) -> None:
    """Run the demo, write everything to the folder ``out``, and print where it is.

    Args:
        out: The folder; finished parts in it are reused.
        images: Handwritten digits to use instead of the shipped ones.
        speech: Spoken digits to use instead of the shipped ones.
        seed: Seed of the world's draws and of every method.
        retrain: Train the two spaces even if there are weights.
        quick: Fewer methods, smaller galleries and no ablation.

    Raises:
        IsthmusError: The given recordings cannot be read or are too few.
    """
    started = time.perf_counter()
    print("building the digits world")
    digits, world = open_world(images, speech, seed, train=retrain, gallery=QUICK_GALLERY if quick else GALLERY)
    make_code_data = partial(code_data, digits, world, CODE_ITEMS, CODE_GALLERY)
    run_plan(QUICK if quick else FULL, digits, world, make_code_data, out, seed=seed, started=started)


def run_plan(
    plan: RunPlan,
    media: ItemMedia,
    world: World,
    make_code_data: Callable[[Connector], CodeData],
    out: Path,
    *,
    seed: int,
    started: float,
) -> None:
    """Run a plan on a world; ``started`` is the `time.perf_counter` at which the run began.

    ``make_code_data`` makes the data of codes with the help of the connector; it is called only if it is needed.
    """
    world_seconds = time.perf_counter() - started
    stages = Stages(out / "stages", world.fingerprint())
    with reporting(True) as report:
        progress = StageProgress(report, sum(map(len, vars(plan).values())))
        fitting = ConnectorStages(world, stages, seed, progress.training)
        outcomes = {name: progress.run(own.label, fitting.method, name, own) for name, own in plan.methods.items()}
        outcomes |= {name: progress.run(own.label, fitting.oracle, name, own) for name, own in plan.oracles.items()}
        ablation = {name: progress.run(own.label, fitting.variant, name, own) for name, own in plan.ablation.items()}
        connector = fitting.connector(SHOWN, plan.methods[SHOWN])
        coding = CodeStages(partial(make_code_data, connector), stages, seed, progress.training)
        codes = {name: progress.run(own.label, coding.recipe, name, own) for name, own in plan.recipes.items()}
    seconds = {"world": world_seconds, **_seconds(outcomes, ablation, codes)}
    connector.save(out / "connector")
    _write_results(out / "results", outcomes, stages.world)
    sections = _saved_codes(media, coding, plan.recipes, codes, out / "codes") if codes else []
    methods = {**plan.methods, **plan.oracles}
    results = DemoResults(media, world, connector, methods, outcomes, ablation, seconds, sections)
    write_page(demo_page(results, time.perf_counter() - started), out / "report.html")
    total = time.perf_counter() - started
    write_summary(summary(outcomes, ablation, codes, seconds, total), out / "summary.json")
    _print_paths(out, total, codes=bool(codes))


def _seconds(
    methods: Mapping[str, Outcome], ablation: Mapping[str, Outcome], codes: Mapping[str, Outcome]
) -> dict[str, float]:
    """The time of each part when it was computed; the variants of the ablation together."""
    seconds = {name: outcome["seconds"] for name, outcome in methods.items()}
    if ablation:
        seconds["ablation"] = sum(outcome["seconds"] for outcome in ablation.values())
    return seconds | {f"codes_{name}": outcome["seconds"] for name, outcome in codes.items()}


def _saved_codes(
    media: ItemMedia, stages: CodeStages, recipes: Mapping[str, CodeRecipe], codes: Mapping[str, Outcome], folder: Path
) -> list[Section]:
    """Save the code model that is shown, and make the page's sections about it."""
    model = stages.model(SHOWN_CODES, recipes[SHOWN_CODES])
    model.save(folder)
    return code_sections(CodeResults(media, stages.data, model, recipes, codes))


def _write_results(folder: Path, methods: Mapping[str, Outcome], world: str) -> None:
    for name, outcome in methods.items():
        if outcome["galleries"]:
            result = task_result(TASK, world, version("isthmus"), outcome["galleries"], outcome["seconds"])
            write_result(folder, f"isthmus/{name}", outcome.get("fingerprint", world), result)


def _print_paths(out: Path, seconds: float, *, codes: bool) -> None:
    print(f"\ndone in {seconds:.0f} s")
    print(f"report:    {out / 'report.html'} (open it in a browser; it works offline)")
    print(f"figures:   {out / 'summary.json'}, {out / 'results'}")
    print(f"connector: {out / 'connector'}")
    if codes:
        print(f"codes:     {out / 'codes'}")
    print("next: isthmus connect LEFT RIGHT --out DIR connects your own embedding sets; isthmus inspect DIR shows one")
