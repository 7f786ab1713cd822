"""CLIP: pictures and texts, through transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from isthmus.embeddings.tokens import Tokens
from isthmus.spaces.batching import as_array, on_device, unit_rows_of
from isthmus.spaces.checkpoint import loaded_model, revision_of
from isthmus.spaces.preparing.places import grid_boxes
from isthmus.spaces.preparing.processors import PictureViews, text_views
from isthmus.spaces.preparing.token_parts import joined
from isthmus.spaces.preparing.words import word_parts
from isthmus.spaces.protocol import Ask, EncoderInputs, Preparation


@dataclass(frozen=True)
class Clip:
    """A CLIP checkpoint."""

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
            return text_views(self.ask, self.model.config.text_config.max_position_embeddings)
        return PictureViews(self.ask, {})

    @torch.inference_mode()
    def encode(self, modality: str, views: EncoderInputs) -> Float32[np.ndarray, "views dim"]:
        """Unit rows."""
        inputs = on_device(views, self.ask.device, self.ask.precision)
        if modality == "text":
            return unit_rows_of(self.model.get_text_features(**inputs).pooler_output)
        return unit_rows_of(self.model.get_image_features(**inputs).pooler_output)

    @torch.inference_mode()
    def encode_tokens(self, modality: str, views: EncoderInputs, ids: list[str]) -> Tokens:
        """Words, and picture patches by the value projection of the last layer."""
        inputs = on_device(views, self.ask.device, self.ask.precision)
        facts = {"modality": modality, "space": self.name}
        if modality == "text":
            hidden = self.model.text_model(**inputs).last_hidden_state
            return joined(
                word_parts(as_array(self.model.text_projection(hidden)), views), ids, unit="characters", **facts
            )
        patches = as_array(self.patches(inputs["pixel_values"]))
        side = round(patches.shape[1] ** 0.5)
        boxes = [grid_boxes(region, side, side) for region in views["_region"]]
        return joined(list(zip(patches, boxes, strict=True)), ids, unit="pixels", **facts)

    def patches(self, pixels: torch.Tensor) -> torch.Tensor:
        """``(pictures, patches, dim)``: each patch as if the last layer's attention looked at nothing else.

        The last layer's queries, keys, residual and MLP are left out and its values projected into the joint space
        (Zhou et al., *Extract Free Dense Labels from CLIP*, ECCV 2022).
        """
        vision = self.model.vision_model
        before = vision(pixel_values=pixels, output_hidden_states=True).hidden_states[-2][:, 1:]
        last = vision.encoder.layers[-1]
        values = last.self_attn.out_proj(last.self_attn.v_proj(last.layer_norm1(before)))
        found: torch.Tensor = self.model.visual_projection(vision.post_layernorm(values))
        return found


def load(ask: Ask) -> Clip:
    """A CLIP space of a checkpoint."""
    from transformers import CLIPModel

    model = loaded_model(ask, CLIPModel, ("clip",))
    return Clip(ask, model, revision_of(ask, model))
