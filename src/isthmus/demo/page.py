"""The demo's page: examples, comparison of methods, plots, the connector's own report, codes and times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from isthmus.connectors.connector import Connector
from isthmus.demo.code_stages import CodeRecipe
from isthmus.demo.methods import ABLATION, ABLATION_TEXTS, BRIEF, CSLS, SHOWN, ComparedMethod
from isthmus.demo.search_examples import search_examples
from isthmus.demo.stages import Outcome
from isthmus.demo.world import ItemMedia
from isthmus.metrics import modality_gap
from isthmus.report import Cloud, Page, Row, Section, Table, cloud_panels, grouped_bars, screen, table
from isthmus.worlds.world import World

CLOUD_ROWS = 250
WITH_CSLS = ("auto", "cmcr")


@dataclass(frozen=True)
class DemoResults:
    """Everything a run of the demo produced. ``outcomes`` (by method) and ``ablation`` (by variant) are the stages'."""

    media: ItemMedia
    world: World
    connector: Connector
    methods: Mapping[str, ComparedMethod]
    outcomes: Mapping[str, Outcome]
    ablation: Mapping[str, Outcome]
    recipes: Mapping[str, CodeRecipe]
    seconds: Mapping[str, float]
    codes: Sequence[Section] = ()

    @property
    def oracle(self) -> str:
        """The oracle that methods are measured against: the trained one, or the closed form in a quick run."""
        return "oracle" if "oracle" in self.outcomes else "oracle_cca"


def demo_page(results: DemoResults, total_seconds: float) -> Page:
    """The page."""
    shown, oracle = (results.outcomes[name]["galleries"] for name in (SHOWN, results.oracle))
    first = next(iter(results.world.galleries))
    size = len(results.world.galleries[first].left)
    sections = [
        _examples(results),
        *results.codes[:1],
        _comparison(results),
        _bars(results),
        _gap(results),
        *([_ablation(results)] if results.ablation else []),
        _connector_report(results),
        *results.codes[1:],
        _times(results, total_seconds),
    ]
    return Page(
        title=results.media.texts.title,
        lead=results.media.texts.lead,
        facts=(
            (f"{shown[f'{first}.r1']:.0f} %", f"R@1 in a gallery of {size}"),
            (f"{100 / size:.1f} %", "R@1 by chance"),
            (f"{oracle[f'{first}.r1']:.0f} %", "R@1 with true pairs (oracle)"),
            ("0", "image-audio pairs used"),
        ),
        sections=tuple(sections),
    )


def _examples(results: DemoResults) -> Section:
    shown = {
        modality: search_examples(results.media, results.world, results.connector, modality)
        for modality in ("image", "audio")
    }
    return Section(
        "See and hear it",
        "Beside each bar is a query never seen in training; its five best hits in the other modality by the default "
        f"connector follow, the best first. Press play to listen. ✓ marks {results.media.texts.match}, ✗ a different "
        "one.",
        (
            "<h3>Image queries, audio hits</h3>",
            shown["image"],
            "<h3>Audio queries, image hits</h3>",
            shown["audio"],
        ),
    )


def _comparison(results: DemoResults) -> Section:
    titles = map(results.media.texts.gallery, results.world.galleries)
    columns = [f"{title}, {metric}" for title in titles for metric in ("R@1", "MRR")]
    rows = []
    for name, method in results.methods.items():
        outcome = results.outcomes[name]
        kind: Literal["plain", "reference"] = "reference" if name.startswith("oracle") else "plain"
        rows.append(_comparison_row(results, method.label, method.note, outcome["galleries"], kind))
        if name in WITH_CSLS:
            label = f"{method.label} {CSLS.label}"
            rows.append(_comparison_row(results, label, CSLS.note, outcome["galleries_csls"], "plain"))
    return Section(
        "Every method on every gallery",
        "In percent, mean of both directions. R@1: queries whose best hit is right; MRR: mean reciprocal rank of the "
        f"right item. Galleries: {results.media.texts.gallery_note}. The oracles (italics) were given true pairs.",
        (table(Table("method", (*columns, "R@1 against oracle"), tuple(rows))),),
    )


def _comparison_row(
    results: DemoResults, label: str, note: str, figures: Mapping[str, float], kind: Literal["plain", "reference"]
) -> Row:
    galleries = list(results.world.galleries)
    if not figures:
        return Row(label, (None,) * (2 * len(galleries) + 1), "plain", "impossible: dimensions differ")
    cells = [figures[f"{name}.{metric}"] for name in galleries for metric in ("r1", "mrr")]
    oracle = results.outcomes[results.oracle]["galleries"]
    shares = [figures[f"{name}.r1"] / max(oracle[f"{name}.r1"], 1e-9) for name in galleries]
    share = f"{100 * sum(shares) / len(shares):.0f} %"
    return Row(label, (*cells, share), kind, note)


def _bars(results: DemoResults) -> Section:
    galleries, titled = list(results.world.galleries), results.media.texts.gallery
    plain = {name: own for name, own in results.methods.items() if not name.startswith("oracle")}
    values = {
        titled(gallery): {
            own.label: results.outcomes[name]["galleries"].get(f"{gallery}.r1", 0.0) for name, own in plain.items()
        }
        for gallery in galleries
    }
    oracle = results.outcomes[results.oracle]["galleries"]
    references = {titled(gallery): oracle[f"{gallery}.r1"] for gallery in galleries}
    label = results.methods[results.oracle].label.lower()
    return Section(
        "How close to having pairs",
        "R@1 of each method; the dashed line is R@1 with true image-audio pairs on the same data.",
        (grouped_bars(values, references, label, "R@1 in percent"),),
    )


def _gap(results: DemoResults) -> Section:
    world, connector = results.world, results.connector
    gallery = next(iter(world.galleries.values()))
    overlap, names = world.overlap, (gallery.left.modality, gallery.right.modality)
    before = [
        Cloud(f"{name} space, before", {text: side[text].vectors[:CLOUD_ROWS] for text in (overlap, name)})
        for name, side in zip(names, (world.left, world.right), strict=True)
    ]
    texts = world.left[overlap]
    joint = {
        overlap: connector.project(texts.take(np.arange(min(CLOUD_ROWS, len(texts))))).vectors,
        names[0]: connector.project(gallery.left).vectors[:CLOUD_ROWS],
        names[1]: connector.project(gallery.right).vectors[:CLOUD_ROWS],
    }
    gap = modality_gap(joint[names[0]], joint[names[1]])
    after = Cloud(f"joint space\n{names[0]}-{names[1]} gap {gap:.2f}", joint)
    return Section(
        "The modality gap, before and after",
        "Each dot is one item on the first two principal axes of its space; large dots are the means of the "
        "modalities, and the gap is the distance between them. Before, the two spaces have only the texts in common; "
        "after, images, audio and texts are in one space.",
        (cloud_panels([*before, after]),),
    )


def _ablation(results: DemoResults) -> Section:
    galleries, titled = list(results.world.galleries), results.media.texts.gallery
    rows = [
        Row(own.label, tuple(results.ablation[name]["galleries"][f"{g}.r1"] for g in galleries), note=own.note)
        for name, own in ABLATION.items()
    ]
    csls = results.ablation["full"]["galleries_csls"]
    rows.append(Row(CSLS.label, tuple(csls[f"{g}.r1"] for g in galleries), note=CSLS.note))
    return Section(
        "What each component of C-MCR contributes",
        "R@1 in percent with one component removed or replaced at a time. To save time, every row of this table, "
        f"including the first, is trained on the first {ABLATION_TEXTS} texts with a shorter schedule ({BRIEF.epochs} "
        "epochs) than C-MCR above: compare these rows only with each other.",
        (table(Table("variant", tuple(map(titled, galleries)), tuple(rows))),),
    )


def _connector_report(results: DemoResults) -> Section:
    lines = results.outcomes[SHOWN].get("report") or []
    truth = results.outcomes[SHOWN]["galleries"]
    galleries = results.world.galleries
    truths = ", ".join(f"{truth[f'{g}.mrr'] / 100:.2f} on {results.media.texts.gallery(g)}" for g in galleries)
    size = len(next(iter(galleries.values())).left)
    return Section(
        "The connector's own report, without pairs",
        "Your data have no pairs to test with. Every connector therefore measures what can be measured without them, "
        f"estimates its quality, and says whether to trust it. The truth here (MRR, gallery of {size}): {truths}.",
        (screen(lines),),
    )


def _times(results: DemoResults, total_seconds: float) -> Section:
    labels = {name: own.label for name, own in results.methods.items()}
    labels |= {f"codes_{name}": own.label for name, own in results.recipes.items()}
    rows = [Row(labels.get(name, name), (seconds,)) for name, seconds in results.seconds.items()]
    rows.append(Row("this run, up to this page", (total_seconds,), "reference"))
    return Section(
        "Time",
        "Seconds of each part, fitting and evaluation together, from when it was computed; another run with the same "
        "folder reuses finished parts.",
        (table(Table("part", ("seconds",), tuple(rows), marked="none")),),
    )
