"""A run of the demo: build the world, connect it by every method, train codes, and write results and page."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from isthmus.base.errors import IsthmusError
from isthmus.base.progress import reporting
from isthmus.connectors.connector import Connector
from isthmus.demo.code_data import CodeData, code_data
from isthmus.demo.code_sections import CodeResults, code_sections
from isthmus.demo.code_stages import SHOWN_CODES, CodeRecipe, CodeStages
from isthmus.demo.connector_stages import ConnectorStages
from isthmus.demo.digits import open_digits
from isthmus.demo.methods import SHOWN
from isthmus.demo.page import DemoResults, demo_page
from isthmus.demo.plan import RunPlan
from isthmus.demo.stages import Outcome, StageProgress, Stages
from isthmus.demo.summary import summary, write_summary
from isthmus.demo.things import open_things
from isthmus.demo.world import DemoWorld, ItemMedia
from isthmus.evaluate import write_result
from isthmus.evaluate.results import task_result
from isthmus.report import Section, write_page
from isthmus.worlds.world import World

WorldName = Literal["digits", "things"]


@dataclass(frozen=True)
class OwnMaterial:
    """What a user gives instead of a world's material (``images`` and ``speech`` of digits) or beside it (things)."""

    images: Path | None = None
    drawings: Path | None = None
    speech: Path | None = None


def run_demo(
    out: Path, world: WorldName = "digits", *, own: OwnMaterial | None = None, seed: int, retrain: bool, quick: bool
) -> None:
    """Run the demo, write everything to the folder ``out``, and print where it is.

    Args:
        out: The folder; finished parts in it are reused.
        world: The world to run on.
        own: Images, drawings or recordings of the user's own.
        seed: Seed of the world's draws and of every method.
        retrain: Train the two spaces even if there are weights.
        quick: Fewer methods, smaller galleries and no ablation.

    Raises:
        IsthmusError: The given files cannot be read, are too few, or do not belong to the world.
    """
    started = time.perf_counter()
    open_own = _opener(world, own or OwnMaterial())
    print(f"building the {world} world")
    shown = open_own(train=retrain)
    drawn = shown.draw(seed, quick=quick)
    make_code_data = partial(code_data, shown, drawn, shown.code_sizes.items, shown.code_sizes.gallery)
    run_plan(shown.plan(quick=quick), shown, drawn, make_code_data, out, seed=seed, started=started)


def _opener(world: WorldName, own: OwnMaterial) -> Callable[..., DemoWorld]:
    """What opens the world, once it is clear that the user's material belongs to it."""
    if world == "digits":
        if own.drawings:
            raise IsthmusError("--drawings belongs to the things world: add --world things, or give --images")
        return partial(open_digits, own.images, own.speech)
    if own.images:
        raise IsthmusError("--images belongs to the digits world: add --world digits, or give --drawings")
    return partial(open_things, own.drawings, own.speech)


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
    _write_results(out / "results", media.texts.task, outcomes, stages.world)
    sections = _saved_codes(media, coding, plan.recipes, codes, out / "codes") if codes else []
    methods = {**plan.methods, **plan.oracles}
    results = DemoResults(media, world, connector, methods, outcomes, ablation, plan.recipes, seconds, sections)
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


def _write_results(folder: Path, task: str, methods: Mapping[str, Outcome], world: str) -> None:
    for name, outcome in methods.items():
        if outcome["galleries"]:
            result = task_result(task, world, version("isthmus"), outcome["galleries"], outcome["seconds"])
            write_result(folder, f"isthmus/{name}", outcome.get("fingerprint", world), result)


def _print_paths(out: Path, seconds: float, *, codes: bool) -> None:
    print(f"\ndone in {seconds:.0f} s")
    print(f"report:    {out / 'report.html'} (open it in a browser; it works offline)")
    print(f"figures:   {out / 'summary.json'}, {out / 'results'}")
    print(f"connector: {out / 'connector'}")
    if codes:
        print(f"codes:     {out / 'codes'}")
    print("next: isthmus connect LEFT RIGHT --out DIR connects your own embedding sets; isthmus inspect DIR shows one")
