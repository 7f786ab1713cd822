"""The showcase: the page that tells a newcomer what the demo did and found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.connectors.connector import Connector
from isthmus.demo.alphabet import WRITERS
from isthmus.demo.contenders import ABLATION, ABLATION_TEXTS, BRIEF, CSLS, SHOWN, Contender
from isthmus.demo.found_examples import images_for_sounds, sounds_for_images
from isthmus.demo.scene import Scene
from isthmus.demo.stages import Outcome
from isthmus.metrics import modality_gap
from isthmus.report import Cloud, Page, Row, Section, Table, cloud_panels, examples, grouped_bars, table
from isthmus.report.page import paragraphs
from isthmus.worlds.world import World

GALLERY_TITLES = {"seen": "seen voices", "unseen": "unseen voice", "hard": "hard: near misses"}
CLOUD_ROWS = 250
WITH_CSLS = ("auto", "cmcr")


@dataclass(frozen=True)
class Findings:
    """Everything a run found. ``outcomes``, by contender, and ``ablation``, by variant, are those of the stages."""

    scene: Scene
    world: World
    connector: Connector
    contenders: Mapping[str, Contender]
    outcomes: Mapping[str, Outcome]
    ablation: Mapping[str, Outcome]
    seconds: Mapping[str, float]
    codes: Sequence[Section] = ()

    @property
    def oracle(self) -> str:
        """The oracle all are measured against: the trained one, or the closed form in a quick run."""
        return "oracle" if "oracle" in self.outcomes else "oracle_cca"


def showcase(found: Findings, total_seconds: float) -> Page:
    """The page."""
    shown, oracle = (found.outcomes[name]["galleries"] for name in (SHOWN, found.oracle))
    first = next(iter(found.world.galleries))
    size = len(found.world.galleries[first].left)
    sections = [
        _examples(found),
        *found.codes[:1],
        _comparison(found),
        _bars(found),
        _gap(found),
        *([_ablation(found)] if found.ablation else []),
        _own_report(found),
        *found.codes[1:],
        _time(found, total_seconds),
    ]
    return Page(
        title="Sounds found by pictures",
        lead=(
            "Two models were trained apart: one knows pictures and text, the other sounds and text. isthmus joined "
            "them through the text alone. No picture was ever paired with a sound, yet each now finds the other."
        ),
        facts=(
            (f"{shown[f'{first}.r1']:.0f} %", f"of queries find their counterpart first among {size}"),
            (f"{100 / size:.1f} %", "would be found by chance"),
            (f"{oracle[f'{first}.r1']:.0f} %", "where true pairs are given (oracle)"),
            ("0", "picture-sound pairs used"),
        ),
        sections=tuple(sections),
    )


def _examples(found: Findings) -> Section:
    return Section(
        "See and hear it",
        "Left: a query never seen in training. Right: the best five answers of the other modality, best first, by the "
        "default connector. Press play to listen. ✓ marks the same number, ✗ another one.",
        (
            "<h3>A picture asks for sounds</h3>",
            examples(sounds_for_images(found.scene, found.world, found.connector)),
            "<h3>A sound asks for pictures</h3>",
            examples(images_for_sounds(found.scene, found.world, found.connector)),
        ),
    )


def _comparison(found: Findings) -> Section:
    galleries = list(found.world.galleries)
    columns = [f"{GALLERY_TITLES.get(name, name)}, {metric}" for name in galleries for metric in ("R@1", "MRR")]
    columns.append("R@1 against oracle")
    rows = []
    for name, contender in found.contenders.items():
        outcome = found.outcomes[name]
        kind = "reference" if name.startswith("oracle") else "plain"
        rows.append(_row(found, contender.label, contender.note, outcome["galleries"], galleries, kind))
        if name in WITH_CSLS:
            label = f"{contender.label} {CSLS.label}"
            rows.append(_row(found, label, CSLS.note, outcome["galleries_csls"], galleries, "plain"))
    return Section(
        "Every method on every gallery",
        "In percent, mean of both directions. R@1: how often the right item comes first; "
        "MRR: mean of one over its rank. Galleries: voices heard in training, a voice never heard, and numbers of "
        "which most differ from another by one digit. The paired oracle (italics) was given true pairs.",
        (table(Table("method", tuple(columns), tuple(rows))),),
    )


def _row(found: Findings, label: str, note: str, figures: Mapping[str, float], galleries: list[str], kind: str) -> Row:
    if not figures:
        return Row(label, (None,) * (2 * len(galleries) + 1), "plain", "dimensions differ: impossible")
    cells = [figures[f"{name}.{metric}"] for name in galleries for metric in ("r1", "mrr")]
    oracle = found.outcomes[found.oracle]["galleries"]
    shares = [figures[f"{name}.r1"] / max(oracle[f"{name}.r1"], 1e-9) for name in galleries]
    share = f"{100 * sum(shares) / len(shares):.0f} %"
    return Row(label, (*cells, share), "reference" if kind == "reference" else "plain", note)


def _bars(found: Findings) -> Section:
    galleries = list(found.world.galleries)
    plain = {name: own for name, own in found.contenders.items() if not name.startswith("oracle")}
    values = {
        GALLERY_TITLES.get(gallery, gallery): {
            own.label: found.outcomes[name]["galleries"].get(f"{gallery}.r1", 0.0) for name, own in plain.items()
        }
        for gallery in galleries
    }
    oracle = found.outcomes[found.oracle]["galleries"]
    references = {GALLERY_TITLES.get(gallery, gallery): oracle[f"{gallery}.r1"] for gallery in galleries}
    label = found.contenders[found.oracle].label.lower()
    return Section(
        "How close to having pairs",
        "R@1 of each method; the dashed line is what the same data reach with true picture-sound pairs.",
        (grouped_bars(values, references, label, "R@1 in percent"),),
    )


def _gap(found: Findings) -> Section:
    gallery = next(iter(found.world.galleries.values()))
    sides = (found.world.left, found.world.right)
    overlap = found.world.overlap
    items = [side[next(name for name in side if name != overlap)].vectors[:CLOUD_ROWS] for side in sides]
    texts = [side[overlap].vectors[:CLOUD_ROWS] for side in sides]
    names = gallery.left.modality, gallery.right.modality
    joint = {
        overlap: found.connector.project(found.world.left[overlap].take(np.arange(CLOUD_ROWS))).vectors,
        names[0]: found.connector.project(gallery.left).vectors[:CLOUD_ROWS],
        names[1]: found.connector.project(gallery.right).vectors[:CLOUD_ROWS],
    }
    clouds = [
        Cloud(f"{name} space, before", {overlap: t, name: i}) for name, t, i in zip(names, texts, items, strict=True)
    ]
    return Section(
        "The gap between modalities, before and after",
        "Each dot is one item, drawn on the two directions in which its space varies most; large dots are the means "
        "and the gap is the distance between them. Before, there are two spaces with nothing in common but the texts; "
        "after, pictures, sounds and texts lie in one.",
        (
            cloud_panels(
                [
                    *clouds,
                    Cloud(
                        f"joint space\n{names[0]}-{names[1]} gap {modality_gap(joint[names[0]], joint[names[1]]):.2f}",
                        joint,
                    ),
                ]
            ),
        ),
    )


def _ablation(found: Findings) -> Section:
    galleries = list(found.world.galleries)
    rows = [
        Row(own.label, tuple(found.ablation[name]["galleries"][f"{g}.r1"] for g in galleries), note=own.note)
        for name, own in ABLATION.items()
    ]
    csls = found.ablation["full"]["galleries_csls"]
    rows.append(Row(CSLS.label, tuple(csls[f"{g}.r1"] for g in galleries), note=CSLS.note))
    return Section(
        "What each component of C-MCR contributes",
        "R@1 in percent with one component taken out or exchanged at a time. To save time every row here, the first "
        f"included, learned from the first {ABLATION_TEXTS} texts on a shorter schedule ({BRIEF.epochs} epochs) "
        "than the C-MCR above; compare rows of this table with each other only.",
        (table(Table("variant", tuple(GALLERY_TITLES.get(g, g) for g in galleries), tuple(rows))),),
    )


def _own_report(found: Findings) -> Section:
    lines = found.outcomes[SHOWN].get("report") or []
    truth = found.outcomes[SHOWN]["galleries"]
    galleries = found.world.galleries
    truths = ", ".join(f"{truth[f'{g}.mrr'] / 100:.2f} on {GALLERY_TITLES.get(g, g)}" for g in galleries)
    size = len(next(iter(galleries.values())).left)
    return Section(
        "What the connector says of itself, without pairs",
        "On your own data there are no pairs to test with. Every connector therefore measures what can be measured "
        f"without them, estimates its quality, and says whether to trust it. Truth here (MRR among {size}): {truths}.",
        (paragraphs(tuple(lines)),),
    )


def _time(found: Findings, total_seconds: float) -> Section:
    labels = {name: own.label for name, own in found.contenders.items()}
    labels |= {f"codes_{name}": own.label for name, own in WRITERS.items()}
    rows = [Row(labels.get(name, name), (seconds,)) for name, seconds in found.seconds.items()]
    rows.append(Row("this run, until this page", (total_seconds,), "reference"))
    return Section(
        "Time",
        "Seconds for each part, fitting and evaluation together, when it ran; a second run into the same folder "
        "takes finished parts as they are.",
        (table(Table("part", ("seconds",), tuple(rows), marked="none")),),
    )
