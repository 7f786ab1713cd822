"""Preparations through a checkpoint's own processors: the same arrays transformers' pipelines make, every time.

They run in worker processes: a processor is loaded there once, by name; no weights are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
from PIL import Image

from isthmus.base.errors import IsthmusError
from isthmus.base.hashing import fingerprint_of
from isthmus.media import Item, UnreadableError, read_audio, read_image, read_video
from isthmus.media.readers.windows import MOST_WINDOWS, WINDOW_SECONDS
from isthmus.spaces.checkpoint import loaded
from isthmus.spaces.preparing.log_mel import log_mel
from isthmus.spaces.preparing.places import region_seen
from isthmus.spaces.protocol import Ask, EncoderInputs

WORD = re.compile(r"\S+")


@lru_cache(maxsize=8)
def image_processor(ask: Ask) -> Any:
    """The checkpoint's image processor, the one that needs Pillow only."""
    from transformers import AutoImageProcessor

    return loaded(ask, partial(AutoImageProcessor.from_pretrained, backend="pil"))


@lru_cache(maxsize=8)
def feature_extractor(ask: Ask) -> Any:
    """The checkpoint's feature extractor for sounds; its spectrograms are made by `fast_mel`."""
    from transformers import AutoFeatureExtractor

    found = loaded(ask, AutoFeatureExtractor.from_pretrained)
    found._np_extract_fbank_features = partial(log_mel, found)
    return found


@lru_cache(maxsize=8)
def tokenizer(ask: Ask) -> Any:
    """The checkpoint's tokenizer."""
    from transformers import AutoTokenizer

    found = loaded(ask, AutoTokenizer.from_pretrained)
    if found("a cat")["input_ids"] == found("a dog")["input_ids"]:
        raise IsthmusError(f"{ask.checkpoint}: has no tokenizer's files, all texts would be alike: add them to it")
    return found


@dataclass(frozen=True)
class PictureViews:
    """A picture as the image processor makes it; ``_region`` is the part of the original it keeps, in pixels."""

    ask: Ask
    padding: Mapping[str, int]

    @property
    def fingerprint(self) -> str:
        """Follows from the processor's settings."""
        return fingerprint_of("picture 1", image_processor(self.ask).to_dict())

    def __call__(self, item: Item) -> EncoderInputs:
        """Inputs of one picture."""
        assert item.source is not None
        image = read_image(item.source)
        return {**processed(self.ask, [image]), "_region": region_seen(image_processor(self.ask), *image.size)[None]}


@dataclass(frozen=True)
class FrameViews:
    """A video as so many frames, each as the image processor makes it; ``_seconds`` is when each is shown."""

    ask: Ask
    frames: int
    padding: Mapping[str, int]

    @property
    def fingerprint(self) -> str:
        """Follows from the processor's settings and the number of frames."""
        return fingerprint_of("frames 1", self.frames, image_processor(self.ask).to_dict())

    def __call__(self, item: Item) -> EncoderInputs:
        """Inputs of one video: ``pixel_values`` of shape (1, frames, 3, height, width)."""
        assert item.source is not None
        video = read_video(item.source, self.frames)
        pixels = processed(self.ask, video.pictures())["pixel_values"]
        ends = np.append(video.seconds[1:], max(video.duration, video.seconds[-1]))
        return {"pixel_values": pixels[None], "_seconds": np.stack([video.seconds, ends], 1)[None].astype(np.float32)}


def processed(ask: Ask, images: list[Image.Image]) -> dict[str, np.ndarray]:
    """What the image processor makes of pictures; the axis of colours is named, for pictures a pixel high."""
    found = image_processor(ask)(images, return_tensors="np", input_data_format="channels_last")
    return {name: np.asarray(value) for name, value in found.items()}


@dataclass(frozen=True)
class SoundViews:
    """The windows of a sound as the feature extractor makes them; ``_seconds`` is where each lies.

    What is longer than the extractor hears is cut, so it crops nothing at random. For models that fuse several crops
    of a long sound, every window is a short sound.
    """

    ask: Ask
    padding: Mapping[str, int]

    @property
    def heard_seconds(self) -> float:
        """How long a sound the model hears at once."""
        return float(feature_extractor(self.ask).max_length_s)

    @property
    def fingerprint(self) -> str:
        """Follows from the extractor's settings and the windows."""
        from transformers import AutoFeatureExtractor

        settings = loaded(self.ask, AutoFeatureExtractor.from_pretrained).to_dict()
        return fingerprint_of("sound 1", WINDOW_SECONDS, MOST_WINDOWS, settings)

    def __call__(self, item: Item) -> EncoderInputs:
        """Inputs of one sound, a row a window."""
        assert item.source is not None
        extractor = feature_extractor(self.ask)
        sound = read_audio(item.source, extractor.sampling_rate)
        shortest = extractor.fft_window_size // 2 + 1
        if len(sound.samples[0]) < shortest:
            raise UnreadableError(f"{item.name}: {len(sound.samples[0])} samples are too few, {shortest} are needed")
        longest = int(extractor.nb_max_samples)
        made = extractor([samples[:longest] for samples in sound.samples], sampling_rate=sound.rate)
        features = np.stack(made["input_features"]).astype(np.float32)
        return {
            "input_features": features,
            "is_longer": np.zeros((len(features), 1), bool),
            "_seconds": np.array(sound.spans, np.float32),
        }


@dataclass(frozen=True)
class TextViews:
    """A text as the tokenizer makes it, cut at ``length``; ``_words`` numbers the word of each token, -1 for none."""

    ask: Ask
    length: int
    padding: Mapping[str, int]
    fill: bool = False

    @property
    def fingerprint(self) -> str:
        """Follows from the tokenizer and the length."""
        return fingerprint_of("text 1", self.length, self.fill, tokenizer(self.ask).backend_tokenizer.to_str())

    def __call__(self, item: Item) -> EncoderInputs:
        """Inputs of one text, with one row."""
        made = tokenizer(self.ask)(
            item.text, truncation=True, max_length=self.length, padding="max_length" if self.fill else False
        )
        inputs = {name: np.array([made[name]]) for name in ("input_ids", "attention_mask") if name in made}
        inputs.setdefault("attention_mask", np.ones_like(inputs["input_ids"]))
        return {**inputs, **words_of(item.text, made)}


def words_of(text: str, made: Any) -> dict[str, np.ndarray]:
    """The word each token begins in, words being what white space parts, and the characters the token covers."""
    spans = np.array(made.encodings[0].offsets)
    starts = np.array([word.start() for word in WORD.finditer(text)])
    own = [WORD.search(text, start, end) for start, end in spans.tolist()]
    numbers = [-1 if word is None else int(np.searchsorted(starts, word.start(), "right")) - 1 for word in own]
    return {"_words": np.array([numbers]), "_characters": spans[None]}


def text_views(ask: Ask, length: int, *, fill: bool = False) -> TextViews:
    """A text preparation that knows the tokenizer's padding."""
    pad = tokenizer(ask).pad_token_id or 0
    return TextViews(ask, length, {"input_ids": pad, "attention_mask": 0, "_words": -1, "_characters": 0}, fill)
