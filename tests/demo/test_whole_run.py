"""A short run of everything: the summary, the page and the result files agree with the connectors and codes saved."""

import re
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from short_runs import CLOSED_FORMS, Run

from isthmus.codes.model.config import BRIEF, CodesConfig
from isthmus.codes.model.model import CodeModel
from isthmus.connectors.connector import Connector
from isthmus.demo import code_sections, methods, run
from isthmus.demo.code_data import code_data
from isthmus.demo.code_stages import code_recipes, headline_figures
from isthmus.demo.digits import DigitsDemo
from isthmus.evaluate import by_cosine, by_csls, chain, evaluate_galleries, soft_chain
from isthmus.evaluate.code_figures import code_figures
from isthmus.evaluate.results import read_result
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.world import Sizes, World

pytestmark = pytest.mark.slow


def figures_of(summary: dict[str, float], prefix: str) -> dict[str, float]:
    return {name.removeprefix(prefix): value for name, value in summary.items() if name.startswith(prefix)}


@pytest.mark.parametrize(
    "name", [name for name in (*methods.METHODS, *methods.ORACLES) if name not in methods.BASELINES]
)
def test_the_summary_has_the_figures_of_every_saved_connector(whole_run: Run, world: World, name: str) -> None:
    project = whole_run.connector(name).project
    for suffix, match in (("", by_cosine(project)), ("_csls", by_csls(project))):
        expected = evaluate_galleries(match, world.galleries)
        assert figures_of(whole_run.summary, f"connect.{name}{suffix}.") == pytest.approx(expected, abs=1e-4)


def test_the_summary_has_the_figures_of_the_baselines(whole_run: Run, world: World) -> None:
    for name, match in (("chain", chain(world)), ("soft_chain", soft_chain(world))):
        expected = evaluate_galleries(match, world.galleries)
        assert figures_of(whole_run.summary, f"connect.{name}.") == pytest.approx(expected, abs=1e-4)
    assert figures_of(whole_run.summary, "connect.raw.") == {}  # 10 and 8 dimensions cannot be compared


def test_every_variant_of_the_ablation_is_trained_and_scored_by_itself(whole_run: Run, world: World) -> None:
    connectors = {name: whole_run.connector(f"ablation_{name}") for name in methods.ABLATION}
    assert len({own.fingerprint for own in connectors.values()}) == len(connectors)
    for name, own in connectors.items():
        figures = evaluate_galleries(by_cosine(own.project), world.galleries)
        expected = {f"{gallery}.{metric}": figures[f"{gallery}.{metric}"] for gallery in world.galleries
                    for metric in ("r1", "mrr")}  # fmt: skip
        assert figures_of(whole_run.summary, f"ablation.{name}.") == pytest.approx(expected, abs=1e-4)
    corrected = evaluate_galleries(by_csls(connectors["full"].project), world.galleries)
    assert whole_run.summary["ablation.csls.hard.mrr"] == pytest.approx(corrected["hard.mrr"], abs=1e-4)


def test_the_paired_oracle_is_above_the_chain(whole_run: Run) -> None:
    assert whole_run.summary["connect.oracle_cca.seen.r1"] > max(80, whole_run.summary["connect.chain.seen.r1"])


def test_times_and_memory_are_this_process_own(whole_run: Run) -> None:
    times = figures_of(whole_run.summary, "time.")
    parts = sum(value for name, value in times.items() if name != "total_s")
    assert set(times) == {f"{name}_s" for name in (*methods.METHODS, *methods.ORACLES, "ablation", "world", "total")}
    assert 0.5 * times["total_s"] < parts <= times["total_s"]
    assert whole_run.summary["memory.peak_mb"] > 50


def test_the_page_shows_the_figures_of_the_summary(whole_run: Run) -> None:
    page = (whole_run.out / "report.html").read_text()
    for row in ("auto (default)", "Paired oracle", "C-MCR + CSLS at search time", "without completion"):
        assert f'<th scope="row">{row}<small>' in page
    cells = re.search(r'<th scope="row">CCA<small>.*?</tr>', page)[0]
    shown = [float(value) for value in re.findall(r"<td[^>]*>([0-9.]+)</td>", cells)]
    expected = [whole_run.summary[f"connect.cca.{g}.{m}"] for g in ("seen", "unseen", "hard") for m in ("r1", "mrr")]
    assert shown == pytest.approx(expected, abs=0.051)
    assert "impossible: dimensions differ" in page
    # Two queries of three galleries in both directions, five answers each: one side of each pair is audio.
    assert page.count("<audio") == 2 * 3 * (5 + 1)


def test_result_files_have_the_same_figures_as_shares(whole_run: Run) -> None:
    (file,) = (whole_run.out / "results" / "isthmus__auto").rglob("*.json")
    subsets = {subset["hf_subset"]: subset for subset in read_result(file).scores["test"]}
    assert subsets["hard"]["mrr"] == pytest.approx(whole_run.summary["connect.auto.hard.mrr"] / 100, abs=1e-5)
    assert not (whole_run.out / "results" / "isthmus__raw").exists()


def test_the_connector_saved_is_that_of_auto(whole_run: Run) -> None:
    assert Connector.load(whole_run.out / "connector").fingerprint == whole_run.connector("auto").fingerprint


PLACES = {
    "recipe": ["literal", "paired", "unpaired"],
    "gallery": ["seen", "unseen", "hard", "unseen_style", "unseen_voice", "missing", "own"],
    "direction": [f"{a}_to_{b}" for a in ("image", "audio", "text") for b in ("image", "audio", "text")],
    "modality": ["image", "audio", "text"],
    "figure": [
        "joint_use",
        "joint_use_by_all",
        "same_top_code",
        "pointing",
        "pointing_by_part",
        "iou",
        "transfer",
        "purity",
        "nmi",
        "named",
    ],
    "method": [f"{name}{csls}" for name in (*methods.METHODS, *methods.ORACLES) for csls in ("", "_csls")],
    "variant": [*methods.ABLATION, "csls"],
}
"""What a placeholder in the documentation may stand for; other placeholders stand for one word."""


def undocumented(summary: dict[str, float]) -> list[str]:
    text = (Path(__file__).parents[2] / "docs" / "demo.md").read_text()
    names = re.findall(r"^\| `([^`]+)` +\|", text, re.MULTILINE)

    def alternatives(match: re.Match[str]) -> str:
        return "(" + "|".join(PLACES.get(match[1], ["[a-z0-9_]+"])) + ")"

    patterns = [re.compile(re.sub(r"<(\w+)>", alternatives, re.escape(name)) + "$") for name in names]
    return [name for name in summary if not any(pattern.match(name) for pattern in patterns)]


def test_every_name_in_the_summary_is_documented(whole_run: Run) -> None:
    assert undocumented(whole_run.summary) == []
    assert undocumented({"connect.auto.seen.r2": 1.0}) == ["connect.auto.seen.r2"]


def test_codes_are_trained_judged_and_shown(digits: DigitsWorld, tmp_path: Path) -> None:
    small = digits.world("test", Sizes(texts=200, memory=200, pairs=200, gallery=30))
    brief = CodesConfig(restarts=1, optimisation=replace(BRIEF, min_steps=5))
    recipes = {name: own for name, own in code_recipes(brief).items() if name != "literal"}
    shown = DigitsDemo(digits)
    make_data = partial(code_data, shown, small, 200, 20)
    data = []

    def made(connector: Connector) -> Any:
        data.append(make_data(connector=connector))
        return data[0]

    plan = replace(CLOSED_FORMS, recipes=recipes)
    run.run_plan(plan, shown, small, made, tmp_path, seed=0, started=time.perf_counter())
    summary = Run.read(tmp_path).summary
    assert undocumented(summary) == []
    assert len(data) == 1
    for name, prefix in (("paired", "codes."), ("unpaired", "codes.unpaired.")):
        (folder,) = (tmp_path / "stages").glob(f"codes_{name}-*")
        model = CodeModel.load(folder / "codes")
        expected = headline_figures(code_figures(model.token_codes, data[0].training, data[0].galleries))
        found = figures_of(summary, prefix)
        assert {figure: found[figure] for figure in expected} == pytest.approx(expected, abs=1e-4)
    directions = ("text_to_image", "audio_to_image", "text_to_audio", "image_to_audio")
    pointed = [summary[f"codes.pointing.{direction}.seen"] for direction in directions]
    assert summary["codes.pointing.seen"] == pytest.approx(np.mean(pointed), abs=1e-4)

    saved = CodeModel.load(tmp_path / "codes")
    page = (tmp_path / "report.html").read_text()
    assert page.count('<svg class="heat"') == code_sections.LOCATED
    assert page.count("in an image</figcaption>") == 2 * code_sections.LOCATED
    codes = [int(code) for code in re.findall(r"<h3>[a-z]+ <small>code ([0-9]+)</small></h3>", page)]
    assert codes
    assert set(codes) <= set(range(len(saved.codebook)))
