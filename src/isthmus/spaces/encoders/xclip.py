"""X-CLIP: videos and texts, through transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from isthmus.embeddings.tokens import Tokens
from isthmus.spaces.batching import as_array, on_device, unit_rows_of
from isthmus.spaces.checkpoint import loaded_model, revision_of
from isthmus.spaces.preparing.processors import FrameViews, text_views
from isthmus.spaces.preparing.token_parts import joined
from isthmus.spaces.preparing.words import word_parts
from isthmus.spaces.protocol import Ask, EncoderInputs, Preparation


@dataclass(frozen=True)
class Xclip:
    """An X-CLIP checkpoint. Texts are encoded by themselves, without prompts that a video gives them."""

    ask: Ask
    model: Any
    revision: str
    modalities: tuple[str, ...] = ("text", "video")
    token_modalities: tuple[str, ...] = ("text", "video")

    @property
    def name(self) -> str:
        """The space's name."""
        return self.ask.name

    def preparation(self, modality: str) -> Preparation:
        """The checkpoint's own tokenizer and image processor; as many frames as the model takes."""
        if modality == "text":
            return text_views(self.ask, self.model.config.text_config.max_position_embeddings)
        return FrameViews(self.ask, self.model.config.vision_config.num_frames, {})

    @torch.inference_mode()
    def encode(self, modality: str, views: EncoderInputs) -> Float32[np.ndarray, "views dim"]:
        """Unit rows."""
        inputs = on_device(views, self.ask.device, self.ask.precision)
        if modality == "text":
            return unit_rows_of(self.model.get_text_features(**inputs).pooler_output)
        return unit_rows_of(self.model.get_video_features(**inputs).pooler_output)

    @torch.inference_mode()
    def encode_tokens(self, modality: str, views: EncoderInputs, ids: list[str]) -> Tokens:
        """Words, and frames, whose mean is the video's vector before it is brought to unit length."""
        inputs = on_device(views, self.ask.device, self.ask.precision)
        facts = {"modality": modality, "space": self.name}
        if modality == "text":
            hidden = self.model.text_model(**inputs).last_hidden_state
            return joined(
                word_parts(as_array(self.model.text_projection(hidden)), views), ids, unit="characters", **facts
            )
        frames = as_array(self.frames(inputs["pixel_values"]))
        return joined(list(zip(frames, views["_seconds"], strict=True)), ids, unit="seconds", **facts)

    def frames(self, pixels: torch.Tensor) -> torch.Tensor:
        """``(videos, frames, dim)``: every frame after it has seen the others."""
        videos, frames = pixels.shape[:2]
        pooled = self.model.vision_model(pixel_values=pixels.flatten(0, 1)).pooler_output
        shown = self.model.visual_projection(pooled).view(videos, frames, -1)
        found: torch.Tensor = self.model.mit(shown).last_hidden_state
        return found


def load(ask: Ask) -> Xclip:
    """An X-CLIP space of a checkpoint."""
    from transformers import XCLIPModel

    model = loaded_model(ask, XCLIPModel, ("xclip",))
    return Xclip(ask, model, revision_of(ask, model))
