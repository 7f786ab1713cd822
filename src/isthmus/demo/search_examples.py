"""Search examples: queries of one modality and their best answers in the other, as media."""

from __future__ import annotations

from html import escape

import numpy as np

from isthmus.connectors.connector import Connector
from isthmus.demo.world import ItemMedia
from isthmus.report import Answer, Example, audio_html, examples, image_html
from isthmus.search import Index
from isthmus.worlds.world import Gallery, World

QUERIES, ANSWERS = 2, 5
"""Queries shown of each gallery, and answers to each."""


def search_examples(media: ItemMedia, world: World, connector: Connector, modality: str) -> str:
    """The first queries of this modality in every gallery with the items of the other modality found, as HTML.

    A gallery's order is random, so its first queries are not chosen for their answers.
    """
    return "".join(
        f"<h4>{escape(media.texts.gallery(name))}</h4>{examples(_of_gallery(media, gallery, connector, modality))}"
        for name, gallery in world.galleries.items()
    )


def _of_gallery(media: ItemMedia, gallery: Gallery, connector: Connector, modality: str) -> tuple[Example, ...]:
    queries, items, relevant = gallery.left, gallery.right, gallery.relevant()
    if modality != queries.modality:
        queries, items, relevant = items, queries, relevant.T
    rows = np.arange(min(QUERIES, len(queries)))
    hits = Index(connector.project(items)).search(connector.project(queries.take(rows)), k=ANSWERS)
    shown = []
    for row, best in zip(rows, hits.rows, strict=True):
        found = [_shown(media, items.modality, items.ids[item]) for item in best]
        answers = [Answer(*own, bool(right)) for own, right in zip(found, relevant[row, best], strict=True)]
        shown.append(Example(*_shown(media, queries.modality, queries.ids[row]), tuple(answers)))
    return tuple(shown)


def _shown(media: ItemMedia, modality: str, item: str) -> tuple[str, str]:
    """An item as HTML, and its words."""
    if modality == "image":
        return image_html(media.image(item), media.words(item)), media.words(item)
    said = " ".join(word for word, _, _ in media.said(item))
    return audio_html(*media.waveform(item), compact=True), said
