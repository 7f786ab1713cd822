"""Run the demo: build the world, connect it by every method, compare, ablate, and write what was found."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path

from isthmus.connectors.connector import Connector
from isthmus.demo.alphabet import GALLERY as CODE_GALLERY
from isthmus.demo.alphabet import ITEMS as CODE_ITEMS
from isthmus.demo.alphabet import QUICK_WRITERS, WRITERS, WRITTEN, School, Writer
from isthmus.demo.bench import Bench
from isthmus.demo.code_sections import Writing, code_sections
from isthmus.demo.contenders import ABLATION, CONTENDERS, ORACLES, QUICK, QUICK_ORACLES, SHOWN
from isthmus.demo.findings import Findings, showcase
from isthmus.demo.lessons import Lessons, lessons
from isthmus.demo.progress import following
from isthmus.demo.scene import Scene, fingerprint, open_scene
from isthmus.demo.stages import Outcome, Stages
from isthmus.demo.summary import summarise, write_summary
from isthmus.evaluate import write_result
from isthmus.evaluate.results import task_result
from isthmus.report import Section, write_page
from isthmus.worlds.world import World

GALLERY, QUICK_GALLERY = 1000, 300
TASK = "DigitsImageAudioRetrieval"


def run_demo(out: Path, *, images: Path | None, speech: Path | None, seed: int, retrain: bool, quick: bool) -> None:
    """Make the demo in the folder ``out`` and say where everything lies.

    ``images`` and ``speech`` take the place of the embedded recordings; ``retrain`` trains the two spaces anew;
    ``quick`` takes fewer methods, smaller galleries and no ablation. Finished parts found in ``out`` are not redone.
    """
    started = time.perf_counter()
    print("building the digits world")
    scene, world = open_scene(images, speech, seed, retrain=retrain, gallery=QUICK_GALLERY if quick else GALLERY)
    teach = partial(lessons, scene, world, CODE_ITEMS, CODE_GALLERY)
    show_world(scene, world, out, seed=seed, quick=quick, started=started, teach=teach)


def show_world(
    scene: Scene,
    world: World,
    out: Path,
    *,
    seed: int,
    quick: bool,
    started: float,
    teach: Callable[[Connector], Lessons] | None = None,
) -> None:
    """The demo on a world that is there; ``started`` is the `time.perf_counter` at which the run began.

    ``teach`` makes what codes are learned from, with the help of the connector; without it there are none.
    """
    world_seconds = time.perf_counter() - started
    contenders, oracles = (QUICK, QUICK_ORACLES) if quick else (CONTENDERS, ORACLES)
    variants = {} if quick else ABLATION
    writers = {} if teach is None else QUICK_WRITERS if quick else WRITERS
    with following(len(contenders) + len(oracles) + len(variants) + len(writers)) as follow:
        bench = Bench(world, Stages(out / "stages", fingerprint(world)), seed, follow.training)
        compared = {name: follow(own.label, bench.contender, name, own) for name, own in contenders.items()}
        compared |= {name: follow(own.label, bench.oracle, name, own) for name, own in oracles.items()}
        ablation = {name: follow(own.label, bench.variant, name, own) for name, own in variants.items()}
        connector = bench.connector(SHOWN, contenders[SHOWN])
        school = School(partial(teach, connector), bench.stages, seed, follow.training) if teach else None
        written = {name: follow(own.label, school.learned, name, own) for name, own in writers.items() if school}
    seconds = {"world": world_seconds, **_seconds(compared, ablation, written)}
    connector.save(out / "connector")
    _write_results(out / "results", compared, bench.stages.world)
    sections = _shown_codes(scene, school, writers, written, out / "codes") if school else []
    findings = Findings(scene, world, connector, {**contenders, **oracles}, compared, ablation, seconds, sections)
    write_page(showcase(findings, time.perf_counter() - started), out / "report.html")
    total = time.perf_counter() - started
    write_summary(summarise(compared, ablation, written, seconds, total), out / "summary.json")
    _say_where(out, total, codes=bool(written))


def _seconds(
    compared: Mapping[str, Outcome], ablation: Mapping[str, Outcome], written: Mapping[str, Outcome]
) -> dict[str, float]:
    """How long each part took when it ran; the ablation's variants together."""
    found = {name: outcome["seconds"] for name, outcome in compared.items()}
    if ablation:
        found["ablation"] = sum(outcome["seconds"] for outcome in ablation.values())
    return found | {f"codes_{name}": outcome["seconds"] for name, outcome in written.items()}


def _shown_codes(
    scene: Scene, school: School, writers: Mapping[str, Writer], written: Mapping[str, Outcome], folder: Path
) -> list[Section]:
    """The page's sections on codes; the code model they show is saved."""
    model = school.model(WRITTEN, writers[WRITTEN])
    model.save(folder)
    return code_sections(Writing(scene, school.lessons, model, writers, written))


def _write_results(folder: Path, compared: Mapping[str, Outcome], world: str) -> None:
    for name, outcome in compared.items():
        if outcome["galleries"]:
            result = task_result(TASK, world, version("isthmus"), outcome["galleries"], outcome["seconds"])
            write_result(folder, f"isthmus/{name}", outcome.get("fingerprint", world), result)


def _say_where(out: Path, seconds: float, *, codes: bool) -> None:
    print(f"\ndone in {seconds:.0f} s")
    print(f"report:    {out / 'report.html'} (open it in a browser, it needs no network)")
    print(f"figures:   {out / 'summary.json'}, {out / 'results'}")
    print(f"connector: {out / 'connector'}")
    if codes:
        print(f"codes:     {out / 'codes'}")
    print("next: isthmus connect LEFT RIGHT --out DIR connects your own embedding sets; isthmus inspect DIR reads one")
