"""Detectors: boxes of objects in an image, as proposals; an object detector of transformers is one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float64
from PIL import Image

from isthmus.base.devices import checked_device
from isthmus.base.errors import IsthmusError
from isthmus.spaces import Weights
from isthmus.spaces.checkpoint import loaded

LEAST_CONFIDENCE = 0.1
"""Low, since any object will do: the query chooses among the boxes."""
MOST_BOXES = 100


@runtime_checkable
class Detector(Protocol):
    """Finds objects in an image."""

    def boxes(self, image: Image.Image) -> Float64[np.ndarray, "boxes 4"]:
        """Left, top, right, bottom of each object in pixels; perhaps none."""


@dataclass(frozen=True)
class TransformersDetector:
    """A closed-set object detector (YOLOS, DETR, RT-DETR, …); made by `load_detector`. Its class names are not used.

    Args:
        model: The detector.
        processor: Its image processor.
        device: Where it runs.
        least: Lowest confidence of a box.
    """

    model: Any
    processor: Any
    device: str
    least: float = LEAST_CONFIDENCE

    @torch.inference_mode()
    def boxes(self, image: Image.Image) -> Float64[np.ndarray, "boxes 4"]:
        """The at most 100 boxes with the highest confidence, the highest first."""
        inputs = self.processor(images=image, return_tensors="pt").to(self.device)
        sizes = [(image.height, image.width)]
        (found,) = self.processor.post_process_object_detection(
            self.model(**inputs), threshold=self.least, target_sizes=sizes
        )
        order = found["scores"].argsort(descending=True)[:MOST_BOXES]
        return found["boxes"][order].double().cpu().numpy().reshape(-1, 4)


def load_detector(source: str, *, device: str | None = None, least: float = LEAST_CONFIDENCE) -> TransformersDetector:
    """Load an object detector.

    Args:
        source: A name on the Hugging Face hub, such as ``hustvl/yolos-tiny``, perhaps with ``@revision``, or a folder.
        device: As for `load_space`.
        least: Lowest confidence of a box.

    Raises:
        IsthmusError: It does not exist, is no object detector, or needs code of its own.
    """
    try:
        from transformers import AutoImageProcessor, AutoModelForObjectDetection
    except ImportError as error:
        raise IsthmusError("an object detector needs transformers: pip install 'isthmus[embed]'") from error

    where = checked_device(device)
    checkpoint, _, revision = source.partition("@")
    weights = Weights(checkpoint, revision, where)
    model, facts = loaded(weights, partial(AutoModelForObjectDetection.from_pretrained, output_loading_info=True))
    if missing := sorted(facts["missing_keys"]):
        raise IsthmusError(f"{source}: has no weights for {missing[0]} ({len(missing)} are missing): give a detector")
    processor = loaded(weights, partial(AutoImageProcessor.from_pretrained, backend="pil"))
    return TransformersDetector(model.eval().to(where), processor, where, least)
