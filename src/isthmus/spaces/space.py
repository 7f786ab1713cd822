"""`Space`: what `load_space` returns. Encodes texts and media directly, and prepared items in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float32

from isthmus.base.errors import IsthmusError
from isthmus.base.progress import OnProgress, Stage, reporting
from isthmus.embeddings.checks import as_ids, check_ids, row_numbers
from isthmus.embeddings.embeddings import Embeddings
from isthmus.embeddings.tokens import Tokens
from isthmus.media import Item, UnreadableError, as_source
from isthmus.media.item import as_unicode, named_item, text_item
from isthmus.media.source import unreadable
from isthmus.spaces.batching import (
    PreparedItem,
    batches,
    collate,
    default_batch,
    joined_tokens,
    mean_of_windows,
    tokens_of_items,
    windows_in,
)
from isthmus.spaces.protocol import Encoder, EncoderInputs, Preparation, TokenEncoder, WindowTokens

Encoded = TypeVar("Encoded")


@dataclass(frozen=True)
class Space:
    """The vector space of one frozen encoder. Made by `load_space`.

    Attributes:
        name: The space's name; embeddings of equal names can be compared.
        modalities: The modalities it encodes.
        kind: ``"vector"`` if items are vectors made elsewhere rather than media.
        device: Where the encoder runs.
        encoder: The encoder itself.
    """

    name: str
    modalities: tuple[str, ...]
    kind: str | None
    device: str
    encoder: Encoder

    @property
    def revision(self) -> str:
        """Which weights these are: a commit of the hub, or a hash of local files."""
        return self.encoder.revision

    @property
    def token_modalities(self) -> tuple[str, ...]:
        """The modalities `encode_tokens` takes."""
        return self.encoder.token_modalities if isinstance(self.encoder, TokenEncoder) else ()

    def encode(
        self,
        items: Iterable[Any],
        *,
        modality: str,
        ids: Iterable[Any] | None = None,
        batch_size: int | None = None,
        progress: bool | OnProgress = False,
    ) -> Embeddings:
        """Encode texts or media.

        Args:
            items: What to encode. Text: strings. Any other modality: paths of files, or values in memory, which may be
                mixed: images as PIL images or arrays of shape (height, width, 3) or (height, width), of uint8 or of
                floats in [0, 1]; audio as (samples, rate in Hz) with samples of shape (samples,) or
                (samples, channels); video as an array of frames of shape (frames, height, width, 3), or (frames,
                frames per second); points as arrays of shape (points, 3). In a ``precomputed`` space: ``.npy`` files
                or vectors, whatever the modality.
            modality: What the items are; one of `modalities`.
            ids: One unique id per item. By default the texts or paths themselves if every item is one and none
                repeats; otherwise rows have no ids and are `numbered`.
            batch_size: How many items, or windows of audio, to encode at once.
            progress: True shows a bar on stderr; a callable receives every `Progress`.

        Returns:
            One unit row per item, in the order given.

        Raises:
            IsthmusError: The space does not have the modality, or an item cannot be read; the message gives its
                position.

        Example:
            >>> import isthmus, numpy as np
            >>> space = isthmus.load_space("precomputed:imagebind")
            >>> vectors = [np.array([3.0, 4.0]), np.array([0.0, 2.0])]
            >>> found = space.encode(vectors, modality="audio", ids=["rain", "dog"])
            >>> found
            Embeddings(2 audio rows, 2-d, space 'imagebind')
            >>> found.vectors
            array([[0.6, 0.8],
                   [0. , 1. ]], dtype=float32)
        """
        listed, names = self._items(items, modality, ids)
        rows = self._in_batches(listed, modality, self.encode_prepared, batch_size, progress)
        odd = next((place for place, row in enumerate(rows) if len(row) != len(rows[0])), None)
        if odd is not None:
            raise IsthmusError(f"item {odd}: {len(rows[odd])} dimensions, but item 0 has {len(rows[0])}")
        return Embeddings.from_array(
            np.stack(rows), modality=modality, space=self.name, ids=names, revision=self.revision
        )

    def encode_tokens(
        self,
        items: Iterable[Any],
        *,
        modality: str,
        ids: Iterable[Any] | None = None,
        batch_size: int | None = None,
        progress: bool | OnProgress = False,
    ) -> Tokens:
        """Encode texts or media into tokens: words, patches, frames or steps of audio.

        Args:
            items: As for `encode`.
            modality: What the items are; one of `token_modalities`.
            ids: As for `encode`.
            batch_size: As for `encode`.
            progress: As for `encode`.

        Returns:
            The tokens of each item, not normalized, and the place of each: a box in pixels, seconds or characters.

        Raises:
            IsthmusError: As for `encode`, and if the space has no tokens of the modality.
        """
        self.check_tokens(modality)
        listed, names = self._items(items, modality, ids)
        parts = self._in_batches(listed, modality, self.encode_prepared_tokens, batch_size, progress)
        return joined_tokens(parts, names, modality=modality, space=self.name)

    def check_tokens(self, modality: str) -> None:
        """Raise `IsthmusError` unless the space has tokens of the modality."""
        if not self.token_modalities:
            raise IsthmusError(f"the space {self.name!r} has no tokens, only one vector per item")
        if modality not in self.token_modalities:
            raise IsthmusError(
                f"the space {self.name!r} has no {modality} tokens: choose one of {', '.join(self.token_modalities)}"
            )

    def preparation(self, modality: str) -> Preparation:
        """How items of a modality are prepared for the encoder. Raises `IsthmusError` if the space lacks it."""
        if modality not in self.modalities:
            raise IsthmusError(
                f"the space {self.name!r} has no {modality!r}: choose one of {', '.join(self.modalities)}"
            )
        return self.encoder.preparation(modality)

    def encode_prepared(self, modality: str, prepared: Sequence[EncoderInputs]) -> Float32[np.ndarray, "items dim"]:
        """One row per prepared item: the normalized mean over its windows."""
        whole = collate(prepared, self.preparation(modality).padding)
        return mean_of_windows(self.encoder.encode_inputs(modality, whole), [windows_in(own) for own in prepared])

    def encode_prepared_tokens(self, modality: str, prepared: Sequence[EncoderInputs]) -> list[WindowTokens]:
        """The tokens of each prepared item and their places: those of its windows, one window after another."""
        assert isinstance(self.encoder, TokenEncoder)
        whole = collate(prepared, self.preparation(modality).padding)
        return tokens_of_items(self.encoder.encode_tokens(modality, whole), [windows_in(own) for own in prepared])

    def _items(
        self, values: Iterable[Any], modality: str, ids: Iterable[Any] | None
    ) -> tuple[list[Item], list[str] | None]:
        """The values as items, and their ids if they have any. Errors name an item by its position."""
        self.preparation(modality)
        if isinstance(values, str | bytes | Path) or not isinstance(values, Iterable):
            raise IsthmusError(f"expected a list of items, got one {type(values).__name__}: pass [item]")
        listed = list(values)
        if not listed:
            raise IsthmusError("there is nothing to encode: pass at least one item")
        where = f"{modality} items"
        own = _names(listed) if ids is None else as_ids(ids, where)
        names = row_numbers(len(listed)) if own is None else own
        check_ids(names, len(listed), where)
        if (self.kind or modality) != "text":
            return [named_item(name, as_source(value), "") for name, value in zip(names, listed, strict=True)], own
        wrong = next((place for place, value in enumerate(listed) if not isinstance(value, str)), None)
        if wrong is not None:
            raise IsthmusError(f"item {wrong}: expected a text (str), got {type(listed[wrong]).__name__}")
        return [text_item(name, value) for name, value in zip(names, listed, strict=True)], own

    def _in_batches(
        self,
        items: Sequence[Item],
        modality: str,
        encode: Callable[[str, Sequence[EncoderInputs]], Iterable[Encoded]],
        batch_size: int | None,
        progress: bool | OnProgress,
    ) -> list[Encoded]:
        """What ``encode`` makes of every item, in their order."""
        preparation = self.preparation(modality)
        if batch_size is not None and batch_size < 1:
            raise IsthmusError(f"batch_size must be at least 1, got {batch_size}")
        size = batch_size or default_batch(modality, self.device)
        made: dict[str, Encoded] = {}
        stage = Stage(f"encoding {modality}", len(items))
        with reporting(progress) as report:
            for batch in batches(_prepared(preparation, items), preparation.padding, size):
                rows = encode(modality, [inputs for _, inputs in batch])
                made.update(zip([item.id for item, _ in batch], rows, strict=True))
                report(stage.at(len(made)))
        return [made[item.id] for item in items]


def _names(values: Sequence[Any]) -> list[str] | None:
    """Texts and paths name themselves unless one repeats; anything else has no name."""
    if all(isinstance(value, str | Path) for value in values) and len(set(map(str, values))) == len(values):
        return [as_unicode(str(value)) for value in values]
    return None


def _prepared(preparation: Preparation, items: Sequence[Item]) -> Iterator[PreparedItem]:
    for place, item in enumerate(items):
        try:
            with unreadable(item.name):
                inputs = preparation(item)
        except UnreadableError as error:
            raise IsthmusError(f"item {place}: {error}") from error
        yield item, inputs
