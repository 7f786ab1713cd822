"""Written: the page's part on codes, what each stands for, where things are, and how well codes are shared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from isthmus.codes.model.model import CodeModel
from isthmus.codes.reading.table import code_table
from isthmus.demo.alphabet import WRITTEN, Writer, headlines
from isthmus.demo.lessons import Lessons
from isthmus.demo.scene import Scene
from isthmus.demo.stages import Outcome
from isthmus.evaluate.pointing import label_queries
from isthmus.evaluate.token_labels import LabelledTokens
from isthmus.localize import Spot, agreement, spot, touching
from isthmus.report import Row, Section, Table, picture, sound, table
from isthmus.report.code_rows import CodeShown, code_rows
from isthmus.report.heat import heat_picture, heat_sound
from isthmus.report.located import LocatedShown, located
from isthmus.report.page import paragraphs

LOCATED = 3
"""Things located on the page, each in three ways."""
CROPS, SNIPPETS = 3, 2
"""Pieces of pictures and of sounds shown for a code."""
LEAST_PIECE = 2
"""Tokens of one code in a row that make a piece."""
SHOWN = {
    "joint_use": "joint use",
    "same_top_code": "same top code",
    "transfer.image_to_audio.seen": "learned on pictures' codes, tried on sounds'",
    "transfer.audio_to_image.seen": "learned on sounds' codes, tried on pictures'",
    "pointing.seen": "pointing",
    "iou.seen": "overlap of regions",
    "transfer.image_to_audio.unseen": "pictures' to an unseen voice's",
}


@dataclass(frozen=True)
class Writing:
    """What the code part of the page is made of: ``outcomes`` are those of the stages, by writer."""

    scene: Scene
    lessons: Lessons
    model: CodeModel
    writers: Mapping[str, Writer]
    outcomes: Mapping[str, Outcome]

    @property
    def gallery(self) -> Mapping[str, LabelledTokens]:
        """The items that are shown."""
        return self.lessons.asked["seen"]


def code_sections(writing: Writing) -> list[Section]:
    """The sections, in order."""
    return [_located(writing), _table(writing), _figures(writing)]


def _located(writing: Writing) -> Section:
    model, lessons, gallery = writing.model, writing.lessons, writing.gallery
    log_codes = {name: model.token_codes(own.tokens) for name, own in gallery.items()}
    taught = {name: (model.token_codes(own.tokens), own.labels()) for name, own in lessons.taught.items()}
    queries = {name: label_queries(*own, count=_labels(lessons)) for name, own in taught.items()}
    shown = []
    for row in range(min(LOCATED, len(gallery["image"].tokens), len(gallery["audio"].tokens))):
        label = int(gallery["image"].regions[row].labels[row % 2])
        word = lessons.names[label]
        shown += [
            LocatedShown(
                f"the word “{word}”, in a picture", _in_picture(writing, row, log_codes, queries["text"][label])
            ),
            LocatedShown(
                f"the sound of “{word}”, in a picture", _in_picture(writing, row, log_codes, queries["audio"][label])
            ),
            LocatedShown(
                f"a picture of {label}, in speech: the whole, then what was found",
                _in_speech(writing, row, log_codes, queries["image"][label]),
            ),
        ]
    return Section(
        "Where is it?",
        "The codes that stand for a word, a sound or a picture are looked for in an item never seen in training: warm "
        "is where they are used, the frame is the region found. The items are the gallery's first, none is picked.",
        (located(shown),),
    )


def _labels(lessons: Lessons) -> int:
    return 1 + max(int(own.labels().max()) for own in lessons.taught.values())


def _in_picture(writing: Writing, row: int, log_codes: Mapping[str, np.ndarray], query: np.ndarray) -> str:
    item, places, found = _found(writing.gallery["image"], row, log_codes["image"], query)
    return heat_picture(writing.scene.image(item), places, found.heat, found.region, writing.scene.words(item))


def _in_speech(writing: Writing, row: int, log_codes: Mapping[str, np.ndarray], query: np.ndarray) -> str:
    item, places, found = _found(writing.gallery["audio"], row, log_codes["audio"], query)
    samples, rate = writing.scene.waveform(item)
    start, end = (int(second * rate) for second in found.region)
    drawn = heat_sound(samples, rate, places, found.heat, found.region, writing.scene.words(item))
    return drawn + sound(samples, rate) + sound(samples[start:end], rate)


def _found(items: LabelledTokens, row: int, log_codes: np.ndarray, query: np.ndarray) -> tuple[str, np.ndarray, Spot]:
    own = slice(items.tokens.offsets[row], items.tokens.offsets[row + 1])
    places = items.tokens.places[own]
    return items.tokens.ids[row], places, spot(agreement(log_codes[own], query), places, touching(places))


def _table(writing: Writing) -> Section:
    codes = {name: writing.model.assign(own.tokens) for name, own in writing.gallery.items()}
    labels = {name: own.labels() for name, own in writing.gallery.items()}
    rows = [
        CodeShown(
            row.code,
            "between things" if row.label < 0 else writing.lessons.names[row.label],
            None if row.label < 0 else row.f1("audio"),
            {name: (row.precision[name], row.use[name]) for name in codes},
            {"seen": _crops(writing, codes["image"], row.code), "heard": _snippets(writing, codes["audio"], row.code)},
        )
        for row in code_table(codes, labels, len(writing.model.codebook))
    ]
    return Section(
        "The alphabet",
        "Every picture, sound and text is written in these codes. A code stands for what is shown where it is used: "
        "precision is the share of its uses that show it, use the share of a modality's tokens written with it, F1 "
        "joins precision with the share of the word's sound that the code covers. Pieces are the longest "
        "in the gallery's first items.",
        (code_rows(rows),),
    )


def _crops(writing: Writing, codes: np.ndarray, code: int) -> list[str]:
    shown = []
    for item, places in _pieces(writing.gallery["image"], codes, code, CROPS):
        left, right = int(places[0, 0]), int(places[-1, 2])
        shown.append(picture(writing.scene.image(item)[:, left:right], f"code {code} in a picture"))
    return shown


def _snippets(writing: Writing, codes: np.ndarray, code: int) -> list[str]:
    shown = []
    for item, places in _pieces(writing.gallery["audio"], codes, code, SNIPPETS):
        samples, rate = writing.scene.waveform(item)
        shown.append(sound(samples[int(places[0, 0] * rate) : int(places[-1, 1] * rate)], rate))
    return shown


def _pieces(items: LabelledTokens, codes: np.ndarray, code: int, most: int) -> list[tuple[str, np.ndarray]]:
    """The longest run of a code in each of the first items that have one: the item, and the places of its tokens."""
    found = []
    for row, item in enumerate(items.tokens.ids):
        start, end = items.tokens.offsets[row : row + 2]
        uses = np.flatnonzero(codes[start:end] == code)
        runs = np.split(uses, np.flatnonzero(np.diff(uses) > 1) + 1)
        longest = max(runs, key=len)
        if len(longest) >= LEAST_PIECE:
            found.append((item, items.tokens.places[start:end][longest]))
        if len(found) == most:
            break
    return found


def _figures(writing: Writing) -> Section:
    rows = []
    for name, writer in writing.writers.items():
        figures = headlines(writing.outcomes[name]["figures"])
        rows.append(Row(writer.label, tuple(100 * figures[figure] for figure in SHOWN), note=writer.note))
    return Section(
        "Are the codes shared?",
        "In percent. Joint use: codes of which no modality has more than 90 % of the uses. Same top code: digits whose "
        "most frequent code is the same in pictures, sounds and texts. Then a classifier is taught on one modality's "
        "codes and tried on another's. Pointing: how often the hottest place lies in what was asked for; overlap: "
        "intersection over union of the region found with the true one.",
        (
            table(Table("codes learned", tuple(SHOWN.values()), tuple(rows))),
            "<h3>What the codes say of themselves, without labels</h3>",
            paragraphs(tuple(writing.outcomes[WRITTEN]["health"])),
        ),
    )
