"""Found: queries of one modality and the best answers of the other, to be seen and heard."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from isthmus.connectors.connector import Connector
from isthmus.demo.scene import Scene
from isthmus.embeddings import Embeddings
from isthmus.report import Example, Found, picture, sound
from isthmus.search import Index
from isthmus.worlds.world import World

QUERIES, ANSWERS = 2, 5
"""Queries shown of each gallery, and answers to each."""

Render = Callable[[str], str]


def sounds_for_images(scene: Scene, world: World, connector: Connector) -> tuple[Example, ...]:
    """Picture queries of every gallery and the sounds found for them."""
    shown: list[Example] = []
    for name, gallery in world.galleries.items():
        truth = gallery.left_concepts, gallery.right_concepts
        renders = _picture_of(scene), _sound_of(scene)
        shown += _found(name, gallery.left, gallery.right, truth, connector, renders, scene)
    return tuple(shown)


def images_for_sounds(scene: Scene, world: World, connector: Connector) -> tuple[Example, ...]:
    """Sound queries of every gallery and the pictures found for them."""
    shown: list[Example] = []
    for name, gallery in world.galleries.items():
        truth = gallery.right_concepts, gallery.left_concepts
        renders = _sound_of(scene), _picture_of(scene)
        shown += _found(name, gallery.right, gallery.left, truth, connector, renders, scene)
    return tuple(shown)


def _found(
    gallery: str,
    queries: Embeddings,
    items: Embeddings,
    truth: tuple[np.ndarray, np.ndarray],
    connector: Connector,
    renders: tuple[Render, Render],
    scene: Scene,
) -> list[Example]:
    """The first queries of a gallery, whose order is random: none is picked for its answers."""
    rows = np.arange(min(QUERIES, len(queries)))
    hits = Index(connector.project(items)).search(connector.project(queries.take(rows)), k=ANSWERS)
    shown = []
    for row, found in zip(rows, hits.rows, strict=True):
        answers = tuple(
            Found(renders[1](items.ids[item]), scene.words(items.ids[item]), bool(truth[0][row] == truth[1][item]))
            for item in found
        )
        caption = f"{scene.words(queries.ids[row])} ({gallery})"
        shown.append(Example(renders[0](queries.ids[row]), caption, answers))
    return shown


def _picture_of(scene: Scene) -> Render:
    return lambda item: picture(scene.image(item), scene.words(item))


def _sound_of(scene: Scene) -> Render:
    return lambda item: sound(*scene.waveform(item))
