"""A connected space as an encoder of MTEB: `mteb.evaluate` runs its text, image and audio tasks on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from isthmus.base.errors import IsthmusError
from isthmus.base.hashing import fingerprint_of
from isthmus.connectors.connector import Connector
from isthmus.connectors.graph.space_graph import SpaceGraph, load_any
from isthmus.connectors.member import unit
from isthmus.spaces import Space, load_space

if TYPE_CHECKING:
    from mteb.models import ModelMeta

MODALITIES = ("text", "image", "audio")
UNSUPPORTED = ("video",)
"""Columns of MTEB that a connected space does not read: its videos are decoders of torchcodec."""
UNKNOWN: Mapping[str, Any] = {
    "loader": None,
    "release_date": None,
    "languages": None,
    "n_parameters": None,
    "memory_usage_mb": None,
    "max_tokens": None,
    "license": None,
    "open_weights": None,
    "public_training_code": None,
    "public_training_data": None,
    "training_datasets": None,
}
"""What MTEB asks of every model and isthmus cannot know."""


class MtebEncoder:
    """A connector with encoders of its spaces, as MTEB's ``EncoderProtocol`` asks for.

    Args:
        connector: A connector or graph of spaces; None for an encoder alone, which shows what connecting costs it.
        spaces: The encoders of its spaces. A modality that several have, as the overlap, is encoded by the first.
        name: Name of the model in results: ``"organisation/model"``; by default made of the names of the spaces.
        facts: Further fields of `mteb.ModelMeta`, such as ``license``, ``reference`` and ``training_datasets``.

    Raises:
        IsthmusError: No space encodes text, images or audio, or there are several spaces and no connector.
    """

    def __init__(
        self,
        connector: Connector | SpaceGraph | None,
        spaces: Sequence[Space],
        *,
        name: str | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self.connector = connector
        self.encoders = {
            modality: next(space for space in spaces if modality in space.modalities)
            for modality in MODALITIES
            if any(modality in space.modalities for space in spaces)
        }
        if not self.encoders:
            raise IsthmusError(f"no space encodes {', '.join(MODALITIES)}: pass those that the connector connects")
        if connector is None and len(spaces) > 1:
            raise IsthmusError(
                f"{len(spaces)} spaces without a connector cannot be compared: pass one, or connect them"
            )
        self.name = name or "isthmus/" + "-".join(dict.fromkeys(own.name.replace(":", "_") for own in spaces))
        self.facts = dict(facts or {})
        self._meta: ModelMeta | None = None

    @property
    def mteb_model_meta(self) -> ModelMeta:
        """The model's facts: those with which MTEB loaded it, or ours, whose revision is a hash of the joint space.

        Raises `IsthmusError` if mteb is not installed.
        """
        if self._meta is not None:
            return self._meta
        try:
            from mteb.models import ModelMeta
        except ImportError as error:
            raise IsthmusError("an encoder for MTEB needs mteb: pip install 'isthmus[mteb]'") from error
        encoders = {modality: [own.name, own.revision] for modality, own in self.encoders.items()}
        joint = "" if self.connector is None else self.connector.projected_space
        measured = {
            "name": self.name,
            "revision": fingerprint_of(joint, encoders),
            "embed_dim": self.dim,
            "modalities": list(self.encoders),
            "framework": ["PyTorch"],
            "similarity_fn_name": "cosine",
            "use_instructions": False,
        }
        return ModelMeta(**{**UNKNOWN, **measured, **self.facts})

    @mteb_model_meta.setter
    def mteb_model_meta(self, meta: ModelMeta) -> None:
        self._meta = meta

    @property
    def dim(self) -> int | None:
        """Dimension of the joint space; None for an encoder alone, which does not say."""
        joint = self.connector.legs[0] if isinstance(self.connector, SpaceGraph) else self.connector
        return None if joint is None else joint.dim

    def encode(
        self,
        inputs: Iterable[Mapping[str, Any]],
        *,
        task_metadata: Any = None,
        hf_split: str = "",
        hf_subset: str = "",
        prompt_type: Any = None,
        **kwargs: Any,
    ) -> Float[np.ndarray, "items joint"]:
        """Encode the batches of MTEB's data loader into the joint space.

        Args:
            inputs: Batches: lists of equal length by column. The columns ``text``, ``image`` and ``audio`` are encoded;
                an item that has several is the mean of their unit vectors.
            task_metadata: MTEB's description of the task, for messages. Prompts are not used.
            hf_split: Not used.
            hf_subset: Not used.
            prompt_type: Not used: queries and documents are encoded alike.
            **kwargs: Not used: the loader has made the batches.

        Returns:
            One unit row per item.

        Raises:
            IsthmusError: There is no batch, or one without a modality that the spaces encode, or with one that they do
                not encode.
        """
        task = getattr(task_metadata, "name", "the task")
        rows = [self._encoded(batch, task) for batch in batches(inputs)]
        if not rows:
            raise IsthmusError(f"{task} has nothing to encode: choose another split")
        return np.concatenate(rows)

    def similarity(self, embeddings1: Any, embeddings2: Any) -> Float[Tensor, "rows others"]:
        """The cosine of every row of one with every row of the other."""
        return _unit_rows(embeddings1) @ _unit_rows(embeddings2).T

    def similarity_pairwise(self, embeddings1: Any, embeddings2: Any) -> Float[Tensor, " rows"]:
        """The cosine of each row of one with the same row of the other."""
        return (_unit_rows(embeddings1) * _unit_rows(embeddings2)).sum(1)

    def _encoded(self, batch: Mapping[str, Any], task: str) -> Float[np.ndarray, "items joint"]:
        present = [name for name in (*MODALITIES, *UNSUPPORTED) if name in batch]
        if missing := [name for name in present if name not in self.encoders]:
            raise IsthmusError(
                f"{task} has {missing[0]}, which the spaces of {self.name} do not encode: choose tasks of "
                f"{', '.join(self.encoders)}"
            )
        if not present:
            raise IsthmusError(f"{task} has a batch of {', '.join(batch)}: expected {' or '.join(self.encoders)}")
        parts = [self._projected(name, batch[name]) for name in present]
        return parts[0] if len(parts) == 1 else unit(torch.from_numpy(np.sum(parts, 0))).numpy()

    def _projected(self, modality: str, values: Sequence[Any]) -> Float[np.ndarray, "items joint"]:
        items = [as_sound(value) for value in values] if modality == "audio" else list(values)
        found = self.encoders[modality].encode(items, modality=modality, ids=range(len(items)))
        return found.vectors if self.connector is None else self.connector.project(found).vectors


def load_mteb_encoder(
    model_name: str,
    revision: str | None = None,
    *,
    spaces: Sequence[str] = (),
    device: str | None = None,
    precision: str = "float32",
    **facts: Any,
) -> MtebEncoder:
    """Load a connector and its encoders; the ``loader`` of a `mteb.ModelMeta`.

    Args:
        model_name: Folder of a connector or graph of spaces, or a connector's repository on the Hugging Face hub.
        revision: Branch, tag or commit of the repository.
        spaces: Encoders as `load_space` takes them, first the one for the overlap; by default the names of
            the connector's spaces.
        device: Where the encoders run.
        precision: Their arithmetic.
        **facts: Further fields of `mteb.ModelMeta`.

    Raises:
        IsthmusError: The connector or an encoder cannot be loaded.
    """
    local = Path(model_name)
    made = load_any(local) if local.exists() else Connector.from_pretrained(model_name, revision=revision)
    own = made.spaces if isinstance(made, SpaceGraph) else [made.left_space, made.right_space]
    loaded = [load_space(spec, device=device, precision=precision) for spec in spaces or own]
    return MtebEncoder(made, loaded, name=None if local.exists() else model_name, facts=facts)


def batches(loader: Any) -> Iterator[Mapping[str, Any]]:
    """The batches of a loader, with audio as the bytes of its files instead of decoded.

    So a clip gives the same vector as in `isthmus embed`, and torchcodec is not needed to decode it.
    """
    dataset = getattr(loader, "dataset", None)
    features = getattr(dataset, "features", None) or {}
    encoded = [name for name, kind in features.items() if type(kind).__name__ == "Audio"]
    if dataset is None or not encoded:
        yield from loader
        return
    from datasets import Audio
    from torch.utils.data import DataLoader

    for name in encoded:
        dataset = dataset.cast_column(name, Audio(decode=False))
    yield from DataLoader(dataset, batch_size=loader.batch_size, collate_fn=loader.collate_fn)


def as_sound(value: Any) -> Any:
    """An audio item of MTEB as `Space.encode` takes it: the bytes or path of a file, or samples and their rate."""
    if isinstance(value, Mapping) and "array" not in value:
        return value["bytes"] if value.get("bytes") is not None else value["path"]
    samples = np.asarray(value["array"])
    # MTEB has (channels, samples), isthmus (samples, channels).
    return (samples.T if samples.ndim == 2 else samples), int(value["sampling_rate"])


def _unit_rows(rows: Any) -> Float[Tensor, "rows dim"]:
    return unit(torch.atleast_2d(torch.as_tensor(rows, dtype=torch.float32)))
