"""The things world: items from ids, truth of places, memories and galleries."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from isthmus.base.errors import IsthmusError
from isthmus.worlds.spaces.mel import mel_filters
from isthmus.worlds.things.drawings.drawings import Drawings
from isthmus.worlds.things.materials import with_own
from isthmus.worlds.things.scenes import scenes_of, split_of
from isthmus.worlds.things.spaces.recipe import ThingsSpaceRecipe
from isthmus.worlds.things.spaces.training import build_space, train_images, train_speech
from isthmus.worlds.things.speech.log_mel import HOP, log_mel
from isthmus.worlds.things.things import things
from isthmus.worlds.things.things_world import GALLERIES, ThingsWorld
from isthmus.worlds.things.tokens import audio_regions, audio_tokens, image_regions, image_tokens, text_tokens
from isthmus.worlds.world import Sizes, World

SMALL = ThingsSpaceRecipe(seed=1, steps=6, single_steps=3, batch=8, singles=8, width=16, dim=16)
TINY = Sizes(texts=60, memory=40, pairs=10, gallery=12)


@pytest.fixture(scope="module")
def world(untrained: ThingsWorld) -> World:
    return untrained.world("test", TINY, seed=3)


def things_in(ids: list[str]) -> set[int]:
    return set(scenes_of(np.array([int(item.split(":")[0]) for item in ids])).thing.ravel().tolist()) - {-1}


def test_the_same_seed_draws_the_same_world_and_another_seed_another(untrained: ThingsWorld, world: World) -> None:
    assert untrained.world("test", TINY, seed=3).fingerprint() == world.fingerprint()
    assert untrained.world("test", TINY, seed=4).fingerprint() != world.fingerprint()


def test_an_item_is_made_again_from_its_id_alone(untrained: ThingsWorld, world: World) -> None:
    images, audio = world.left["image"], world.right["audio"]
    rows = np.array([5, 0, 11])
    again = untrained.image_embeddings(untrained.images([images.ids[row] for row in rows]))
    np.testing.assert_allclose(again.vectors, images.vectors[rows], atol=1e-5)
    heard = untrained.audio_embeddings(untrained.audio([audio.ids[row] for row in rows]))
    np.testing.assert_allclose(heard.vectors, audio.vectors[rows], atol=1e-5)


def test_a_sentence_has_the_same_vector_in_any_batch(untrained: ThingsWorld, world: World) -> None:
    ids = sorted(world.right["audio"].ids, key=lambda item: untrained.sentence(item).length)
    alone = untrained.audio_embeddings(untrained.audio(ids[:1])).vectors
    among = untrained.audio_embeddings(untrained.audio([ids[0], ids[-1], ids[20]])).vectors
    np.testing.assert_allclose(among[:1], alone, atol=1e-5)


def test_memories_and_galleries_lack_what_they_should(untrained: ThingsWorld) -> None:
    world = untrained.world("dev", replace(TINY, texts=200, memory=120, pairs=0), seed=0)
    without_text, without_audio = (set(own) for own in untrained.missing)
    assert not without_text & without_audio
    assert len(without_text) == len(without_audio) == 16
    assert not things_in(world.left["text"].ids) & without_text
    assert things_in(world.left["text"].ids) & without_audio
    assert not things_in(world.right["audio"].ids) & without_audio
    assert things_in(world.left["image"].ids) & without_audio
    assert tuple(world.galleries) == GALLERIES
    for name, gallery in world.galleries.items():
        shown = scenes_of(gallery.left_concepts)
        lacking = np.isin(shown.thing, [*without_text, *without_audio]).any(1)
        assert lacking.all() if name == "missing" else not lacking.any()
        assert (split_of(shown, 0) == 1).all()
        np.testing.assert_array_equal(gallery.left_concepts, gallery.right_concepts)


def test_unseen_styles_and_voices_are_in_their_galleries_only(world: World) -> None:
    styles = {name: {item.split(":")[1] for item in own.left.ids} for name, own in world.galleries.items()}
    voices = {name: {item.split(":")[1] for item in own.right.ids} for name, own in world.galleries.items()}
    assert styles.pop("unseen_style") == {"twemoji"}
    assert voices.pop("unseen_voice") == {"slt"}
    assert all("twemoji" not in own for own in styles.values())
    assert all("slt" not in own for own in voices.values())
    assert "twemoji" not in {item.split(":")[1] for item in world.left["image"].ids}
    assert "slt" not in {item.split(":")[1] for item in world.right["audio"].ids}


def test_boxes_are_where_an_image_changes_if_its_things_are_taken_away(untrained: ThingsWorld, world: World) -> None:
    feed = untrained.image_feed
    checked = 0
    for item in world.left["image"].ids[:20]:
        own = untrained.images([item])
        layouts = feed.layouts(own.scenes, own.kinds, own.chances(64))
        labels, boxes = untrained.boxes(item)
        assert sorted(set(labels.tolist())) == sorted(thing for thing in own.scenes.thing[0].tolist() if thing >= 0)
        assert len(labels) == own.scenes.count.sum()
        front = len(labels) - 1
        if not front:
            continue
        rows = np.arange(front)
        fields = ("image", "drawing", "x", "y", "width", "turn", "tint")
        behind = replace(layouts, **{name: getattr(layouts, name)[rows] for name in fields})
        changed = np.abs(feed.painter.images(layouts)[0].astype(int) - feed.painter.images(behind)[0].astype(int)).max(
            -1
        )
        ys, xs = np.nonzero(changed > 60)
        if not len(xs):
            continue
        left, top, right, bottom = boxes[front]
        assert left - 1 <= xs.min()
        assert xs.max() <= right
        assert top - 1 <= ys.min()
        assert ys.max() <= bottom
        checked += 1
    assert checked > 8


def test_groups_lie_from_left_to_right_and_larger_things_are_larger(untrained: ThingsWorld, world: World) -> None:
    for item in world.left["image"].ids:
        labels, boxes = untrained.boxes(item)
        (scene,) = (scenes_of(np.array([int(item.split(":")[0])])),)
        middle = [
            np.mean((boxes[labels == thing][:, 0] + boxes[labels == thing][:, 2]) / 2)
            for thing in scene.thing[0].tolist()
            if thing >= 0
        ]
        assert middle == sorted(middle)
        assert boxes.min() >= 0
        assert boxes.max() <= 96


def test_words_are_heard_when_the_truth_says_so(untrained: ThingsWorld, world: World) -> None:
    for item in world.right["audio"].ids[:10]:
        samples, rate = untrained.waveform(item)
        said = untrained.seconds(item)
        assert rate == 16000
        heard = np.zeros(len(samples), bool)
        for _, start, end in said:
            heard[int(start * rate) : int(end * rate)] = True
        assert np.mean(samples[heard] ** 2) > 5 * np.mean(samples[~heard] ** 2)
        named = [text for text, _, _ in said]
        shown = {things()[thing].name for thing in things_in([item])} | {things()[t].plural for t in things_in([item])}
        assert set(named) & shown


def test_frames_are_those_of_a_plain_loop() -> None:
    sound = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    frames, lengths = log_mel([sound, sound[:500]])
    assert lengths.tolist() == [4, 2]
    filters = mel_filters(40, 512, 16000, 60.0, 7600.0).numpy().astype(np.float64)
    padded = np.concatenate([np.zeros(96), sound, np.zeros(4 * HOP + 96)])
    for row in range(4):
        window = np.hanning(513)[:-1] * padded[row * HOP : row * HOP + 512]
        expected = np.log(filters @ np.abs(np.fft.rfft(window)) ** 2 + 1e-4)
        np.testing.assert_allclose(frames[0, row].numpy(), expected, rtol=1e-3, atol=1e-3)


def test_tokens_have_places_that_cover_their_item(untrained: ThingsWorld, world: World) -> None:
    images, audio = world.left["image"].ids[:4], world.right["audio"].ids[:4]
    seen = image_tokens(untrained, images)
    assert seen.counts.tolist() == [144] * 4
    assert seen.places[:144].max() == 96
    assert len({tuple(place) for place in seen.places[:144].tolist()}) == 144
    heard = audio_tokens(untrained, audio)
    for row, item in enumerate(audio):
        length = untrained.sentence(item).length / 16000
        end = heard.places[heard.offsets[row] : heard.offsets[row + 1], 1].max()
        assert length <= end < length + 0.1
    words = text_tokens(untrained.image_space, images)
    captions = [untrained.words(item) for item in images]
    assert words.counts.tolist() == [len(text.split()) for text in captions]
    first = words.places[0].astype(int)
    assert captions[0][first[0] : first[1]] == captions[0].split()[0]


def test_regions_name_what_the_scene_shows(untrained: ThingsWorld, world: World) -> None:
    for item, region in zip(world.left["image"].ids, image_regions(untrained, world.left["image"].ids), strict=True):
        assert set(region.labels.tolist()) == things_in([item])
    for item, region in zip(world.right["audio"].ids, audio_regions(untrained, world.right["audio"].ids), strict=True):
        assert set(region.labels.tolist()) == things_in([item])
        assert (region.places[:, 0] < region.places[:, 1]).all()


def test_an_id_of_something_else_is_refused(untrained: ThingsWorld, world: World) -> None:
    for item in ("370:12@4", world.right["audio"].ids[0], "17"):
        with pytest.raises(IsthmusError, match="not image of this things world"):
            untrained.image(item)
    with pytest.raises(IsthmusError, match="galleries for 'dev' and 'test'"):
        untrained.world("train")


def test_drawings_of_a_users_own_become_a_gallery_of_what_they_can_show(untrained: ThingsWorld) -> None:
    bank = untrained.materials.drawings
    rows = np.flatnonzero((bank.style == 2) & (bank.thing < 90))
    own = Drawings(("mine",), bank.pixels[rows], bank.thing[rows], np.zeros(len(rows), np.int64))
    extended = replace(untrained, materials=with_own(untrained.materials, own, None))
    assert extended.materials.seen_styles == untrained.materials.seen_styles
    assert extended.materials.trained_on == untrained.materials.trained_on
    gallery = extended.gallery("own", "test", 10, 0)
    assert {item.split(":")[1] for item in gallery.left.ids} == {"mine"}
    assert max(things_in(list(gallery.left.ids))) < 90
    few = replace(own, pixels=own.pixels[:5], thing=own.thing[:5], style=own.style[:5])
    small = replace(untrained, materials=with_own(untrained.materials, few, None)).gallery("own", "test", 10, 0)
    assert things_in(list(small.left.ids)) <= set(few.thing.tolist())
    with pytest.raises(IsthmusError, match="'noto' is a style or voice of the package"):
        with_own(untrained.materials, replace(own, styles=("noto",)), None)


@pytest.mark.slow
def test_training_lowers_the_loss_and_the_same_recipe_gives_the_same_weights(untrained: ThingsWorld) -> None:
    recipe = replace(SMALL, steps=30, single_steps=20, singles=32, batch=16, width=32)
    for modality, feed, train in (
        ("image", untrained.image_feed, train_images),
        ("audio", untrained.speech_feed, train_speech),
    ):
        trained = []
        for _ in range(2):
            space = build_space(modality, recipe)
            losses = train(space, feed, recipe, 0)
            trained.append(space.state_dict())
        assert np.mean(losses[15:20]) < np.mean(losses[:5])
        for one, other in zip(*(own.values() for own in trained), strict=True):
            torch.testing.assert_close(one, other)
