"""Search examples: queries of one modality and their best answers in the other, as media."""

from __future__ import annotations

import numpy as np

from isthmus.connectors.connector import Connector
from isthmus.demo.world import ItemMedia
from isthmus.embeddings import Embeddings
from isthmus.report import Answer, Example, audio_html, image_html
from isthmus.search import Index
from isthmus.worlds.world import World

QUERIES, ANSWERS = 2, 5
"""Queries shown of each gallery, and answers to each."""


def search_examples(media: ItemMedia, world: World, connector: Connector, modality: str) -> tuple[Example, ...]:
    """The first queries of this modality in every gallery, and the items of the other modality found for them.

    A gallery's order is random, so its first queries are not chosen for their answers.
    """
    shown: list[Example] = []
    for name, gallery in world.galleries.items():
        queries, items, relevant = gallery.left, gallery.right, gallery.relevant()
        if modality != queries.modality:
            queries, items, relevant = items, queries, relevant.T
        rows = np.arange(min(QUERIES, len(queries)))
        hits = Index(connector.project(items)).search(connector.project(queries.take(rows)), k=ANSWERS)
        for row, best in zip(rows, hits.rows, strict=True):
            query, ids = queries.ids[row], [items.ids[item] for item in best]
            answers = [
                Answer(_html(media, items, item), media.words(item), bool(right))
                for item, right in zip(ids, relevant[row, best], strict=True)
            ]
            shown.append(Example(_html(media, queries, query), f"{media.words(query)} ({name})", tuple(answers)))
    return tuple(shown)


def _html(media: ItemMedia, embeddings: Embeddings, item: str) -> str:
    if embeddings.modality == "image":
        return image_html(media.image(item), media.words(item))
    return audio_html(*media.waveform(item))
