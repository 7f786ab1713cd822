"""Text: tokenized by the checkpoint's tokenizer; tokens averaged into words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float32

from isthmus.base.errors import IsthmusError
from isthmus.base.hashing import fingerprint_of
from isthmus.media import Item
from isthmus.spaces.checkpoint import loaded
from isthmus.spaces.protocol import CUT, EncoderInputs, Weights, WindowTokens

WORD = re.compile(r"\S+")


@lru_cache(maxsize=8)
def tokenizer(weights: Weights) -> Any:
    """The checkpoint's tokenizer."""
    from transformers import AutoTokenizer

    made = loaded(weights, AutoTokenizer.from_pretrained)
    if made("a cat")["input_ids"] == made("a dog")["input_ids"]:
        raise IsthmusError(f"{weights.source}: has no tokenizer, all texts would be encoded alike: add its files")
    return made


@lru_cache(maxsize=8)
def settings_of(weights: Weights) -> str:
    """All that decides what the tokenizer makes of a text, except where the last call cut and padded."""
    from tokenizers import Tokenizer

    own = Tokenizer.from_str(tokenizer(weights).backend_tokenizer.to_str())
    own.no_truncation()
    own.no_padding()
    return str(own.to_str())


@dataclass(frozen=True)
class TextPreparation:
    """Tokenizes a text and cuts it at ``length``; ``_words`` numbers the word of each token, -1 for none.

    ``_cut`` says whether the text was longer.
    """

    weights: Weights
    length: int
    padding: Mapping[str, int]
    fill: bool = False

    @property
    def fingerprint(self) -> str:
        """Depends on the tokenizer and the length."""
        return fingerprint_of("text 1", self.length, self.fill, settings_of(self.weights))

    def __call__(self, item: Item) -> EncoderInputs:
        """The inputs of one text, in one row."""
        made = tokenizer(self.weights)(
            item.text, truncation=True, max_length=self.length, padding="max_length" if self.fill else False
        )
        inputs = {name: np.array([made[name]]) for name in ("input_ids", "attention_mask") if name in made}
        inputs.setdefault("attention_mask", np.ones_like(inputs["input_ids"]))
        return {**inputs, **words_of(item.text, made), CUT: np.array([bool(made.encodings[0].overflowing)])}


def text_preparation(weights: Weights, length: int, *, fill: bool = False) -> TextPreparation:
    """A text preparation that pads as the tokenizer does, in batches or, with ``fill``, always to ``length``."""
    pad = tokenizer(weights).pad_token_id or 0
    padding = {"input_ids": pad, "attention_mask": 0, "_words": -1, "_characters": 0}
    return TextPreparation(weights, length, padding, fill)


def words_of(text: str, made: Any) -> dict[str, np.ndarray]:
    """The word in which each token begins, words being separated by white space, and the characters it covers."""
    spans = np.array(made.encodings[0].offsets)
    starts = np.array([word.start() for word in WORD.finditer(text)])
    own = [WORD.search(text, start, end) for start, end in spans.tolist()]
    numbers = [-1 if word is None else int(np.searchsorted(starts, word.start(), "right")) - 1 for word in own]
    return {"_words": np.array([numbers]), "_characters": spans[None]}


def word_tokens(vectors: Float32[np.ndarray, "texts length dim"], inputs: EncoderInputs) -> list[WindowTokens]:
    """For each text, the mean vector of every word with its first and last character (exclusive).

    A text in which the tokenizer finds no word is one word.
    """
    parts = []
    for rows, words, characters in zip(vectors, inputs["_words"], inputs["_characters"], strict=True):
        named = np.unique(words[words >= 0])
        if len(named) == 0:
            parts.append((rows[:1], np.array([[0, 1]], np.float32)))
            continue
        own = [words == word for word in named]
        means = np.stack([rows[here].mean(0) for here in own])
        spans = [(characters[here, 0].min(), characters[here, 1].max()) for here in own]
        parts.append((means, np.array(spans, np.float32)))
    return parts
