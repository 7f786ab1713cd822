"""SigLIP and SigLIP 2: text and images, of fixed size or NaFlex, through transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from torch.nn import functional

from isthmus.spaces.checkpoint import loaded_model, revision_of
from isthmus.spaces.preparation.image import ImagePreparation, grid_boxes
from isthmus.spaces.preparation.text import text_preparation, word_tokens
from isthmus.spaces.protocol import EncoderInputs, Preparation, Weights, WindowTokens
from isthmus.spaces.tensors import as_array, features, on_device


@dataclass(frozen=True)
class Siglip:
    """A SigLIP checkpoint. Texts are padded to full length and padding is attended to, as in training."""

    weights: Weights
    model: Any
    revision: str
    token_modalities: tuple[str, ...] = ("text", "image")

    def preparation(self, modality: str) -> Preparation:
        """The checkpoint's own tokenizer and image processor."""
        if modality == "text":
            return text_preparation(self.weights, self.model.config.text_config.max_position_embeddings, fill=True)
        return ImagePreparation(self.weights)

    @torch.inference_mode()
    def encode_inputs(self, modality: str, inputs: EncoderInputs) -> Float32[np.ndarray, "windows dim"]:
        """One unit row per text or image."""
        tensors = on_device(inputs, self.weights)
        if modality == "text":
            tensors = {"input_ids": tensors["input_ids"]}
        return features(self.model, modality, tensors)

    @torch.inference_mode()
    def encode_tokens(self, modality: str, inputs: EncoderInputs) -> list[WindowTokens]:
        """Words, or image patches by the value projection of the pooling head."""
        tensors = on_device(inputs, self.weights)
        if modality == "text":
            text = self.model.text_model
            return word_tokens(as_array(text.head(text(input_ids=tensors["input_ids"]).last_hidden_state)), inputs)
        patches = as_array(self.patches(tensors))
        return [
            (rows[: tall * wide], grid_boxes(region, tall, wide))
            for rows, region, (tall, wide) in zip(patches, inputs["_region"], grids(patches, inputs), strict=True)
        ]

    def patches(self, tensors: dict[str, torch.Tensor]) -> torch.Tensor:
        """``(images, patches, dim)``: each patch as if the pooling head attended to it alone."""
        head = self.model.vision_model.head
        hidden = self.model.vision_model(**tensors).last_hidden_state
        attention = head.attention
        _, _, weight = attention.in_proj_weight.chunk(3)
        _, _, bias = attention.in_proj_bias.chunk(3)
        alone = attention.out_proj(functional.linear(hidden, weight, bias))
        pooled: torch.Tensor = alone + head.mlp(head.layernorm(alone))
        return pooled


def grids(patches: Float32[np.ndarray, "images patches dim"], inputs: EncoderInputs) -> list[tuple[int, int]]:
    """Rows and columns of each image's patches: given for NaFlex, square otherwise."""
    if "spatial_shapes" in inputs:
        return [(int(tall), int(wide)) for tall, wide in inputs["spatial_shapes"]]
    side = round(patches.shape[1] ** 0.5)
    return [(side, side)] * len(patches)


def load(weights: Weights) -> Siglip:
    """Load a checkpoint of either architecture; its configuration says which one it is."""
    from transformers import AutoModel

    model = loaded_model(weights, AutoModel, ("siglip", "siglip2"))
    return Siglip(weights, model, revision_of(weights, model))
