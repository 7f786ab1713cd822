"""CLAP: text and audio, through transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from isthmus.spaces.checkpoint import loaded_model, revision_of
from isthmus.spaces.preparation.audio import AudioPreparation
from isthmus.spaces.preparation.text import text_preparation, word_tokens
from isthmus.spaces.protocol import EncoderInputs, Preparation, Weights, WindowTokens
from isthmus.spaces.tensors import as_array, features, on_device

ROBERTA_OFFSET = 2
"""Positions that RoBERTa does not give to tokens."""
TOLERANCE = 1e-6
"""Seconds by which a step must begin before the end of its window."""


@dataclass(frozen=True)
class Clap:
    """A CLAP checkpoint."""

    weights: Weights
    model: Any
    revision: str
    token_modalities: tuple[str, ...] = ("text", "audio")

    def preparation(self, modality: str) -> Preparation:
        """The checkpoint's own tokenizer and feature extractor."""
        if modality == "text":
            length = self.model.config.text_config.max_position_embeddings - ROBERTA_OFFSET
            return text_preparation(self.weights, length)
        return AudioPreparation(self.weights)

    @torch.inference_mode()
    def encode_inputs(self, modality: str, inputs: EncoderInputs) -> Float32[np.ndarray, "windows dim"]:
        """One unit row per text or window of audio."""
        return features(self.model, modality, on_device(inputs, self.weights))

    @torch.inference_mode()
    def encode_tokens(self, modality: str, inputs: EncoderInputs) -> list[WindowTokens]:
        """Words, or steps of about a third of a second, each projected as a whole clip would be."""
        tensors = on_device(inputs, self.weights)
        if modality == "text":
            text = self.model.text_model
            words = self.model.text_projection(torch.tanh(text.pooler.dense(text(**tensors).last_hidden_state)))
            return word_tokens(as_array(words), inputs)
        heard = self.model.audio_model(**tensors).last_hidden_state
        steps = as_array(self.model.audio_projection(heard.mean(2).transpose(1, 2)))
        longest = AudioPreparation(self.weights).longest_seconds
        return [steps_within(rows, span, longest) for rows, span in zip(steps, inputs["_seconds"], strict=True)]


def steps_within(
    rows: Float32[np.ndarray, "steps dim"], span: Float32[np.ndarray, " 2"], longest: float
) -> WindowTokens:
    """The steps that begin within a window, and their seconds; the last one ends with it.

    The encoder pads a window to its ``longest`` input, which the steps divide into equal parts.
    """
    edges = np.linspace(span[0], span[0] + np.float32(longest), len(rows) + 1, dtype=np.float32)
    places = np.stack([edges[:-1], edges[1:]], 1)
    inside = max(1, int((places[:, 0] < span[1] - TOLERANCE).sum()))
    kept = places[:inside].copy()
    kept[-1, 1] = min(kept[-1, 1], span[1])
    return rows[:inside], kept


def load(weights: Weights) -> Clap:
    """Load a CLAP checkpoint."""
    from transformers import ClapModel

    model = loaded_model(weights, ClapModel, ("clap",))
    return Clap(weights, model, revision_of(weights, model))
