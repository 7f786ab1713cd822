"""Build a digits world: split the source, find trained spaces or train them, and put everything together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from isthmus.worlds.digits.concepts import split_concepts
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.digits.recordings.recordings import Recordings, split_recordings
from isthmus.worlds.digits.recordings.shipped import SHIPPED_WEIGHTS, default_recordings
from isthmus.worlds.digits.spaces.feeds import PictureFeed, TrainingFeed, UtteranceFeed
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
    """The digits world of a source (by default the one in the package), its two spaces trained.

    Weights are taken from the package, else from the user directory; where neither has them they are trained,
    with a progress bar, and kept in the user directory.
    """
    source, recipe = source or default_recordings(), recipe or Recipe()
    fingerprint = recipe.fingerprint(source.fingerprint)
    for path in (SHIPPED_WEIGHTS, cache_path(fingerprint)):
        if path.exists() and recorded(path).get("fingerprint") == fingerprint:
            return assemble(source, recipe, load_spaces(path, recipe, fingerprint))
    return retrain(source, recipe)


def retrain(source: Recordings | None = None, recipe: Recipe | None = None, out: Path | None = None) -> DigitsWorld:
    """As `build`, but always trains. The weights go to ``out``, by default the user directory."""
    source, recipe = source or default_recordings(), recipe or Recipe()
    fingerprint = recipe.fingerprint(source.fingerprint)
    spaces = build_spaces(recipe)
    world = assemble(source, recipe, spaces)
    with Progress(
        TextColumn("training {task.description}"), BarColumn(), TextColumn("loss {task.fields[loss]:.3f}"),
        TimeRemainingColumn(), console=Console(stderr=True),
    ) as progress:  # fmt: skip
        feeds: tuple[TrainingFeed, ...] = (world.pictures, world.utterances)
        for space, feed in zip(spaces, feeds, strict=True):
            train_space(space, feed, world.concepts["train"], _follow(progress, space.name, space.recipe.steps))
            feed.forget()
    round_to_half(spaces)
    save_spaces(out or cache_path(fingerprint), spaces, recipe, fingerprint, world.base_retrieval("test"))
    return world


def assemble(source: Recordings, recipe: Recipe, spaces: Spaces) -> DigitsWorld:
    """A digits world from its parts."""
    splits = split_recordings(source, recipe.split_seed, recipe.unseen_speaker)
    return DigitsWorld(
        source,
        splits,
        split_concepts(recipe.split_seed),
        *spaces,
        PictureFeed(source.handwriting, splits.images["train"]),
        UtteranceFeed(source.speech, splits.seen["train"]),
    )


def round_to_half(spaces: Spaces) -> None:
    """Make the weights what they will be when read back, so that a world just trained and a cached one agree."""
    weights = in_half_precision(spaces)
    for space in spaces:
        own = f"{space.modality}."
        space.load_state_dict({name[len(own) :]: t.float() for name, t in weights.items() if name.startswith(own)})


def _follow(progress: Progress, name: str, steps: int) -> Callable[[int, float], None]:
    task = progress.add_task(name, total=steps, loss=float("nan"))
    return lambda step, loss: progress.update(task, completed=step + 1, loss=loss)
