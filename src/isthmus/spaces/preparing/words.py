"""Words: the tokens of a text averaged word by word, and the characters each word covers."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from isthmus.spaces.preparing.token_parts import Part
from isthmus.spaces.protocol import EncoderInputs


def word_parts(vectors: Float32[np.ndarray, "texts length dim"], views: EncoderInputs) -> list[Part]:
    """For each text the mean vector of every word and its first and last character (exclusive).

    Words are those of the tokenizer. A text in which it finds none is one word.
    """
    parts = []
    for rows, words, characters in zip(vectors, views["_words"], views["_characters"], strict=True):
        named = np.unique(words[words >= 0])
        if len(named) == 0:
            parts.append((rows[:1], np.array([[0, 1]], np.float32)))
            continue
        own = [words == word for word in named]
        means = np.stack([rows[here].mean(0) for here in own])
        spans = [(characters[here, 0].min(), characters[here, 1].max()) for here in own]
        parts.append((means, np.array(spans, np.float32)))
    return parts
