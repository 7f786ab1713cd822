"""Building a things world: its materials, the two spaces loaded or trained, and everything put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from isthmus.base.progress import Stage, reporting
from isthmus.worlds.spaces.weights import Spaces, cache_path, load_spaces, recorded, round_to_half, save_spaces
from isthmus.worlds.things.drawings.drawings import Drawings
from isthmus.worlds.things.drawings.shipped import shipped_drawings
from isthmus.worlds.things.materials import ThingsMaterials, with_own
from isthmus.worlds.things.spaces.feeds import SceneFeed, SpeechFeed
from isthmus.worlds.things.spaces.recipe import ThingsRecipe
from isthmus.worlds.things.spaces.training import build_space, train_images, train_speech
from isthmus.worlds.things.speech.recordings import SpokenUnits
from isthmus.worlds.things.speech.shipped import shipped_speech
from isthmus.worlds.things.things_world import ThingsWorld

SHIPPED_WEIGHTS = Path(__file__).parent / "spaces" / "assets" / "spaces.safetensors"
OnStep = Callable[[int, float], None]


def build(
    drawings: Drawings | None = None, speech: SpokenUnits | None = None, recipe: ThingsRecipe | None = None
) -> ThingsWorld:
    """The things world with trained spaces.

    Weights come from the package or the cache. If neither has them they are trained, with a progress bar, and cached.

    Args:
        drawings: Drawings of a user's own, from `read_drawings`; the world gets a gallery of them.
        speech: Recordings of a user's own, from `read_speech`; likewise.
        recipe: How the spaces are trained.
    """
    recipe = recipe or ThingsRecipe()
    materials = with_own(default_materials(recipe), drawings, speech)
    fingerprint = recipe.fingerprint(materials.trained_on)
    for path in (SHIPPED_WEIGHTS, cache_path("things", fingerprint)):
        if path.exists() and recorded(path).get("fingerprint") == fingerprint:
            spaces = load_spaces(path, build_spaces(recipe), fingerprint)
            return ThingsWorld(materials, recipe.split_seed, *spaces)
    return retrain(drawings, speech, recipe)


def retrain(
    drawings: Drawings | None = None,
    speech: SpokenUnits | None = None,
    recipe: ThingsRecipe | None = None,
    out: Path | None = None,
) -> ThingsWorld:
    """As `build`, but always trains, and writes the weights to ``out`` (by default the cache)."""
    recipe = recipe or ThingsRecipe()
    materials = with_own(default_materials(recipe), drawings, speech)
    fingerprint = recipe.fingerprint(materials.trained_on)
    spaces = build_spaces(recipe)
    image, audio = spaces
    with reporting(True) as report:

        def progress(name: str, steps: int) -> OnStep:
            stage = Stage(f"training {name}", steps)
            return lambda step, loss: report(stage.at(step + 1, loss=loss))

        images = SceneFeed(materials.drawings.of_styles(materials.seen_styles))
        train_images(image, images, recipe.image, recipe.split_seed, progress(image.name, recipe.image.steps))
        sentences = SpeechFeed(materials.speech.of_voices(materials.seen_voices))
        train_speech(audio, sentences, recipe.audio, recipe.split_seed, progress(audio.name, recipe.audio.steps))
    round_to_half(spaces)
    world = ThingsWorld(materials, recipe.split_seed, *spaces)
    path = out or cache_path("things", fingerprint)
    save_spaces(path, spaces, asdict(recipe), fingerprint, world.base_retrieval("test"))
    return world


def default_materials(recipe: ThingsRecipe) -> ThingsMaterials:
    """The drawings and recordings of the package."""
    return ThingsMaterials(shipped_drawings(), shipped_speech(), (recipe.unseen_style,), (recipe.unseen_voice,))


def build_spaces(recipe: ThingsRecipe) -> Spaces:
    """The two spaces of a recipe, untrained: image-text, speech-text."""
    return build_space("image", recipe.image), build_space("audio", recipe.audio)
