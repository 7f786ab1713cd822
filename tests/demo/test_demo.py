"""The demo on a small synthetic world: what it writes, that the figures agree, and that a second run goes on."""

import json
import re
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from isthmus.codes.model.config import BRIEF
from isthmus.codes.model.model import CodeModel
from isthmus.connectors.config import CmcrConfig, MethodConfig
from isthmus.connectors.connect import ConnectInput
from isthmus.connectors.connector import Connector
from isthmus.demo import alphabet, bench, contenders, run
from isthmus.demo.lessons import lessons
from isthmus.demo.scene import Scene, fingerprint
from isthmus.evaluate import by_cosine, by_csls, chain, evaluate_galleries
from isthmus.evaluate.code_figures import code_figures
from isthmus.evaluate.results import read_result
from isthmus.training.config import OptimisationConfig
from isthmus.worlds.digits.digits_world import DigitsWorld, Sizes
from isthmus.worlds.world import World

SHORT = OptimisationConfig(epochs=1, min_steps=3)


def make(scene: Scene, world: World, out: Path, *, quick: bool = True) -> dict[str, float]:
    run.show_world(scene, world, out, seed=0, quick=quick, started=time.perf_counter())
    return json.loads((out / "summary.json").read_text())


def test_a_quick_run_writes_page_connector_results_and_summary(scene: Scene, world: World, tmp_path: Path) -> None:
    summary = make(scene, world, tmp_path)
    saved = Connector.load(tmp_path / "connector")
    expected = evaluate_galleries(by_cosine(saved.project), world.galleries)
    corrected = evaluate_galleries(by_csls(saved.project), world.galleries)
    for name, value in expected.items():
        assert summary[f"connect.auto.{name}"] == pytest.approx(value, abs=1e-4)
        assert summary[f"connect.auto_csls.{name}"] == pytest.approx(corrected[name], abs=1e-4)
    chained = evaluate_galleries(chain(world), world.galleries)
    assert summary["connect.chain.hard.mrr"] == pytest.approx(chained["hard.mrr"], abs=1e-4)
    assert summary["connect.oracle_cca.seen.r1"] > 80
    assert summary["memory.peak_mb"] > 50
    assert all(isinstance(value, int | float) for value in summary.values())

    page = (tmp_path / "report.html").read_text()
    assert page.count("<audio") >= 30
    assert f"{summary['connect.auto.seen.r1']:.1f}" in page

    (result,) = (tmp_path / "results" / "isthmus__auto").rglob("*.json")
    subsets = {subset["hf_subset"]: subset for subset in read_result(result).scores["test"]}
    assert subsets["hard"]["mrr"] == pytest.approx(expected["hard.mrr"] / 100)


def test_a_second_run_keeps_finished_stages(
    scene: Scene, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make(scene, world, tmp_path)

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a finished stage was computed again")

    monkeypatch.setattr(bench, "connect_prepared", refuse)
    monkeypatch.setattr(bench, "fit_oracle", refuse)
    second = make(scene, world, tmp_path)
    timed = ("time.total_s", "time.world_s", "memory.")
    assert {name: value for name, value in second.items() if not name.startswith(timed)} == {
        name: value for name, value in first.items() if not name.startswith(timed)
    }


def test_after_an_interruption_only_the_unfinished_stages_are_made(
    scene: Scene, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, made = bench.connect_prepared, []

    def cut_off(prepared: ConnectInput, method: MethodConfig, *rest: Any) -> Connector:
        made.append(type(method).__name__)
        if len(made) == 2:
            raise KeyboardInterrupt
        return whole(prepared, method, *rest)

    monkeypatch.setattr(bench, "connect_prepared", cut_off)
    with pytest.raises(KeyboardInterrupt):
        make(scene, world, tmp_path)
    assert not (tmp_path / "summary.json").exists()
    make(scene, world, tmp_path)
    assert made == ["ProcrustesConfig", "CcaConfig", "CcaConfig", "AutoConfig"]


def test_a_full_run_has_every_method_the_oracle_and_the_ablation(
    scene: Scene, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for table in ("CONTENDERS", "ORACLES", "ABLATION"):
        short = {
            name: replace(own, setting=replace(own.setting, optimisation=SHORT))
            if hasattr(own.setting, "optimisation")
            else own
            for name, own in getattr(contenders, table).items()
        }
        monkeypatch.setattr(run, table, short)
    summary = make(scene, world, tmp_path, quick=False)
    methods = ("chain", "soft_chain", "procrustes", "ridge", "cca", "cmcr", "exmcr", "auto", "oracle", "oracle_cca")
    for method in methods:
        for gallery in world.galleries:
            assert 0 <= summary[f"connect.{method}.{gallery}.r1"] <= 100
            assert f"time.{method}_s" in summary
    assert "connect.raw.seen.r1" not in summary  # 10 and 8 dimensions cannot be compared
    for variant in contenders.ABLATION:
        assert f"ablation.{variant}.hard.r1" in summary
    assert summary["ablation.csls.seen.r1"] >= 0
    page = (tmp_path / "report.html").read_text()
    assert "without completion" in page
    assert "dimensions differ" in page


PLACES = {
    "learned": ["literal", "paired", "unpaired"],
    "gallery": ["seen", "unseen", "hard"],
    "direction": [f"{a}_to_{b}" for a in ("image", "audio", "text") for b in ("image", "audio", "text")],
    "modality": ["image", "audio", "text"],
    "figure": ["joint_use", "joint_use_by_all", "same_top_code", "pointing", "iou", "transfer", "purity", "nmi"],
}
"""What a placeholder of the documentation may stand for; the others for any one word."""


def documented() -> list[re.Pattern[str]]:
    text = (Path(__file__).parents[2] / "docs" / "demo.md").read_text()
    names = re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)

    def alternatives(match: re.Match[str]) -> str:
        return "(" + "|".join(PLACES.get(match[1], ["[a-z0-9_]+"])) + ")"

    return [re.compile(re.sub(r"<(\w+)>", alternatives, re.escape(name)) + "$") for name in names]


def test_every_name_in_the_summary_is_documented(scene: Scene, world: World, tmp_path: Path) -> None:
    patterns = documented()
    assert [name for name in make(scene, world, tmp_path) if not any(p.match(name) for p in patterns)] == []


def test_codes_are_learned_measured_and_shown(
    digits: DigitsWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = digits.world("test", Sizes(texts=600, memory=600, pairs=300, gallery=60))
    brief = replace(alphabet.OURS, restarts=1, optimisation=replace(BRIEF, min_steps=100))
    writers = {name: replace(own, config=brief) for name, own in alphabet.WRITERS.items() if name != "literal"}
    monkeypatch.setattr(run, "QUICK_WRITERS", writers)
    teach = partial(lessons, digits, small, 600, 40)
    run.show_world(
        digits,
        small,
        tmp_path,
        seed=0,
        quick=True,
        started=time.perf_counter(),
        teach=lambda joined: teach(connector=joined),
    )
    summary = json.loads((tmp_path / "summary.json").read_text())
    patterns = documented()
    assert [name for name in summary if not any(p.match(name) for p in patterns)] == []
    for prefix in ("codes", "codes.unpaired"):
        for figure in ("joint_use", "same_top_code", "transfer.image_to_audio.seen", "pointing.seen", "iou.seen"):
            assert 0 <= summary[f"{prefix}.{figure}"] <= 1
    directions = ("text_to_image", "audio_to_image", "text_to_audio", "image_to_audio")
    pointed = [summary[f"codes.pointing.{direction}.seen"] for direction in directions]
    assert summary["codes.pointing.seen"] == pytest.approx(sum(pointed) / 4, abs=1e-4)

    model = CodeModel.load(tmp_path / "codes")
    again = code_figures(model.token_codes, teach().taught, teach().asked)
    assert summary["codes.unpaired.transfer.audio_to_image.seen"] == pytest.approx(
        again["transfer.audio_to_image.seen"], abs=1e-4
    )
    page = (tmp_path / "report.html").read_text()
    assert page.count('<svg class="heat"') == 3
    assert page.count("in a picture</figcaption>") == 6
    assert "The alphabet" in page


def test_each_ablation_changes_what_its_name_says() -> None:
    full = contenders.FULL
    changed = {
        name: {key for key, value in vars(own.setting).items() if value != getattr(full, key)}
        for name, own in contenders.ABLATION.items()
    }
    assert changed == {
        "full": set(),
        "no_consistency": {"pseudo_weight", "intra_weight"},
        "texts_only": {"pseudo_weight", "intra_weight", "noise_variance"},
        "no_noise": {"noise_variance"},
        "no_pseudo_inter": {"pseudo_weight"},
        "no_text_inter": {"overlap_weight"},
        "no_intra": {"intra_weight"},
        "siglip": {"contrast"},
        "matched_centring": {"centring"},
    }
    assert contenders.CONTENDERS["cmcr"].setting == CmcrConfig()


def test_the_fingerprint_follows_vectors_and_truth(world: World) -> None:
    other_truth = {
        name: replace(gallery, left_concepts=gallery.left_concepts[::-1].copy())
        for name, gallery in world.galleries.items()
    }
    prints = {
        fingerprint(world),
        fingerprint(replace(world, galleries=other_truth)),
        fingerprint(replace(world, pairs=None)),
    }
    assert len(prints) == 3
    assert fingerprint(world) == fingerprint(world)
