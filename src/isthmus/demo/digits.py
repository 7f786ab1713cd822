"""The digits world as the demo takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isthmus.codes.model.config import CodesConfig
from isthmus.demo.code_stages import code_recipes
from isthmus.demo.plan import CodeSizes, RunPlan, plan_of
from isthmus.demo.world import PageTexts, Timed
from isthmus.embeddings.tokens import Tokens
from isthmus.worlds.digits import tokens
from isthmus.worlds.digits.build import build, retrain
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.digits.items import digits_in
from isthmus.worlds.digits.recordings.handwriting_files import load_handwriting
from isthmus.worlds.digits.recordings.recordings import Recordings
from isthmus.worlds.digits.recordings.shipped import default_recordings
from isthmus.worlds.digits.recordings.speech_files import load_speech
from isthmus.worlds.digits.wording import NAMES
from isthmus.worlds.spaces.space import ContrastiveSpace
from isthmus.worlds.world import Regions, Sizes, World

GALLERY, QUICK_GALLERY = 1000, 300
RECIPES = code_recipes(CodesConfig(restarts=2))


@dataclass(frozen=True)
class DigitsDemo:
    """A digits world with the demo's sizes, recipes and texts."""

    digits: DigitsWorld
    texts: PageTexts = PageTexts(  # noqa: RUF009
        task="DigitsImageAudioRetrieval",
        title="Audio found by images",
        lead=(
            "Two models were trained separately: one on images and text, the other on audio and text. isthmus "
            "connected them through text alone. No image was ever paired with audio, yet each now finds the other."
        ),
        match="the same number",
        labels="digits",
        galleries={"seen": "seen speakers", "unseen": "unseen speaker", "hard": "hard: near misses"},
        gallery_note=(
            "speakers heard in training, a speaker never heard, and numbers most of which differ from another one by "
            "one digit or one swap"
        ),
        code_columns={"transfer.image_to_audio.unseen": "transfer image → unseen speaker"},
    )
    label_names: Sequence[str] = NAMES
    labelled_items: int = 400
    code_galleries: Sequence[str] = ("seen", "unseen")
    code_sizes: CodeSizes = CodeSizes(items=2500, gallery=250)  # noqa: RUF009

    def draw(self, seed: int, *, quick: bool) -> World:
        """The world with its test galleries."""
        return self.digits.world("test", Sizes(gallery=QUICK_GALLERY if quick else GALLERY), seed)

    def plan(self, *, quick: bool) -> RunPlan:
        """What a run compares."""
        return plan_of(RECIPES, quick=quick)

    @property
    def image_space(self) -> ContrastiveSpace:
        """The space of images and their captions."""
        return self.digits.image_space

    @property
    def audio_space(self) -> ContrastiveSpace:
        """The space of audio and its captions."""
        return self.digits.audio_space

    def image(self, item: str) -> np.ndarray:
        """Grey pixels."""
        return self.digits.image(item)

    def waveform(self, item: str) -> tuple[np.ndarray, int]:
        """Samples in [-1, 1] and their rate."""
        return self.digits.waveform(item)

    def words(self, item: str) -> str:
        """The digits as words."""
        return self.digits.words(item)

    def said(self, item: str) -> Timed:
        """The digits of an audio item with their start and end times."""
        spans = self.digits.seconds(item).tolist()
        return [(NAMES[digit], start, end) for digit, (start, end) in zip(digits_in(item), spans, strict=True)]

    def image_tokens(self, ids: Sequence[str]) -> Tokens:
        """Tokens of images."""
        return tokens.image_tokens(self.digits, ids)

    def audio_tokens(self, ids: Sequence[str]) -> Tokens:
        """Tokens of audio."""
        return tokens.audio_tokens(self.digits, ids)

    def text_tokens(self, space: ContrastiveSpace, ids: Sequence[str], captions: Sequence[str]) -> Tokens:
        """Tokens of captions."""
        return tokens.text_tokens(space, ids, captions)

    def captions(self, space: ContrastiveSpace, ids: Sequence[str]) -> list[str]:
        """Captions of any items."""
        return tokens.captions_of(space, ids)

    def image_regions(self, ids: Sequence[str]) -> list[Regions]:
        """The digits of each image and their boxes."""
        return tokens.image_regions(self.digits, ids)

    def audio_regions(self, ids: Sequence[str]) -> list[Regions]:
        """The digits of each audio clip and their seconds."""
        return tokens.audio_regions(self.digits, ids)

    def text_regions(self, captions: Sequence[str]) -> list[Regions]:
        """The digits each caption names."""
        return tokens.text_regions(captions)


def open_digits(images: Path | None, speech: Path | None, *, train: bool) -> DigitsDemo:
    """The digits world of the given recordings (by default the shipped ones).

    With ``train`` its spaces are trained even if there are weights.
    """
    recordings = recordings_of(images, speech)
    return DigitsDemo(retrain(recordings) if train else build(recordings))


def recordings_of(images: Path | None, speech: Path | None) -> Recordings:
    """Handwriting and speech from files, or the shipped ones for what is not given."""
    if images and speech:
        return Recordings(f"{images.stem} + {speech.stem}", load_handwriting(images), load_speech(speech))
    shipped = default_recordings()
    if images:
        return Recordings(f"{images.stem} + {shipped.name}", load_handwriting(images), shipped.speech)
    if speech:
        return Recordings(f"{shipped.name} + {speech.stem}", shipped.handwriting, load_speech(speech))
    return shipped
