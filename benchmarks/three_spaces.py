"""Three spaces: audio retrieves point clouds through texts and images; losses of the base; mixtures of two spaces.

The digits world of real recordings with a third space of point clouds and images. No method sees a pair of audio and
points, of audio and image, or of text and points. The paired oracle connects two spaces by 8000 true pairs of audio
and points, with the same projectors and with closed forms. Use `--split dev` for tuning, `--split test` once.

    python benchmarks/three_spaces.py --images mnist_8k.npz --speech fsdd_8k.npz --split dev --seeds 0 1 2
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import isthmus
from digits import spaces_recipe
from isthmus.base.progress import Stage, reporting
from isthmus.connectors.graph.joint import fit_joint
from isthmus.embeddings import Embeddings
from isthmus.metrics import retrieval
from isthmus.worlds.digits.build import build
from isthmus.worlds.digits.concepts import draw_distinct
from isthmus.worlds.digits.recordings.handwriting_files import load_handwriting
from isthmus.worlds.digits.recordings.recordings import Recordings
from isthmus.worlds.digits.recordings.speech_files import load_speech
from worlds.points_space import PointsRecipe, SolidDigits, build_solids

TEXTS, MEMORY, PAIRS, GALLERY = 12_000, 8_000, 8_000, 1_000


@dataclass(frozen=True)
class Materials:
    """The three sets, true pairs for the oracle, and a gallery of one set of sequences in every modality."""

    sets: list[dict[str, Embeddings]]
    pairs: tuple[Embeddings, Embeddings]
    gallery: dict[str, Embeddings]
    concepts: np.ndarray


def materials(solid: SolidDigits, split: str, seed: int) -> Materials:
    """Texts, images, audio and points are drawn independently; images are in two spaces."""
    world = solid.world
    draws = {
        role: draw_distinct(world.concepts["train"], count, np.random.default_rng([seed, number]))
        for number, (role, count) in enumerate(
            {"text": TEXTS, "image": MEMORY, "audio": MEMORY, "points": MEMORY, "pairs": PAIRS}.items()
        )
    }
    asked = draw_distinct(world.concepts[split], GALLERY, np.random.default_rng([seed, 9]))
    images = world.embed_images(draws["image"], "train", seed)
    sets = [
        {"text": world.embed_texts(draws["text"], world.image_space), "image": images},
        {
            "text": world.embed_texts(draws["text"], world.audio_space),
            "audio": world.embed_audio(draws["audio"], "train", seed),
        },
        {"image": solid.embed_images(images.ids), "points": solid.embed_clouds(draws["points"], "train", seed)},
    ]
    pairs = world.embed_audio(draws["pairs"], "train", seed), solid.embed_clouds(draws["pairs"], "train", seed)
    shown = world.embed_images(asked, split, seed)
    gallery = {
        "text": world.embed_texts(asked, world.image_space),
        "spoken text": world.embed_texts(asked, world.audio_space),
        "image": shown,
        "own image": solid.embed_images(shown.ids),
        "audio": world.embed_audio(asked, split, seed),
        "points": solid.embed_clouds(asked, split, seed),
    }
    return Materials(sets, pairs, gallery, asked)


def r1(queries: Embeddings, gallery: Embeddings, concepts: np.ndarray) -> float:
    """R@1 in percent, mean of both directions."""
    labels = concepts, concepts
    both = retrieval(queries, gallery, labels).recall[1], retrieval(gallery, queries, labels).recall[1]
    return 100 * float(np.mean(both))


def oracle(found: Materials) -> dict[str, float]:
    """Audio and points connected by true pairs, by two closed forms and two trained methods."""
    audio, points = found.pairs
    ids = [str(row) for row in range(len(audio))]
    left = {"pair": Embeddings.from_array(audio.vectors, modality="pair", space=audio.space, ids=ids)}
    right = {"pair": Embeddings.from_array(points.vectors, modality="pair", space=points.space, ids=ids)}
    figures = {}
    for name, options in {
        "cca": {"method": "cca", "source": "overlap", "centring": "mean"},
        "ridge": {"method": "ridge", "source": "overlap", "centring": "mean"},
        "cmcr": {"method": "cmcr", "pseudo_weight": 0.0, "contrast": "siglip"},
        "exmcr": {"method": "exmcr", "projector": "two-mlps"},
    }.items():
        joined = isthmus.connect(left, right, overlap="pair", **options)
        projected = [
            joined.project(Embeddings.from_array(own.vectors, modality="pair", space=own.space, ids=own.ids))
            for own in (found.gallery["audio"], found.gallery["points"])
        ]
        figures[f"oracle {name}"] = r1(*projected, found.concepts)
    return figures


def measured(solid: SolidDigits, split: str, seed: int) -> dict[str, float]:
    """Every figure of one seed."""
    found = materials(solid, split, seed)
    own, concepts = found.gallery, found.concepts
    figures = {
        "image-text, before": r1(own["image"], own["text"], concepts),
        "audio-text, before": r1(own["audio"], own["spoken text"], concepts),
        "points-image, before": r1(own["points"], own["own image"], concepts),
        **oracle(found),
    }
    graphs = {
        "joint auto": fit_joint(found.sets),
        "star exmcr": isthmus.connect_graph(found.sets, method="exmcr", base="digits-image", seed=seed),
    }
    for name, graph in graphs.items():
        joint = {modality: graph.project(embeddings) for modality, embeddings in own.items()}
        figures[f"{name}: audio-points"] = r1(joint["audio"], joint["points"], concepts)
        figures[f"{name}: audio-image"] = r1(joint["audio"], joint["image"], concepts)
        figures[f"{name}: text-points"] = r1(joint["text"], joint["points"], concepts)
        figures[f"{name}: image-text"] = r1(joint["image"], joint["text"], concepts)
        figures[f"{name}: audio-text"] = r1(joint["audio"], joint["spoken text"], concepts)
        if name in ("star exmcr", "joint auto"):
            for weight in (0.0, 0.25, 0.5, 0.75, 1.0):
                mixed = isthmus.mix_embeddings([joint["text"], joint["spoken text"]], [1 - weight, weight])
                figures[f"{name}: audio-mixed text {weight}"] = r1(joint["audio"], mixed, concepts)
                figures[f"{name}: image-mixed text {weight}"] = r1(joint["image"], mixed, concepts)
    two = isthmus.connect(found.sets[0], found.sets[1], method="cmcr", seed=seed)
    figures["cmcr: image-text"] = r1(two.project(own["image"]), two.project(own["text"]), concepts)
    figures["cmcr: audio-image"] = r1(two.project(own["audio"]), two.project(own["image"]), concepts)
    return figures


def main() -> None:
    """Run every seed, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--split", choices=["dev", "test"], default="dev")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=Path("three_spaces.json"))
    given = parser.parse_args()
    source = Recordings("real digits", load_handwriting(given.images), load_speech(given.speech))
    every = []
    for seed in given.seeds:
        recipe = PointsRecipe(seed=3 + 10 * seed)
        world = build(source, spaces_recipe(seed))
        stage = Stage(f"training the third space, seed {seed}", recipe.image_steps + recipe.steps)
        with reporting(True) as report:
            solid = build_solids(world, recipe, lambda step, loss: report(stage.at(step + 1, loss=loss)))  # noqa: B023
        every.append(measured(solid, given.split, seed))
        print(json.dumps({"seed": seed, **every[-1]}), flush=True)
    table = {name: [round(own[name], 1) for own in every] for name in every[0]}
    means = {name: f"{np.mean(values):.1f} ({min(values):.1f} to {max(values):.1f})" for name, values in table.items()}
    facts = {"split": given.split, "seeds": given.seeds, "each": table, "mean": means}
    given.out.write_text(json.dumps(facts, indent=1))
    print(json.dumps(means, indent=1))


if __name__ == "__main__":
    main()
