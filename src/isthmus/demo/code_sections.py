"""The page's sections on codes: what each code stands for, where things are, and how far codes are shared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from isthmus.codes.model.model import CodeModel
from isthmus.codes.reading.table import code_table
from isthmus.demo.code_data import CodeData
from isthmus.demo.code_stages import SHOWN_CODES, CodeRecipe, headline_figures
from isthmus.demo.stages import Outcome
from isthmus.demo.world import ItemMedia
from isthmus.evaluate.pointing import label_queries
from isthmus.evaluate.token_labels import LabelledTokens
from isthmus.localize import Spot, agreement, spot, touching
from isthmus.report import (
    CodeEntry,
    LocatedExample,
    Row,
    Section,
    Table,
    audio_html,
    bullets,
    codes_table,
    heat_image,
    heat_waveform,
    image_html,
    located_examples,
    table,
)

LOCATED = 3
"""Labels located on the page, each in three ways."""
CROPS, SNIPPETS = 3, 2
"""Crops of images and snippets of audio shown per code."""
LEAST_RUN = 2
"""Tokens of one code in a row that make a crop or snippet."""
COLUMNS = {
    "joint_use": "joint use",
    "same_top_code": "same top code",
    "transfer.image_to_audio.seen": "transfer image → audio",
    "transfer.audio_to_image.seen": "transfer audio → image",
    "pointing.seen": "pointing",
    "iou.seen": "IoU",
    "transfer.image_to_audio.unseen": "transfer image → unseen speaker",
}


@dataclass(frozen=True)
class CodeResults:
    """What the sections on codes are made of; ``outcomes`` are those of the stages, by recipe."""

    media: ItemMedia
    data: CodeData
    model: CodeModel
    recipes: Mapping[str, CodeRecipe]
    outcomes: Mapping[str, Outcome]

    @property
    def gallery(self) -> Mapping[str, LabelledTokens]:
        """The items that are shown."""
        return self.data.galleries["seen"]


def code_sections(results: CodeResults) -> list[Section]:
    """The sections, in order."""
    return [_located(results), _codes(results), _figures(results)]


def _located(results: CodeResults) -> Section:
    model, data, gallery = results.model, results.data, results.gallery
    log_codes = {name: model.token_codes(own.tokens) for name, own in gallery.items()}
    training = {name: (model.token_codes(own.tokens), own.labels()) for name, own in data.training.items()}
    labels = 1 + max(int(own.max()) for _, own in training.values())
    queries = {name: label_queries(*own, count=labels) for name, own in training.items()}
    shown = []
    for row in range(min(LOCATED, len(gallery["image"].tokens), len(gallery["audio"].tokens))):
        label = int(gallery["image"].regions[row].labels[row % 2])
        word = data.names[label]
        in_image = {name: _in_image(results, row, log_codes, queries[name][label]) for name in ("text", "audio")}
        in_audio = _in_audio(results, row, log_codes, queries["image"][label])
        shown += [
            LocatedExample(f"text query “{word}” in an image", in_image["text"]),
            LocatedExample(f"audio query “{word}” in an image", in_image["audio"]),
            LocatedExample(f"image query {label} in audio: the whole clip, then the region found", in_audio),
        ]
    return Section(
        "Where is it?",
        "Codes locate a text, audio or image query in items never seen in training. Colour shows where the query's "
        "codes are used, the frame is the region found. The items are the first of the gallery; none was selected.",
        (located_examples(shown),),
    )


def _in_image(results: CodeResults, row: int, log_codes: Mapping[str, np.ndarray], query: np.ndarray) -> str:
    item, places, found = _find(results.gallery["image"], row, log_codes["image"], query)
    return heat_image(results.media.image(item), places, found.heat, found.region, results.media.words(item))


def _in_audio(results: CodeResults, row: int, log_codes: Mapping[str, np.ndarray], query: np.ndarray) -> str:
    item, places, found = _find(results.gallery["audio"], row, log_codes["audio"], query)
    samples, rate = results.media.waveform(item)
    start, end = (int(second * rate) for second in found.region)
    drawn = heat_waveform(samples, rate, places, found.heat, found.region, results.media.words(item))
    return drawn + audio_html(samples, rate) + audio_html(samples[start:end], rate)


def _find(items: LabelledTokens, row: int, log_codes: np.ndarray, query: np.ndarray) -> tuple[str, np.ndarray, Spot]:
    own = slice(items.tokens.offsets[row], items.tokens.offsets[row + 1])
    places = items.tokens.places[own]
    return items.tokens.ids[row], places, spot(agreement(log_codes[own], query), places, touching(places))


def _codes(results: CodeResults) -> Section:
    codes = {name: results.model.assign(own.tokens) for name, own in results.gallery.items()}
    labels = {name: own.labels() for name, own in results.gallery.items()}
    entries = [
        CodeEntry(
            row.code,
            "no label" if row.label < 0 else results.data.names[row.label],
            None if row.label < 0 else row.f1("audio"),
            {name: (row.precision[name], row.use[name]) for name in codes},
            {"image": _crops(results, codes["image"], row.code), "audio": _snippets(results, codes["audio"], row.code)},
        )
        for row in code_table(codes, labels, len(results.model.codebook))
    ]
    return Section(
        "The codebook",
        "The codes that images, audio and texts share. A code stands for the label its tokens show most often. "
        "Precision: share of the code's tokens that show the label. Use: share of a modality's tokens that have the "
        "code. F1 combines precision with the share of the label's audio that the code covers. Crops and snippets are "
        "the longest runs of the code in the gallery's first items.",
        (codes_table(entries),),
    )


def _crops(results: CodeResults, codes: np.ndarray, code: int) -> list[str]:
    shown = []
    for item, places in _longest_runs(results.gallery["image"], codes, code, CROPS):
        left, right = int(places[0, 0]), int(places[-1, 2])
        shown.append(image_html(results.media.image(item)[:, left:right], f"code {code} in an image"))
    return shown


def _snippets(results: CodeResults, codes: np.ndarray, code: int) -> list[str]:
    shown = []
    for item, places in _longest_runs(results.gallery["audio"], codes, code, SNIPPETS):
        samples, rate = results.media.waveform(item)
        shown.append(audio_html(samples[int(places[0, 0] * rate) : int(places[-1, 1] * rate)], rate))
    return shown


def _longest_runs(items: LabelledTokens, codes: np.ndarray, code: int, most: int) -> list[tuple[str, np.ndarray]]:
    """The longest run of a code in each of the first items that have one: the item and the places of its tokens."""
    found = []
    for row, item in enumerate(items.tokens.ids):
        start, end = items.tokens.offsets[row : row + 2]
        uses = np.flatnonzero(codes[start:end] == code)
        runs = np.split(uses, np.flatnonzero(np.diff(uses) > 1) + 1)
        longest = max(runs, key=len)
        if len(longest) >= LEAST_RUN:
            found.append((item, items.tokens.places[start:end][longest]))
        if len(found) == most:
            break
    return found


def _figures(results: CodeResults) -> Section:
    rows = []
    for name, recipe in results.recipes.items():
        figures = headline_figures(results.outcomes[name]["figures"])
        rows.append(Row(recipe.label, tuple(100 * figures[figure] for figure in COLUMNS), note=recipe.note))
    return Section(
        "Are the codes shared?",
        "In percent. Joint use: codes of which no modality has more than 90 % of the uses. Same top code: digits whose "
        "most frequent code is the same in images, audio and texts. Transfer: accuracy of a classifier trained on one "
        "modality's codes and tested on another's. Pointing: how often the highest heat is inside the thing asked "
        "for. IoU: intersection over union of the region found and the true one.",
        (
            table(Table("recipe", tuple(COLUMNS.values()), tuple(rows))),
            "<h3>The code model's own report, without labels</h3>",
            bullets(results.outcomes[SHOWN_CODES]["health"]),
        ),
    )
