"""The demo on the things world: its page, the user's own material, and options of the other world."""

import re
import time
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image, ImageDraw
from short_runs import CLOSED_FORMS, Run

from isthmus.base.errors import IsthmusError
from isthmus.codes.model.config import BRIEF, CodesConfig
from isthmus.demo import OwnMaterial, run, run_demo
from isthmus.demo.code_data import code_data
from isthmus.demo.code_stages import SHOWN_CODES, code_recipes
from isthmus.demo.digits import DigitsDemo
from isthmus.demo.plan import CodeSizes
from isthmus.demo.things import ThingsDemo
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.things.build import build_spaces, default_materials
from isthmus.worlds.things.drawings.folder import read_drawings
from isthmus.worlds.things.materials import with_own
from isthmus.worlds.things.spaces.recipe import ThingsRecipe
from isthmus.worlds.things.speech.folder import read_speech
from isthmus.worlds.things.things import thing_names
from isthmus.worlds.things.things_world import ThingsWorld
from isthmus.worlds.world import Sizes

OWN = thing_names()[:200]


@pytest.mark.parametrize(
    ("world", "own", "message"),
    [
        ("digits", OwnMaterial(drawings=Path("d")), "--drawings belongs to the things world"),
        ("things", OwnMaterial(images=Path("d")), "--images belongs to the digits world"),
    ],
)
def test_material_of_the_other_world_is_refused(world: str, own: OwnMaterial, message: str, tmp_path: Path) -> None:
    with pytest.raises(IsthmusError, match=message):
        run_demo(tmp_path, world, own=own, seed=0, retrain=False, quick=True)


def test_digits_are_said_where_the_world_puts_them(digits: DigitsWorld) -> None:
    item = digits.world("test", Sizes(texts=1, memory=1, pairs=0, gallery=1)).galleries["seen"].right.ids[0]
    said = DigitsDemo(digits).said(item)
    assert " ".join(word for word, _, _ in said) == digits.words(item)
    np.testing.assert_allclose([span for _, *span in said], digits.seconds(item))


@pytest.fixture(scope="module")
def own_material(tmp_path_factory: pytest.TempPathFactory) -> OwnMaterial:
    """Drawings and recordings of some things: circles and tones."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine").mkdir()
    (folder / "me").mkdir()
    for place, name in enumerate(OWN):
        drawn = Image.new("RGBA", (64, 64))
        ImageDraw.Draw(drawn).ellipse((4, 4, 60, 60), fill=(place, 200, 90, 255))
        drawn.save(folder / "mine" / f"{name}.png")
    words = ("one", "two", "three", "little", "big", "red", "green", "blue", "then", "i see")
    for place, name in enumerate((*OWN, *words)):
        tone = np.sin(np.arange(3000) * (0.05 + 0.002 * place))
        soundfile.write(folder / "me" / f"{name}.wav", tone, 16000)
    return OwnMaterial(drawings=folder / "mine", speech=folder / "me")


@pytest.fixture(scope="module")
def things_page(own_material: OwnMaterial, tmp_path_factory: pytest.TempPathFactory) -> tuple[ThingsDemo, Path]:
    """A short run with untrained spaces, and the demo it ran on."""
    assert own_material.drawings is not None
    assert own_material.speech is not None
    materials = default_materials(ThingsRecipe())
    materials = with_own(materials, read_drawings(own_material.drawings), read_speech(own_material.speech))
    sizes = Sizes(texts=120, memory=120, pairs=120, gallery=20)
    demo = ThingsDemo(
        ThingsWorld(materials, 0, *build_spaces(ThingsRecipe())),
        labelled_items=60,
        code_sizes=CodeSizes(80, 15),
        sizes=sizes,
    )
    brief = CodesConfig(codes=96, restarts=1, optimisation=replace(BRIEF, min_steps=3))
    plan = replace(CLOSED_FORMS, recipes={SHOWN_CODES: code_recipes(brief)[SHOWN_CODES]})
    world, out = demo.draw(0, quick=False), tmp_path_factory.mktemp("things")
    make_data = partial(code_data, demo, world, demo.code_sizes.items, demo.code_sizes.gallery)
    with warnings.catch_warnings():
        # Spaces that are not trained have nothing in common, as isthmus rightly says.
        warnings.simplefilter("ignore", UserWarning)
        run.run_plan(plan, demo, world, make_data, out, seed=0, started=time.perf_counter())
    return demo, out


@pytest.mark.slow
def test_the_page_has_scenes_sentences_and_every_gallery(things_page: tuple[ThingsDemo, Path]) -> None:
    demo, out = things_page
    page = (out / "report.html").read_text()
    assert "<h1>Spoken sentences found by pictures</h1>" in page
    titles = re.findall(r"<h4>([^<]+)</h4>", page)
    assert titles == 2 * [demo.texts.galleries[name] for name in (*demo.things.gallery_names,)]
    assert "your own drawings and recordings" in titles
    # Two queries of each gallery both ways with five answers: one side of each pair is a sentence.
    examples = re.findall("<section>.*?</section>", page)[0]
    pairs = 2 * len(demo.things.gallery_names) * (5 + 1)
    assert examples.count("data:audio/mpeg") == examples.count("data:image/webp") == pairs
    assert "data:audio/wav" not in page
    assert len(page) < 12e6


@pytest.mark.slow
def test_sentences_have_the_words_that_are_said(things_page: tuple[ThingsDemo, Path]) -> None:
    demo, out = things_page
    page = (out / "report.html").read_text()
    for gallery in demo.draw(0, quick=False).galleries.values():
        said = " ".join(word for word, _, _ in demo.said(gallery.right.ids[0]))
        assert f"{said}</figcaption>" in page


@pytest.mark.slow
def test_every_card_names_a_thing_and_is_sorted_by_its_weakest_modality(things_page: tuple[ThingsDemo, Path]) -> None:
    demo, out = things_page
    cards = re.findall(r"<article>.*?</article>", (out / "report.html").read_text())
    assert cards
    assert {re.search("<h3>([^<]+) <small>", card)[1] for card in cards} <= set(demo.label_names)
    f1 = [re.findall(r"<span>[a-z]+ ([0-9]+|–)</span>", card) for card in cards]
    weakest = [min(0 if own == "–" else int(own) for own in values) for values in f1]
    assert weakest == sorted(weakest, reverse=True)


@pytest.mark.slow
def test_result_files_name_the_task(things_page: tuple[ThingsDemo, Path]) -> None:
    demo, out = things_page
    assert list(out.glob("results/**/ThingsImageAudioRetrieval.json"))
    summary = Run.read(out).summary
    assert {f"connect.auto.{name}.r1" for name in demo.things.gallery_names} <= summary.keys()
    assert "codes.unpaired.transfer.image_to_audio.unseen_voice" in summary
