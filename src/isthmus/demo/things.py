"""The things world as the demo takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from isthmus.codes.model.config import CodesConfig
from isthmus.demo.code_stages import code_recipes
from isthmus.demo.plan import CodeSizes, RunPlan, plan_of
from isthmus.demo.world import PageTexts, Timed
from isthmus.embeddings.tokens import Tokens
from isthmus.worlds.spaces.space import ContrastiveSpace
from isthmus.worlds.things import tokens
from isthmus.worlds.things.build import build, retrain
from isthmus.worlds.things.drawings.folder import read_drawings
from isthmus.worlds.things.speech.folder import read_speech
from isthmus.worlds.things.things import thing_names
from isthmus.worlds.things.things_world import ThingsWorld
from isthmus.worlds.world import Regions, Sizes, World

SIZES = Sizes(texts=6000, memory=3000, pairs=2000, gallery=300)
QUICK_SIZES = replace(SIZES, memory=2000, pairs=1000, gallery=150)
CODES = CodesConfig(codes=0, start="translation", restarts=1)
RECIPES = {name: recipe for name, recipe in code_recipes(CODES).items() if name != "literal"}
"""Without the literal recipe: it shares no codes of digits either, and takes as long as the others."""


@dataclass(frozen=True)
class ThingsDemo:
    """A things world with the demo's sizes, recipes and texts."""

    things: ThingsWorld
    texts: PageTexts = PageTexts(  # noqa: RUF009
        task="ThingsImageAudioRetrieval",
        title="Spoken sentences found by pictures",
        lead=(
            "Two models were trained separately: one on scenes and captions, the other on spoken sentences and their "
            "transcripts. isthmus connected them through text alone. No scene was ever paired with a sound, yet each "
            "now finds the other."
        ),
        match="the same scene",
        labels="things",
        galleries={
            "seen": "seen styles and voices",
            "unseen_style": "unseen style",
            "unseen_voice": "unseen voice",
            "hard": "hard: near misses",
            "missing": "missing concepts",
            "own": "your own drawings and recordings",
        },
        gallery_note=(
            "styles and voices of the training, a style never seen, a voice never heard, scenes most of which differ "
            "from another one by one thing, count or place, and scenes with a thing that the shared texts or the audio "
            "memory lack"
        ),
        code_columns={
            "transfer.image_to_audio.unseen_voice": "transfer image → unseen voice",
            "transfer.audio_to_image.unseen_style": "transfer audio → unseen style",
        },
    )
    labelled_items: int = 600
    code_sizes: CodeSizes = CodeSizes(items=1500, gallery=200)  # noqa: RUF009
    sizes: Sizes = SIZES
    quick_sizes: Sizes = QUICK_SIZES

    @property
    def label_names(self) -> Sequence[str]:
        """The name of each thing."""
        return thing_names()

    @property
    def code_galleries(self) -> Sequence[str]:
        """The galleries that codes are judged on."""
        return [name for name in self.things.gallery_names if name not in ("hard", "missing")]

    def draw(self, seed: int, *, quick: bool) -> World:
        """The world with its test galleries."""
        return self.things.world("test", self.quick_sizes if quick else self.sizes, seed)

    def plan(self, *, quick: bool) -> RunPlan:
        """What a run compares."""
        return plan_of(RECIPES, quick=quick)

    @property
    def image_space(self) -> ContrastiveSpace:
        """The space of scenes and their captions."""
        return self.things.image_space

    @property
    def audio_space(self) -> ContrastiveSpace:
        """The space of sentences and their transcripts."""
        return self.things.speech_space

    def image(self, item: str) -> np.ndarray:
        """RGB pixels."""
        return self.things.image(item)

    def waveform(self, item: str) -> tuple[np.ndarray, int]:
        """Samples in [-1, 1] and their rate."""
        return self.things.waveform(item)

    def words(self, item: str) -> str:
        """The caption of a scene."""
        return self.things.words(item)

    def said(self, item: str) -> Timed:
        """The words of a sentence with their start and end times."""
        return self.things.seconds(item)

    def image_tokens(self, ids: Sequence[str]) -> Tokens:
        """Tokens of scenes."""
        return tokens.image_tokens(self.things, ids)

    def audio_tokens(self, ids: Sequence[str]) -> Tokens:
        """Tokens of sentences."""
        return tokens.audio_tokens(self.things, ids)

    def text_tokens(self, space: ContrastiveSpace, ids: Sequence[str], captions: Sequence[str]) -> Tokens:
        """Tokens of captions."""
        return tokens.text_tokens(space, ids, captions)

    def captions(self, space: ContrastiveSpace, ids: Sequence[str]) -> list[str]:
        """Captions of any items."""
        return tokens.captions_of(space, ids)

    def image_regions(self, ids: Sequence[str]) -> list[Regions]:
        """The things of each scene and their boxes."""
        return tokens.image_regions(self.things, ids)

    def audio_regions(self, ids: Sequence[str]) -> list[Regions]:
        """The things each sentence names and their seconds."""
        return tokens.audio_regions(self.things, ids)

    def text_regions(self, captions: Sequence[str]) -> list[Regions]:
        """The things each caption names."""
        return tokens.text_regions(captions)


def open_things(drawings: Path | None, speech: Path | None, *, train: bool) -> ThingsDemo:
    """The things world, with a gallery of the user's drawings and recordings if there are any.

    With ``train`` its spaces are trained even if there are weights.
    """
    drawn = None if drawings is None else read_drawings(drawings)
    spoken = None if speech is None else read_speech(speech)
    return ThingsDemo(retrain(drawn, spoken) if train else build(drawn, spoken))
