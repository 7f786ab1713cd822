"""X-CLIP: text and videos, through transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from isthmus.spaces.checkpoint import loaded_model, revision_of
from isthmus.spaces.preparation.image import VideoPreparation
from isthmus.spaces.preparation.text import text_preparation, word_tokens
from isthmus.spaces.protocol import EncoderInputs, Preparation, Weights, WindowTokens
from isthmus.spaces.tensors import as_array, features, on_device


@dataclass(frozen=True)
class Xclip:
    """An X-CLIP checkpoint. Texts are encoded without the prompts that a video would give them."""

    weights: Weights
    model: Any
    revision: str
    token_modalities: tuple[str, ...] = ("text", "video")

    def preparation(self, modality: str) -> Preparation:
        """The checkpoint's own tokenizer and image processor, with as many frames as the model takes."""
        if modality == "text":
            return text_preparation(self.weights, self.model.config.text_config.max_position_embeddings)
        return VideoPreparation(self.weights, self.model.config.vision_config.num_frames)

    @torch.inference_mode()
    def encode_inputs(self, modality: str, inputs: EncoderInputs) -> Float32[np.ndarray, "windows dim"]:
        """One unit row per text or video."""
        return features(self.model, modality, on_device(inputs, self.weights))

    @torch.inference_mode()
    def encode_tokens(self, modality: str, inputs: EncoderInputs) -> list[WindowTokens]:
        """Words, or frames; the normalized mean of a video's frames is its vector."""
        tensors = on_device(inputs, self.weights)
        if modality == "text":
            hidden = self.model.text_model(**tensors).last_hidden_state
            return word_tokens(as_array(self.model.text_projection(hidden)), inputs)
        return list(zip(as_array(self.frames(tensors["pixel_values"])), inputs["_seconds"], strict=True))

    def frames(self, pixels: torch.Tensor) -> torch.Tensor:
        """``(videos, frames, dim)``: every frame after it has attended to the others."""
        videos, frames = pixels.shape[:2]
        pooled = self.model.vision_model(pixel_values=pixels.flatten(0, 1)).pooler_output
        shown = self.model.visual_projection(pooled).view(videos, frames, -1)
        attended: torch.Tensor = self.model.mit(shown).last_hidden_state
        return attended


def load(weights: Weights) -> Xclip:
    """Load an X-CLIP checkpoint."""
    from transformers import XCLIPModel

    model = loaded_model(weights, XCLIPModel, ("xclip",))
    return Xclip(weights, model, revision_of(weights, model))
