"""Tokens in memory and on disk: what goes in comes out, blocks and paddings agree, damage is named."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.base.errors import IsthmusError
from isthmus.embeddings import (
    Tokens,
    TokenWriter,
    open_tokens,
    save_tokens,
    token_modalities,
    verify_tokens,
)

DIM = 3


def made(counts: list[int], seed: int = 0) -> Tokens:
    draw = np.random.default_rng(seed)
    total = sum(counts)
    starts = np.concatenate([np.arange(count) for count in counts]).astype(np.float32)
    return Tokens.from_arrays(
        draw.standard_normal((total, DIM)).astype(np.float32),
        np.concatenate([[0], np.cumsum(counts)]),
        np.stack([starts, starts + 1], axis=1),
        modality="audio",
        space="s",
        unit="seconds",
        ids=[f"item {row}" for row in range(len(counts))],
    )


def of(tokens: Tokens, row: int) -> np.ndarray:
    return tokens.vectors[tokens.offsets[row] : tokens.offsets[row + 1]]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=12), st.integers(1, 5), st.randoms())
def test_any_selection_holds_each_items_own_tokens(counts: list[int], items: int, random) -> None:
    tokens = made(counts)
    order = random.sample(range(len(counts)), random.randint(1, len(counts)))
    taken = tokens.take(np.array(order))
    assert taken.ids == [f"item {row}" for row in order]
    for place, row in enumerate(order):
        np.testing.assert_array_equal(of(taken, place), of(tokens, row))
    twice = tokens.rows(np.array([*order, *order]))
    np.testing.assert_array_equal(twice, np.concatenate([taken.vectors, taken.vectors]))
    blocks = list(tokens.batches(items))
    np.testing.assert_array_equal(np.concatenate([block.vectors for block in blocks]), tokens.vectors)
    assert [item for block in blocks for item in block.ids] == tokens.ids


@pytest.mark.parametrize("shard_items", [1, 2, 100])
def test_tokens_return_from_disk_memory_mapped(tmp_path: Path, shard_items: int) -> None:
    tokens = made([2, 1, 4, 3])
    save_tokens(tokens, tmp_path, dtype="float32", shard_items=shard_items)
    found = open_tokens(tmp_path, "audio")
    assert (found.ids, found.space, found.unit) == (tokens.ids, "s", "seconds")
    np.testing.assert_array_equal(found.vectors, tokens.vectors)
    np.testing.assert_array_equal(found.places, tokens.places)
    np.testing.assert_array_equal(found.take(np.array([3, 0])).vectors, np.concatenate([of(tokens, 3), of(tokens, 0)]))
    assert token_modalities(tmp_path) == ["audio"]
    verify_tokens(tmp_path, "audio")


def test_a_writer_goes_on_after_the_last_whole_shard(tmp_path: Path) -> None:
    first, second = made([2, 1]), made([3], seed=1)
    kind = {"modality": "audio", "space": "s", "dim": DIM, "unit": "seconds"}
    TokenWriter(tmp_path, **kind).append(first)
    (tmp_path / "audio_tokens" / "vectors_1.npy").write_bytes(b"of somebody else")
    writer = TokenWriter(tmp_path, **kind)
    assert writer.items_done == 2
    writer.append(Tokens(second._parts, modality="audio", space="s", dim=DIM, ids=["new"], unit="seconds"))
    assert open_tokens(tmp_path, "audio").ids == ["item 0", "item 1", "new"]
    assert (tmp_path / "audio_tokens" / "vectors_1.npy").read_bytes() == b"of somebody else"
    with pytest.raises(IsthmusError, match=r"its audio tokens have dim 3, not 4: write to another folder"):
        TokenWriter(tmp_path, **{**kind, "dim": 4})


def test_damage_is_named(tmp_path: Path) -> None:
    save_tokens(made([2, 1]), tmp_path)
    file = tmp_path / "audio_tokens" / "vectors_0.npy"
    content = file.read_bytes()
    file.write_bytes(content[:-2] + b"xx")
    with pytest.raises(IsthmusError, match=r"vectors_0\.npy: altered or truncated"):
        verify_tokens(tmp_path, "audio")
    file.write_bytes(content[:-4])
    with pytest.raises(IsthmusError, match=r"vectors_0\.npy: cannot be read \(truncated"):
        open_tokens(tmp_path, "audio")
    with pytest.raises(IsthmusError, match="has no image tokens, only audio: choose one with modality"):
        open_tokens(tmp_path, "image")
    with pytest.raises(IsthmusError, match="already has tokens of 2 items"):
        save_tokens(made([1]), tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unit": "inches"}, "unit 'inches'"),
        ({"offsets": np.array([0, 1, 1, 3])}, "item 1 has no tokens"),
        ({"offsets": np.array([0, 1])}, "offsets must run from 0"),
        ({"places": np.zeros((3, 4), np.float32)}, "3 rows of start, end"),
        ({"vectors": np.array([[0, 0, 0], [np.nan, 0, 0], [0, 0, 0]], np.float32)}, "token 1 .item .1.. contains NaN"),
        ({"ids": ["a", "a"]}, "duplicate id 'a'"),
    ],
)
def test_bad_tokens_are_refused(change: dict, message: str) -> None:
    arrays = {
        "vectors": np.zeros((3, DIM), np.float32),
        "offsets": np.array([0, 1, 3]),
        "places": np.zeros((3, 2), np.float32),
    }
    named = {"modality": "audio", "space": "s", "unit": "seconds", "ids": None}
    given_arrays = {name: change.get(name, value) for name, value in arrays.items()}
    with pytest.raises(IsthmusError, match=message):
        Tokens.from_arrays(**given_arrays, **{name: change.get(name, value) for name, value in named.items()})


def test_tokens_of_some_items_are_opened_in_the_order_asked(tmp_path: Path) -> None:
    tokens = made([2, 1, 4])
    save_tokens(tokens, tmp_path, dtype="float32")
    found = open_tokens(tmp_path, ids=["item 2", "item 0"])
    assert (found.ids, found.counts.tolist()) == (["item 2", "item 0"], [4, 2])
    np.testing.assert_array_equal(found.vectors, np.concatenate([of(tokens, 2), of(tokens, 0)]))
    with pytest.raises(IsthmusError, match="audio item 'item 9' has no tokens"):
        open_tokens(tmp_path, ids=["item 9"])


def test_the_modality_of_tokens_must_be_clear(tmp_path: Path) -> None:
    with pytest.raises(IsthmusError, match="has no tokens: embed with --tokens"):
        open_tokens(tmp_path)
    for modality in ("audio", "video"):
        tokens = made([1])
        save_tokens(Tokens(tokens._parts, modality=modality, space="s", dim=DIM, ids=["a"], unit="seconds"), tmp_path)
    with pytest.raises(IsthmusError, match="has tokens of audio, video: choose one with --modality"):
        open_tokens(tmp_path, option="--modality")


def test_tokens_of_another_kind_are_not_appended(tmp_path: Path) -> None:
    writer = TokenWriter(tmp_path, modality="audio", space="s", dim=DIM + 1, unit="seconds")
    with pytest.raises(IsthmusError, match="its audio tokens have dim 4, not 3"):
        writer.append(made([2]))
