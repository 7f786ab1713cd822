"""Search examples: queries of one modality and their best answers in the other, as media."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from isthmus.connectors.connector import Connector
from isthmus.demo.world import ItemMedia
from isthmus.embeddings import Embeddings
from isthmus.report import Answer, Example, audio_html, image_html
from isthmus.search import Index
from isthmus.worlds.world import World

QUERIES, ANSWERS = 2, 5
"""Queries shown of each gallery, and answers to each."""

Render = Callable[[str], str]


def image_queries(media: ItemMedia, world: World, connector: Connector) -> tuple[Example, ...]:
    """Image queries of every gallery and the audio found for them."""
    shown: list[Example] = []
    for name, gallery in world.galleries.items():
        truth = gallery.left_concepts, gallery.right_concepts
        renders = _render_image(media), _render_audio(media)
        shown += _first_queries(name, gallery.left, gallery.right, truth, connector, renders, media)
    return tuple(shown)


def audio_queries(media: ItemMedia, world: World, connector: Connector) -> tuple[Example, ...]:
    """Audio queries of every gallery and the images found for them."""
    shown: list[Example] = []
    for name, gallery in world.galleries.items():
        truth = gallery.right_concepts, gallery.left_concepts
        renders = _render_audio(media), _render_image(media)
        shown += _first_queries(name, gallery.right, gallery.left, truth, connector, renders, media)
    return tuple(shown)


def _first_queries(
    gallery: str,
    queries: Embeddings,
    items: Embeddings,
    truth: tuple[np.ndarray, np.ndarray],
    connector: Connector,
    renders: tuple[Render, Render],
    media: ItemMedia,
) -> list[Example]:
    """The first queries of a gallery; its order is random, so they are not chosen for their answers."""
    rows = np.arange(min(QUERIES, len(queries)))
    hits = Index(connector.project(items)).search(connector.project(queries.take(rows)), k=ANSWERS)
    shown = []
    for row, best in zip(rows, hits.rows, strict=True):
        answers = tuple(
            Answer(renders[1](items.ids[item]), media.words(items.ids[item]), bool(truth[0][row] == truth[1][item]))
            for item in best
        )
        caption = f"{media.words(queries.ids[row])} ({gallery})"
        shown.append(Example(renders[0](queries.ids[row]), caption, answers))
    return shown


def _render_image(media: ItemMedia) -> Render:
    return lambda item: image_html(media.image(item), media.words(item))


def _render_audio(media: ItemMedia) -> Render:
    return lambda item: audio_html(*media.waveform(item))
