"""CLIP: text and images, through transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from isthmus.spaces.checkpoint import loaded_model, revision_of
from isthmus.spaces.preparation.image import ImagePreparation, grid_boxes
from isthmus.spaces.preparation.text import text_preparation, word_tokens
from isthmus.spaces.protocol import EncoderInputs, Preparation, Weights, WindowTokens
from isthmus.spaces.tensors import as_array, features, on_device


@dataclass(frozen=True)
class Clip:
    """A CLIP checkpoint."""

    weights: Weights
    model: Any
    revision: str
    token_modalities: tuple[str, ...] = ("text", "image")

    def preparation(self, modality: str) -> Preparation:
        """The checkpoint's own tokenizer and image processor."""
        if modality == "text":
            return text_preparation(self.weights, self.model.config.text_config.max_position_embeddings)
        return ImagePreparation(self.weights)

    @torch.inference_mode()
    def encode_inputs(self, modality: str, inputs: EncoderInputs) -> Float32[np.ndarray, "windows dim"]:
        """One unit row per text or image."""
        return features(self.model, modality, on_device(inputs, self.weights))

    @torch.inference_mode()
    def encode_tokens(self, modality: str, inputs: EncoderInputs) -> list[WindowTokens]:
        """Words, or image patches by the value projection of the last layer."""
        tensors = on_device(inputs, self.weights)
        if modality == "text":
            hidden = self.model.text_model(**tensors).last_hidden_state
            return word_tokens(as_array(self.model.text_projection(hidden)), inputs)
        patches = as_array(self.patches(tensors["pixel_values"]))
        side = round(patches.shape[1] ** 0.5)
        boxes = [grid_boxes(region, side, side) for region in inputs["_region"]]
        return list(zip(patches, boxes, strict=True))

    def patches(self, pixels: torch.Tensor) -> torch.Tensor:
        """``(images, patches, dim)``: each patch as if the last layer attended to it alone.

        Drops the last layer's queries, keys, residual and MLP and projects its values into the joint space (Zhou et
        al., *Extract Free Dense Labels from CLIP*, ECCV 2022).
        """
        vision = self.model.vision_model
        before = vision(pixel_values=pixels, output_hidden_states=True).hidden_states[-2][:, 1:]
        last = vision.encoder.layers[-1]
        values = last.self_attn.out_proj(last.self_attn.v_proj(last.layer_norm1(before)))
        projected: torch.Tensor = self.model.visual_projection(vision.post_layernorm(values))
        return projected


def load(weights: Weights) -> Clip:
    """Load a CLIP checkpoint."""
    from transformers import CLIPModel

    model = loaded_model(weights, CLIPModel, ("clip",))
    return Clip(weights, model, revision_of(weights, model))
