"""Building a digits world: split the recordings, load or train the two spaces, and put everything together."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from isthmus.base.progress import Stage, reporting
from isthmus.worlds.digits.concepts import split_concepts
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.digits.recordings.recordings import Recordings, split_recordings
from isthmus.worlds.digits.recordings.shipped import SHIPPED_WEIGHTS, default_recordings
from isthmus.worlds.digits.spaces.feeds import AudioFeed, ImageFeed, TrainingFeed
from isthmus.worlds.digits.spaces.recipe import Recipe
from isthmus.worlds.digits.spaces.space import build_space
from isthmus.worlds.digits.spaces.training import train_space
from isthmus.worlds.spaces.weights import Spaces, cache_path, load_spaces, recorded, round_to_half, save_spaces


def build(source: Recordings | None = None, recipe: Recipe | None = None) -> DigitsWorld:
    """The digits world of some recordings (by default the shipped ones) with trained spaces.

    Weights come from the package or the cache. If neither has them they are trained, with a progress bar, and cached.
    """
    source, recipe = source or default_recordings(), recipe or Recipe()
    fingerprint = recipe.fingerprint(source.fingerprint)
    for path in (SHIPPED_WEIGHTS, cache_path("digits", fingerprint)):
        if path.exists() and recorded(path).get("fingerprint") == fingerprint:
            return assemble(source, recipe, load_spaces(path, build_spaces(recipe), fingerprint))
    return retrain(source, recipe)


def retrain(source: Recordings | None = None, recipe: Recipe | None = None, out: Path | None = None) -> DigitsWorld:
    """As `build`, but always trains, and writes the weights to ``out`` (by default the cache)."""
    source, recipe = source or default_recordings(), recipe or Recipe()
    fingerprint = recipe.fingerprint(source.fingerprint)
    spaces = build_spaces(recipe)
    world = assemble(source, recipe, spaces)
    feeds: tuple[TrainingFeed, ...] = (world.image_feed, world.audio_feed)
    with reporting(True) as report:
        for space, feed, own in zip(spaces, feeds, (recipe.image, recipe.audio), strict=True):
            stage = Stage(f"training {space.name}", own.steps)
            train_space(
                space,
                feed,
                own,
                world.concepts["train"],
                lambda step, loss, stage=stage: report(stage.at(step + 1, loss=loss)),  # type: ignore[misc]
            )
            feed.forget()
    round_to_half(spaces)
    facts = world.base_retrieval("test")
    save_spaces(out or cache_path("digits", fingerprint), spaces, asdict(recipe), fingerprint, facts)
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


def build_spaces(recipe: Recipe) -> Spaces:
    """The two spaces of a recipe, untrained: image-text, audio-text."""
    return build_space("image", recipe.image), build_space("audio", recipe.audio)
