"""The page's sections on codes: what each code stands for, where things are, and how far codes are shared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from isthmus.codes.model.model import CodeModel
from isthmus.codes.reading.table import code_table
from isthmus.demo.code_data import CodeData
from isthmus.demo.code_regions import CodeRegion, code_regions
from isthmus.demo.code_stages import SHOWN_CODES, CodeRecipe, headline_figures
from isthmus.demo.stages import Outcome
from isthmus.demo.world import ItemMedia
from isthmus.evaluate.pointing import label_queries
from isthmus.evaluate.token_labels import LabelledTokens
from isthmus.localize import Spot, agreement, spot, touching
from isthmus.report import (
    CodeCard,
    LocatedExample,
    Row,
    Section,
    Table,
    audio_html,
    bullets,
    code_cards,
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
CARDS = 150
"""Most codes shown."""
COLUMNS = {
    "joint_use": "joint use",
    "same_top_code": "same top code",
    "transfer.image_to_audio.seen": "transfer image → audio",
    "transfer.audio_to_image.seen": "transfer audio → image",
    "pointing.seen": "pointing",
    "iou.seen": "IoU",
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
    labels = {name: own.labels() for name, own in data.training.items()}
    # The code distributions of one modality at a time: those of many tokens over many codes are large.
    queries = {
        name: label_queries(model.token_codes(own.tokens), labels[name], len(data.names))
        for name, own in data.training.items()
    }
    shown = []
    for row in range(min(LOCATED, len(gallery["image"].tokens), len(gallery["audio"].tokens))):
        things = gallery["image"].regions[row].labels
        label = int(things[row % min(2, len(things))])
        word = data.names[label]
        in_image = {name: _in_image(results, row, label, log_codes, queries[name][label]) for name in ("text", "audio")}
        in_audio = _in_audio(results, row, log_codes, queries["image"][label])
        shown += [
            LocatedExample(f"text query “{word}” in an image", in_image["text"]),
            LocatedExample(f"audio query “{word}” in an image", in_image["audio"]),
            LocatedExample(f"image query “{word}” in audio: the whole clip, then the region found", in_audio),
        ]
    return Section(
        "Where is it?",
        "Codes locate a text, audio or image query in items never seen in training. Colour shows where the query's "
        "codes are used, the thick frame is the region found, and thin frames are the true boxes. Below a waveform, "
        "each word stands where it is spoken. The items are the first of the gallery; none was selected.",
        (located_examples(shown),),
    )


def _in_image(
    results: CodeResults, row: int, label: int, log_codes: Mapping[str, np.ndarray], query: np.ndarray
) -> str:
    item, places, found = _find(results.gallery["image"], row, log_codes["image"], query)
    truth = results.gallery["image"].regions[row]
    boxes = truth.places[truth.labels == label]
    return heat_image(results.media.image(item), places, found.heat, found.region, results.media.words(item), boxes)


def _in_audio(results: CodeResults, row: int, log_codes: Mapping[str, np.ndarray], query: np.ndarray) -> str:
    item, places, found = _find(results.gallery["audio"], row, log_codes["audio"], query)
    samples, rate = results.media.waveform(item)
    start, end = (int(second * rate) for second in found.region)
    said = results.media.said(item)
    description = " ".join(word for word, _, _ in said)
    drawn = heat_waveform(samples, rate, places, found.heat, found.region, description, said)
    return drawn + audio_html(samples, rate, compact=True) + audio_html(samples[start:end], rate, compact=True)


def _find(items: LabelledTokens, row: int, log_codes: np.ndarray, query: np.ndarray) -> tuple[str, np.ndarray, Spot]:
    own = slice(items.tokens.offsets[row], items.tokens.offsets[row + 1])
    places = items.tokens.places[own]
    return items.tokens.ids[row], places, spot(agreement(log_codes[own], query), places, touching(places))


def _codes(results: CodeResults) -> Section:
    codes = {name: results.model.assign(own.tokens) for name, own in results.gallery.items()}
    labels = {name: own.labels() for name, own in results.gallery.items()}
    rows = code_table(codes, labels, len(results.model.codebook))
    named = [row for row in rows if row.label >= 0]
    shown = sorted(named, key=lambda row: -min(map(row.f1, codes)))[:CARDS]
    regions = {name: code_regions(results.gallery[name].tokens, codes[name]) for name in ("image", "audio")}
    cards = [
        CodeCard(
            row.code,
            results.data.names[row.label],
            {name: row.f1(name) if row.use[name] else None for name in codes},
            {
                "image": [_crop(results, own, row.code) for own in regions["image"].get(row.code, ())[:CROPS]],
                "audio": [_snippet(results, own) for own in regions["audio"].get(row.code, ())[:SNIPPETS]],
            },
        )
        for row in shown
    ]
    return Section(
        "The alphabet",
        f"The codes that stand for {results.media.texts.labels}, the best shared between images, audio and texts "
        f"first: {len(shown)} of {len(named)}. The other {len(rows) - len(named)} codes in use stand for everything "
        "else, such as background and silence. A code stands for what its tokens show most often; the foot of a card "
        "has the F1 of the two in percent for each modality. Crops and snippets are places with the code in items "
        "never seen in training.",
        (code_cards(cards),),
    )


def _crop(results: CodeResults, found: CodeRegion, code: int) -> str:
    left, top, right, bottom = (int(edge) for edge in found.place)
    return image_html(results.media.image(found.item)[top:bottom, left:right], f"code {code} in an image")


def _snippet(results: CodeResults, found: CodeRegion) -> str:
    samples, rate = results.media.waveform(found.item)
    start, end = (int(second * rate) for second in found.place)
    return audio_html(samples[start:end], rate, compact=True)


def _figures(results: CodeResults) -> Section:
    columns = {**COLUMNS, **results.media.texts.code_columns}
    rows = []
    for name, recipe in results.recipes.items():
        figures = headline_figures(results.outcomes[name]["figures"])
        rows.append(Row(recipe.label, tuple(100 * figures[figure] for figure in columns), note=recipe.note))
    return Section(
        "Are the codes shared?",
        "In percent. Joint use: codes of which no modality has more than 90 % of the uses. Same top code: "
        f"{results.media.texts.labels} whose most frequent code is the same in images, audio and texts. Transfer: "
        "accuracy of a classifier trained on one modality's codes and tested on another's. Pointing: how often the "
        "highest heat is inside the thing asked for. IoU: intersection over union of the region found and the true "
        "one.",
        (
            table(Table("recipe", tuple(columns.values()), tuple(rows))),
            "<h3>The code model's own report, without labels</h3>",
            bullets(results.outcomes[SHOWN_CODES]["health"]),
        ),
    )
