"""The two wordings of the things world."""

import re

import numpy as np
import pytest

from isthmus.base.errors import IsthmusError
from isthmus.worlds.things.scenes import Scenes, random_scenes
from isthmus.worlds.things.things import things
from isthmus.worlds.things.wording import SPOKEN, WRITTEN, SceneWording, thing_spans

NUMBER = {thing.name: number for number, thing in enumerate(things())}


def scene(*groups: tuple[str, int, int, int]) -> Scenes:
    table = np.array([(NUMBER[name], *rest) for name, *rest in groups] + [(-1, 0, 0, 0)] * (3 - len(groups)))
    return Scenes(*(column[None] for column in table.T))


def test_captions_say_what_is_in_the_scene_from_left_to_right() -> None:
    two = scene(("dog", 1, 1, 1), ("guitar", 2, 0, 0))
    found = {WRITTEN.write(two, np.random.default_rng(seed))[0] for seed in range(40)}
    assert found == {
        "a small red dog left of two guitars",
        "two guitars right of a small red dog",
        "a picture of a small red dog followed by two guitars",
    }
    said = {SPOKEN.write(two, np.random.default_rng(seed))[0] for seed in range(60)}
    assert said == {
        "one little red dog then two guitars",
        "on the left one little red dog on the right two guitars",
        "one little red dog to the left of two guitars",
        "two guitars to the right of one little red dog",
    }


def test_articles_and_plurals_are_right() -> None:
    def written(*group: tuple[str, int, int, int]) -> str:
        return WRITTEN.captions(scene(*group))[0].removeprefix("a picture of ")

    assert written(("apple", 1, 0, 0)) == "an apple"
    assert written(("unicorn", 1, 0, 0)) == "a unicorn"
    assert written(("umbrella", 1, 0, 0)) == "an umbrella"
    assert written(("apple", 1, 2, 0)) == "a large apple"
    assert written(("mouse", 3, 0, 3)) == "three blue mice"


@pytest.mark.parametrize("wording", [WRITTEN, SPOKEN], ids=lambda own: own.name)
def test_every_caption_can_be_read_and_names_its_things(wording: SceneWording) -> None:
    scenes = random_scenes(2000, np.random.default_rng(0))
    texts = wording.captions(scenes)
    tokens = wording.tokens(texts)
    assert (tokens > 0).sum(1).tolist() == [len(text.split()) for text in texts]
    for row, text in enumerate(texts):
        named = [thing for thing, _, _ in thing_spans(text)]
        shown = [thing for thing in scenes.thing[row].tolist() if thing >= 0]
        assert sorted(named) == sorted(shown)
        for thing, start, end in thing_spans(text):
            assert text[start:end] in (things()[thing].name, things()[thing].plural)


def test_equal_scenes_have_equal_captions_and_different_ones_differ() -> None:
    scenes = random_scenes(5000, np.random.default_rng(1))
    concepts, first = np.unique(scenes.concepts(), return_index=True)
    texts = WRITTEN.captions(scenes[first])
    assert WRITTEN.captions(scenes[first]) == texts
    assert len(set(texts)) == len(concepts)


def test_a_word_that_a_wording_does_not_know_is_refused_by_row() -> None:
    with pytest.raises(IsthmusError, match=re.escape("text row 1: unknown word 'quark'")):
        WRITTEN.tokens(["a dog", "a quark"])
    with pytest.raises(IsthmusError, match="text row 0: no words"):
        SPOKEN.tokens(["..."])
