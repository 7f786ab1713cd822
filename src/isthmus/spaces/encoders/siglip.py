"""SigLIP 2, and SigLIP: pictures and texts, of fixed size or NaFlex, through transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from torch.nn import functional

from isthmus.embeddings.tokens import Tokens
from isthmus.spaces.batching import as_array, on_device, unit_rows_of
from isthmus.spaces.checkpoint import loaded_model, revision_of
from isthmus.spaces.preparing.places import grid_boxes
from isthmus.spaces.preparing.processors import PictureViews, text_views
from isthmus.spaces.preparing.token_parts import joined
from isthmus.spaces.preparing.words import word_parts
from isthmus.spaces.protocol import Ask, EncoderInputs, Preparation


@dataclass(frozen=True)
class Siglip:
    """A SigLIP checkpoint. Texts are filled up to their full length and padding is attended to, as in training."""

    ask: Ask
    model: Any
    revision: str
    modalities: tuple[str, ...] = ("text", "image")
    token_modalities: tuple[str, ...] = ("text", "image")

    @property
    def name(self) -> str:
        """The space's name."""
        return self.ask.name

    def preparation(self, modality: str) -> Preparation:
        """The checkpoint's own tokenizer and image processor."""
        if modality == "text":
            return text_views(self.ask, self.model.config.text_config.max_position_embeddings, fill=True)
        return PictureViews(self.ask, {})

    @torch.inference_mode()
    def encode(self, modality: str, views: EncoderInputs) -> Float32[np.ndarray, "views dim"]:
        """Unit rows."""
        inputs = on_device(views, self.ask.device, self.ask.precision)
        if modality == "text":
            return unit_rows_of(self.model.get_text_features(input_ids=inputs["input_ids"]).pooler_output)
        return unit_rows_of(self.model.get_image_features(**inputs).pooler_output)

    @torch.inference_mode()
    def encode_tokens(self, modality: str, views: EncoderInputs, ids: list[str]) -> Tokens:
        """Words, and picture patches by the value projection of the pooling head."""
        inputs = on_device(views, self.ask.device, self.ask.precision)
        facts = {"modality": modality, "space": self.name}
        if modality == "text":
            text = self.model.text_model
            words = text.head(text(input_ids=inputs["input_ids"]).last_hidden_state)
            return joined(word_parts(as_array(words), views), ids, unit="characters", **facts)
        patches = as_array(self.patches(inputs))
        parts = [
            (rows[: tall * wide], grid_boxes(region, tall, wide))
            for rows, region, (tall, wide) in zip(patches, views["_region"], grids(patches, views), strict=True)
        ]
        return joined(parts, ids, unit="pixels", **facts)

    def patches(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        """``(pictures, patches, dim)``: each patch as if the pooling head attended to it alone."""
        head = self.model.vision_model.head
        hidden = self.model.vision_model(**inputs).last_hidden_state
        attention = head.attention
        _, _, weight = attention.in_proj_weight.chunk(3)
        _, _, bias = attention.in_proj_bias.chunk(3)
        alone = attention.out_proj(functional.linear(hidden, weight, bias))
        found: torch.Tensor = alone + head.mlp(head.layernorm(alone))
        return found


def grids(patches: Float32[np.ndarray, "pictures patches dim"], views: EncoderInputs) -> list[tuple[int, int]]:
    """Rows and columns of each picture's patches: NaFlex says them, else the grid is square."""
    if "spatial_shapes" in views:
        return [(int(tall), int(wide)) for tall, wide in views["spatial_shapes"]]
    side = round(patches.shape[1] ** 0.5)
    return [(side, side)] * len(patches)


def load(ask: Ask) -> Siglip:
    """A SigLIP space of a checkpoint; which of the two architectures it is, its configuration says."""
    from transformers import AutoModel

    model = loaded_model(ask, AutoModel, ("siglip", "siglip2"))
    return Siglip(ask, model, revision_of(ask, model))
