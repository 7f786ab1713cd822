"""The digits world: what is kept apart, what is true of an item, and the spaces that ship with the package."""

import re
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from isthmus.base.errors import IsthmusError
from isthmus.worlds.digits.build import assemble, build, build_spaces
from isthmus.worlds.digits.concepts import all_concepts, concepts_of, digits_of, near_misses, split_concepts
from isthmus.worlds.digits.digits_world import DigitsWorld, captions
from isthmus.worlds.digits.items import audio_of, image_of
from isthmus.worlds.digits.recordings import shipped
from isthmus.worlds.digits.recordings.handwriting import Handwriting
from isthmus.worlds.digits.recordings.speech import RATE
from isthmus.worlds.digits.spaces.feeds import ImageFeed
from isthmus.worlds.digits.spaces.recipe import Recipe, SpaceRecipe
from isthmus.worlds.digits.spaces.space import build_space
from isthmus.worlds.digits.spaces.training import train_space
from isthmus.worlds.digits.wording import DIGIT_OF_WORD, TOKEN, digit_spans
from isthmus.worlds.spaces.weights import load_spaces, save_spaces
from isthmus.worlds.world import Sizes, World


def recordings_in(world_ids: tuple[str, ...]) -> set[int]:
    return {int(row) for item in world_ids for row in audio_of(item).recordings[0] if row >= 0}


def speakers_in(digits: DigitsWorld, ids: tuple[str, ...]) -> set[str]:
    return set(digits.source.speech.speaker[list(recordings_in(ids))].tolist())


def tiles_in(world_ids: tuple[str, ...]) -> set[int]:
    return {int(row) for item in world_ids for row in image_of(item).tiles[0] if row >= 0}


@given(st.lists(st.integers(0, 9), min_size=3, max_size=5))
def test_a_concept_number_spells_its_digits(digits: list[int]) -> None:
    concept = int("1" + "".join(map(str, digits)))
    row = digits_of(np.array([concept]))
    assert row[0, : len(digits)].tolist() == digits
    assert (row[0, len(digits) :] == -1).all()
    assert concepts_of(row).tolist() == [concept]


def test_splits_share_no_sequence_and_no_reordering_of_one() -> None:
    parts = split_concepts(0)
    assert sum(map(len, parts.values())) == len(all_concepts()) == 111_000
    contents = {name: set(map(tuple, np.sort(digits_of(rows), axis=1).tolist())) for name, rows in parts.items()}
    assert not contents["train"] & contents["test"]
    assert not contents["train"] & contents["dev"]
    assert not contents["dev"] & contents["test"]


def test_near_misses_differ_by_one_digit_or_one_swap() -> None:
    concepts = np.random.default_rng(0).choice(all_concepts(), 500)
    before, after = digits_of(concepts), digits_of(near_misses(concepts, np.random.default_rng(1)))
    for one, other in zip(before.tolist(), after.tolist(), strict=True):
        places = [i for i in range(5) if one[i] != other[i]]
        swapped = len(places) == 2 and places[1] == places[0] + 1 and sorted(one) == sorted(other)
        assert len(places) == 1 or swapped


@pytest.mark.slow
def test_test_items_use_images_recordings_and_speakers_that_training_never_saw(
    digits: DigitsWorld, world: World
) -> None:
    training = recordings_in(world.right["audio"].ids) | recordings_in(world.pairs[1].ids)
    seen, unseen = world.galleries["seen"].right.ids, world.galleries["unseen"].right.ids
    assert not training & recordings_in(seen)
    assert speakers_in(digits, unseen) == {digits.splits.unseen_speaker}
    assert digits.splits.unseen_speaker not in speakers_in(digits, (*world.right["audio"].ids, *seen))
    trained_tiles = tiles_in(world.left["image"].ids) | tiles_in(world.pairs[0].ids)
    assert not trained_tiles & tiles_in(world.galleries["seen"].left.ids)
    trained = {digits.words(item) for item in (*world.left["image"].ids, *world.left["text"].ids)}
    assert not trained & {digits.words(item) for item in seen}


def test_dev_and_test_share_nothing(digits: DigitsWorld, world: World) -> None:
    dev = digits.world("dev", Sizes(texts=10, memory=10, pairs=0, gallery=120))
    for name in ("seen", "unseen", "hard"):
        ours, theirs = dev.galleries[name], world.galleries[name]
        assert not set(ours.left_concepts) & set(theirs.left_concepts)
        assert not recordings_in(ours.right.ids) & recordings_in(theirs.right.ids)
        assert not tiles_in(ours.left.ids) & tiles_in(theirs.left.ids)


def test_most_items_of_the_hard_gallery_have_a_near_miss_in_it(world: World) -> None:
    rows = digits_of(world.galleries["hard"].left_concepts)
    changed = (rows[:, None] != rows[None]).sum(-1)
    same_content = (np.sort(rows, 1)[:, None] == np.sort(rows, 1)[None]).all(-1)
    near = (changed == 1) | ((changed == 2) & same_content)
    assert near.any(1).mean() > 0.7


def test_the_memories_and_texts_of_a_seed_do_not_depend_on_each_others_size(digits: DigitsWorld) -> None:
    small = digits.world("test", Sizes(texts=20, memory=10, pairs=0, gallery=10))
    other = digits.world("test", Sizes(texts=20, memory=30, pairs=5, gallery=10))
    assert small.left["text"].ids == other.left["text"].ids
    np.testing.assert_array_equal(small.galleries["seen"].left.vectors, other.galleries["seen"].left.vectors)
    another = digits.world("test", Sizes(texts=20, memory=10, pairs=0, gallery=10), seed=1)
    assert small.left["text"].ids != another.left["text"].ids


def test_boxes_hold_all_the_ink_and_every_digit(digits: DigitsWorld, world: World) -> None:
    for item in world.left["image"].ids[:40]:
        picture, boxes = digits.image(item), digits.boxes(item)
        outside = picture.copy()
        for left, top, right, bottom in boxes:
            assert picture[top:bottom, left:right].any()
            outside[top:bottom, left:right] = 0
        assert not outside.any()
        assert len(boxes) == len(digits.words(item).split())
        assert (boxes[1:, 0] >= boxes[:-1, 2]).all()


def test_seconds_hold_all_the_sound_and_every_digit(digits: DigitsWorld, world: World) -> None:
    for item in world.right["audio"].ids[:40]:
        samples, rate = digits.waveform(item)
        outside = samples.copy()
        for start, end in digits.seconds(item):
            assert np.abs(samples[round(start * rate) : round(end * rate)]).max() > 0.01
            outside[round(start * rate) : round(end * rate)] = 0
        assert not outside.any()
        assert rate == RATE
        assert len(digits.seconds(item)) == len(digits.words(item).split())


def test_spans_of_a_text_are_its_digit_words(digits: DigitsWorld) -> None:
    concepts = np.array([1370, 10_0421, 1900])
    for space in (digits.image_space, digits.audio_space):
        for concept, text in zip(concepts, captions(concepts, space), strict=True):
            words = [text[start:end] for start, end in digit_spans(text)]
            assert [DIGIT_OF_WORD[word] for word in words] == [int(digit) for digit in str(concept)[1:]]


def test_the_two_spaces_word_the_same_sequence_differently(digits: DigitsWorld) -> None:
    concepts = split_concepts(0)["train"][:200]
    left, right = captions(concepts, digits.image_space), captions(concepts, digits.audio_space)
    assert np.mean([a == b for a, b in zip(left, right, strict=True)]) < 0.05
    vocabularies = [set(space.wording.vocabulary) for space in (digits.image_space, digits.audio_space)]
    assert vocabularies[0] != vocabularies[1]


def test_an_unknown_word_is_refused_with_its_row(digits: DigitsWorld) -> None:
    with pytest.raises(IsthmusError, match="text row 1: unknown word 'cat'"):
        digits.image_space.embed_texts(["one two three", "one cat"])


def test_the_shipped_spaces_find_their_own_texts(digits: DigitsWorld) -> None:
    found = digits.base_retrieval("test", count=400)
    assert found["image"] > 0.97
    assert found["audio.seen"] > 0.97
    assert found["audio.unseen"] > 0.75


def test_unrelated_spaces_agree_on_nothing_before_they_are_connected(world: World) -> None:
    gallery = world.galleries["seen"]
    cosines = gallery.left.vectors @ gallery.right.vectors.T
    found = (cosines.argmax(1) == np.arange(len(cosines))).mean()
    assert found < 0.05


@pytest.mark.parametrize("options", [{"texts": 0}, {"gallery": 0}, {"memory": -1}, {"pairs": -1}])
def test_impossible_sizes_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(IsthmusError, match="texts and gallery must be at least 1, memory and pairs at least 0"):
        Sizes(**options)


def test_the_fingerprint_depends_on_vectors_and_truth(world: World) -> None:
    other_truth = {
        name: replace(gallery, left_concepts=gallery.left_concepts[::-1].copy())
        for name, gallery in world.galleries.items()
    }
    moved = {**world.left, "text": world.left["text"].take(np.arange(299, -1, -1))}
    changed = [replace(world, galleries=other_truth), replace(world, pairs=None), replace(world, left=moved)]
    prints = {world.fingerprint(), *(own.fingerprint() for own in changed)}
    assert len(prints) == 4
    assert replace(world, name="another name").fingerprint() == world.fingerprint()


def test_an_unknown_split_is_refused(digits: DigitsWorld) -> None:
    with pytest.raises(IsthmusError, match="galleries for 'dev' and 'test'"):
        digits.world("train")


def test_the_world_just_opened_is_the_one_its_weights_were_trained_on(digits: DigitsWorld) -> None:
    recorded = load_spaces(
        shipped.SHIPPED_WEIGHTS, build_spaces(Recipe()), Recipe().fingerprint(digits.source.fingerprint)
    )
    for own, read in zip((digits.image_space, digits.audio_space), recorded, strict=True):
        for one, other in zip(own.state_dict().values(), read.state_dict().values(), strict=True):
            assert torch.equal(one, other)


def test_altered_speech_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    altered = bytearray(shipped.SPEECH_AUDIO.read_bytes())
    altered[5000] ^= 1
    (tmp_path / "speech.flac").write_bytes(altered)
    monkeypatch.setattr(shipped, "SPEECH_AUDIO", tmp_path / "speech.flac")
    with pytest.raises(IsthmusError, match="altered"):
        shipped.default_recordings()


TINY = SpaceRecipe("spelled", "attentive", seed=5, steps=4, batch=8, width=16, dim=12)
TINY_RECIPE = Recipe(image=TINY, audio=replace(TINY, wording="read out", text_tower="recurrent", seed=6))


@pytest.mark.parametrize(
    ("change", "message"), [("cut", "incomplete metadata"), ("flip", "altered"), ("other", "other data")]
)
def test_damaged_or_foreign_weights_are_refused(change: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "spaces.safetensors"
    save_spaces(path, build_spaces(TINY_RECIPE), asdict(TINY_RECIPE), "f" * 16, {})
    content = bytearray(path.read_bytes())
    if change == "cut":
        path.write_bytes(content[:-100])
    if change == "flip":
        content[-9] ^= 0x40
        path.write_bytes(content)
    with pytest.raises(IsthmusError, match=re.escape(str(path)) + ".*" + message):
        load_spaces(path, build_spaces(TINY_RECIPE), ("e" if change == "other" else "f") * 16)


@pytest.mark.slow
def test_the_same_recipe_trains_the_same_weights_and_lowers_the_loss() -> None:
    bank = shipped.shipped_handwriting()
    rows = np.arange(600)
    concepts = split_concepts(0)["train"]
    trained = []
    for _ in range(2):
        recipe = replace(TINY, steps=25, batch=32, width=32)
        space = build_space("image", recipe)
        losses = train_space(space, ImageFeed(bank, rows), recipe, concepts)
        trained.append(space)
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    for one, other in zip(trained[0].state_dict().values(), trained[1].state_dict().values(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.slow
def test_other_data_trains_its_own_spaces_once_and_keeps_them_in_the_user_directory(
    digits: DigitsWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISTHMUS_HOME", str(tmp_path))
    own = digits.source.handwriting
    source = replace(digits.source, name="half", handwriting=Handwriting(own.tiles[::2], own.digit[::2]))
    first = build(source, TINY_RECIPE)
    (kept,) = tmp_path.rglob("*.safetensors")
    stamp = kept.stat().st_mtime_ns
    second = build(source, TINY_RECIPE)
    assert kept.stat().st_mtime_ns == stamp
    left, right = (world.world("dev", Sizes(texts=8, memory=8, pairs=0, gallery=4)) for world in (first, second))
    np.testing.assert_array_equal(left.left["image"].vectors, right.left["image"].vectors)
    np.testing.assert_array_equal(left.right["audio"].vectors, right.right["audio"].vectors)


def test_words_of_a_caption_are_all_in_the_vocabulary(digits: DigitsWorld) -> None:
    texts = captions(split_concepts(0)["test"][:500], digits.audio_space)
    assert {word for text in texts for word in TOKEN.findall(text)} <= set(digits.audio_space.wording.vocabulary)


def test_assembling_needs_the_named_unseen_speaker(digits: DigitsWorld) -> None:
    with pytest.raises(IsthmusError, match="unseen speaker 'nobody'"):
        assemble(digits.source, replace(TINY_RECIPE, unseen_speaker="nobody"), build_spaces(TINY_RECIPE))
