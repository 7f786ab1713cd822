"""CLAP: sounds and texts, through transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from isthmus.embeddings.tokens import Tokens
from isthmus.spaces.batching import as_array, on_device, unit_rows_of
from isthmus.spaces.checkpoint import loaded_model, revision_of
from isthmus.spaces.preparing.places import time_steps
from isthmus.spaces.preparing.processors import SoundViews, text_views
from isthmus.spaces.preparing.token_parts import joined
from isthmus.spaces.preparing.words import word_parts
from isthmus.spaces.protocol import Ask, EncoderInputs, Preparation

ROBERTA_OFFSET = 2
"""Position numbers RoBERTa does not give to tokens."""


@dataclass(frozen=True)
class Clap:
    """A CLAP checkpoint."""

    ask: Ask
    model: Any
    revision: str
    modalities: tuple[str, ...] = ("text", "audio")
    token_modalities: tuple[str, ...] = ("text", "audio")

    @property
    def name(self) -> str:
        """The space's name."""
        return self.ask.name

    def preparation(self, modality: str) -> Preparation:
        """The checkpoint's own tokenizer and feature extractor."""
        if modality == "text":
            return text_views(self.ask, self.model.config.text_config.max_position_embeddings - ROBERTA_OFFSET)
        return SoundViews(self.ask, {})

    @torch.inference_mode()
    def encode(self, modality: str, views: EncoderInputs) -> Float32[np.ndarray, "views dim"]:
        """Unit rows."""
        inputs = on_device(views, self.ask.device, self.ask.precision)
        if modality == "text":
            return unit_rows_of(self.model.get_text_features(**inputs).pooler_output)
        return unit_rows_of(self.model.get_audio_features(**inputs).pooler_output)

    @torch.inference_mode()
    def encode_tokens(self, modality: str, views: EncoderInputs, ids: list[str]) -> Tokens:
        """Words, and steps of about a third of a second, each projected as a whole sound would be."""
        inputs = on_device(views, self.ask.device, self.ask.precision)
        facts = {"modality": modality, "space": self.name}
        if modality == "text":
            text = self.model.text_model
            words = self.model.text_projection(torch.tanh(text.pooler.dense(text(**inputs).last_hidden_state)))
            return joined(word_parts(as_array(words), views), ids, unit="characters", **facts)
        heard = self.model.audio_model(**inputs).last_hidden_state
        steps = as_array(self.model.audio_projection(heard.mean(2).transpose(1, 2)))
        places = [
            time_steps(span, steps.shape[1]) for span in whole_windows(views, SoundViews(self.ask, {}).heard_seconds)
        ]
        parts = [cut(rows, where, span) for rows, where, span in zip(steps, places, views["_seconds"], strict=True)]
        return joined(parts, ids, unit="seconds", **facts)


def whole_windows(views: EncoderInputs, seconds: float) -> Float32[np.ndarray, "windows 2"]:
    """Where windows would end were they as long as the model hears."""
    starts = views["_seconds"][:, :1]
    return np.concatenate([starts, starts + seconds], 1)


def cut(rows: np.ndarray, places: np.ndarray, span: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The steps that begin within the sound itself; the last one ends with it."""
    inside = max(1, int((places[:, 0] < span[1] - 1e-6).sum()))
    kept = places[:inside].copy()
    kept[-1, 1] = min(kept[-1, 1], span[1])
    return rows[:inside], kept


def load(ask: Ask) -> Clap:
    """A CLAP space of a checkpoint."""
    from transformers import ClapModel

    model = loaded_model(ask, ClapModel, ("clap",))
    return Clap(ask, model, revision_of(ask, model))
