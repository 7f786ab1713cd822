"""Building a digits world: split the recordings, load or train the two spaces, and put everything together."""

from __future__ import annotations

from pathlib import Path

from isthmus.base.progress import Stage, reporting
from isthmus.worlds.digits.concepts import split_concepts
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.digits.recordings.recordings import Recordings, split_recordings
from isthmus.worlds.digits.recordings.shipped import SHIPPED_WEIGHTS, default_recordings
from isthmus.worlds.digits.spaces.feeds import AudioFeed, ImageFeed, TrainingFeed
from isthmus.worlds.digits.spaces.recipe import Recipe
from isthmus.worlds.digits.spaces.training import train_space
from isthmus.worlds.digits.spaces.weights import (
    Spaces,
    build_spaces,
    cache_path,
    in_half_precision,
    load_spaces,
    recorded,
    save_spaces,
)


def build(source: Recordings | None = None, recipe: Recipe | None = None) -> DigitsWorld:
    """The digits world of some recordings (by default the shipped ones) with trained spaces.

    Weights come from the package or the cache. If neither has them they are trained, with a progress bar, and cached.
    """
    source, recipe = source or default_recordings(), recipe or Recipe()
    fingerprint = recipe.fingerprint(source.fingerprint)
    for path in (SHIPPED_WEIGHTS, cache_path(fingerprint)):
        if path.exists() and recorded(path).get("fingerprint") == fingerprint:
            return assemble(source, recipe, load_spaces(path, recipe, fingerprint))
    return retrain(source, recipe)


def retrain(source: Recordings | None = None, recipe: Recipe | None = None, out: Path | None = None) -> DigitsWorld:
    """As `build`, but always trains, and writes the weights to ``out`` (by default the cache)."""
    source, recipe = source or default_recordings(), recipe or Recipe()
    fingerprint = recipe.fingerprint(source.fingerprint)
    spaces = build_spaces(recipe)
    world = assemble(source, recipe, spaces)
    feeds: tuple[TrainingFeed, ...] = (world.image_feed, world.audio_feed)
    with reporting(True) as report:
        for space, feed in zip(spaces, feeds, strict=True):
            stage = Stage(f"training {space.name}", space.recipe.steps)
            train_space(
                space,
                feed,
                world.concepts["train"],
                lambda step, loss, stage=stage: report(stage.at(step + 1, loss=loss)),  # type: ignore[misc]
            )
            feed.forget()
    round_to_half(spaces)
    save_spaces(out or cache_path(fingerprint), spaces, recipe, fingerprint, world.base_retrieval("test"))
    return world


def assemble(source: Recordings, recipe: Recipe, spaces: Spaces) -> DigitsWorld:
    """A digits world of its parts."""
    splits = split_recordings(source, recipe.split_seed, recipe.unseen_speaker)
    return DigitsWorld(
        source,
        splits,
        split_concepts(recipe.split_seed),
        *spaces,
        ImageFeed(source.handwriting, splits.images["train"]),
        AudioFeed(source.speech, splits.seen["train"]),
    )


def round_to_half(spaces: Spaces) -> None:
    """Round the weights to float16, so a world that was just trained equals one that was loaded."""
    weights = in_half_precision(spaces)
    for space in spaces:
        own = f"{space.modality}."
        space.load_state_dict({name[len(own) :]: t.float() for name, t in weights.items() if name.startswith(own)})
