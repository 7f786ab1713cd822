"""Translation: from pairs of whole items, codes mean the same words in every view, however a word is written."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from isthmus import CodeItems, Embeddings, PairSource, Tokens, fit_codes
from isthmus.base.errors import IsthmusError
from isthmus.codes.learning import translation
from isthmus.codes.learning.start import build_model
from isthmus.codes.learning.translation import SampledTokens, TokenReader, _sampled, translate
from isthmus.codes.model.config import CodesConfig
from isthmus.training.k_means import spread_rows
from isthmus.training.schedule import seed_of

WORDS, ITEMS, NAMED, BACKGROUND, DIM = 30, 600, 3, 4, 64
ROWS = np.arange(ITEMS)


def view(modality: str, tokens: list[np.ndarray]) -> CodeItems:
    """Items with given tokens; their vectors are the mean tokens."""
    offsets = np.cumsum([0, *map(len, tokens)])
    vectors = np.concatenate(tokens).astype(np.float32)
    places = np.zeros((len(vectors), 2), np.float32)
    kind = {"modality": modality, "space": modality}
    own = Tokens.from_arrays(vectors, offsets, places, unit="characters", **kind)
    pooled = np.stack([vectors[first:last].mean(0) for first, last in pairwise(offsets)])
    return CodeItems(own, Embeddings.from_array(pooled, **kind))


@pytest.fixture(scope="module")
def named() -> np.ndarray:
    """The words of each item."""
    draw = np.random.default_rng(0)
    return np.stack([draw.choice(WORDS, NAMED, replace=False) for _ in range(ITEMS)])


@pytest.fixture(scope="module")
def views(named: np.ndarray) -> dict[str, CodeItems]:
    """Texts spell a word in one of two forms beside one word that is in all; images and audio add noise."""
    draw = np.random.default_rng(1)
    forms, seen, heard = (draw.standard_normal((2 * WORDS + 1, DIM)) for _ in range(3))
    texts, images, audio = [], [], []
    for words in named:
        spelled = 2 * words + draw.integers(0, 2, NAMED)
        texts.append(np.concatenate([forms[spelled], forms[-1:]]))
        for found, shapes in ((images, seen), (audio, heard)):
            shown = shapes[np.repeat(words, 2)] + 0.4 * draw.standard_normal((2 * NAMED, DIM))
            found.append(np.concatenate([shown, 0.4 * draw.standard_normal((BACKGROUND, DIM))]))
    return {"text": view("text", texts), "image": view("image", images), "audio": view("audio", audio)}


@pytest.fixture(scope="module")
def sources() -> list[PairSource]:
    return [PairSource("text", "image", ROWS, ROWS), PairSource("text", "audio", ROWS, ROWS)]


def codes_of(found: np.ndarray, named: np.ndarray, each: int, tokens: int) -> np.ndarray:
    """The most frequent code of each word; an item's first tokens show its words, ``each`` for every word."""
    by_item = found.reshape(ITEMS, tokens)[:, : NAMED * each].reshape(ITEMS, NAMED, each)
    return np.array([np.bincount(by_item[named == word].ravel()).argmax() for word in range(WORDS)])


def read(readers: dict[str, TokenReader], views: dict[str, CodeItems]) -> dict[str, np.ndarray]:
    """The code of every token of each view."""
    vectors = {name: torch.from_numpy(own.tokens.vectors) for name, own in views.items()}
    return {name: readers[name].fit(rows).argmax(1).numpy() for name, rows in vectors.items()}


def test_a_word_has_one_code_in_all_views_whatever_its_form(
    views: dict[str, CodeItems], sources: list[PairSource], named: np.ndarray
) -> None:
    readers = translate(views, sources, WORDS + 1, torch.Generator().manual_seed(0))
    found = read(readers, views)
    text = codes_of(found["text"], named, 1, NAMED + 1)
    assert len(set(text.tolist())) == WORDS
    for name in ("image", "audio"):
        own = codes_of(found[name], named, 2, 2 * NAMED + BACKGROUND)
        assert (own == text).mean() > 0.95
        tokens = found[name].reshape(ITEMS, -1)[:, : 2 * NAMED]
        assert (tokens == text[np.repeat(named, 2, axis=1)]).mean() > 0.9
    forms = found["text"].reshape(ITEMS, -1)[:, :NAMED]
    assert (forms == text[named]).mean() > 0.95


def test_without_a_number_there_are_about_as_many_codes_as_words(
    views: dict[str, CodeItems], sources: list[PairSource]
) -> None:
    readers = translate(views, sources, 0, torch.Generator().manual_seed(0))
    assert 0.8 * WORDS <= len(readers["text"].bias) <= 1.2 * WORDS
    model = fit_codes(views, sources, codes=0, start="translation", restarts=1, device="cpu")
    assert len(model.codebook) == model.config.codes == len(readers["text"].bias)


@pytest.mark.parametrize(("codes", "most"), [(0, WORDS + 3), (WORDS + 1, WORDS + 1), (2 * WORDS, 2 * WORDS)])
def test_words_that_nothing_shows_merge_no_others(
    views: dict[str, CodeItems], sources: list[PairSource], named: np.ndarray, codes: int, most: int
) -> None:
    draw = np.random.default_rng(2)
    forms = draw.standard_normal((WORDS + 50, DIM))
    texts = [forms[np.concatenate([words, WORDS + draw.integers(0, 50, 2)])] for words in named]
    wordy = {**views, "text": view("text", texts)}
    readers = translate(wordy, sources, codes, torch.Generator().manual_seed(0))
    shown = readers["text"].fit(torch.from_numpy(forms[:WORDS].astype(np.float32))).argmax(1)
    assert len(set(shown.tolist())) >= 0.8 * WORDS
    assert len(readers["text"].bias) <= most


def test_views_that_cannot_be_translated_are_refused(views: dict[str, CodeItems]) -> None:
    same = view("audio", [np.ones((2, DIM))] * ITEMS)
    draw = torch.Generator().manual_seed(0)
    sources = [PairSource("text", kind, ROWS, ROWS) for kind in ("audio", "image")]
    with pytest.raises(IsthmusError, match="all tokens of the view 'audio' are alike"):
        translate({**views, "audio": same}, sources, 8, draw)
    alone = {"audio": views["audio"]}
    with pytest.raises(IsthmusError, match="needs two views"):
        translate(alone, [PairSource("audio", "audio", ROWS, ROWS)], 8, draw)


def test_texts_are_the_anchor_even_if_every_view_has_as_many_sources(
    views: dict[str, CodeItems], sources: list[PairSource], named: np.ndarray
) -> None:
    ordered = {name: views[name] for name in ("image", "audio", "text")}
    paired = [PairSource("image", "audio", ROWS, ROWS), *sources]
    readers = translate(ordered, paired, WORDS + 1, torch.Generator().manual_seed(0))
    found = read(readers, views)
    text, image = (
        codes_of(found["text"], named, 1, NAMED + 1),
        codes_of(found["image"], named, 2, 2 * NAMED + BACKGROUND),
    )
    assert len(set(text.tolist())) == WORDS
    assert (image == text).mean() > 0.95


def test_a_model_started_from_a_translation_reads_as_its_readers_do(
    views: dict[str, CodeItems], sources: list[PairSource]
) -> None:
    model = build_model(views, sources, CodesConfig(codes=WORDS + 1, start="translation"), seed=3).eval()
    readers = translate(views, sources, WORDS + 1, torch.Generator().manual_seed(seed_of(3, 3)))
    for name, own in views.items():
        fit = readers[name].fit(torch.from_numpy(own.tokens.vectors))
        np.testing.assert_array_equal(model.assign(own.tokens), fit.argmax(1).numpy())
        expected = fit.log_softmax(1).numpy()
        np.testing.assert_allclose(model.token_codes(own.tokens), expected, atol=2e-3)


def test_codes_beyond_the_meanings_of_the_data_stay_unused(
    views: dict[str, CodeItems], sources: list[PairSource]
) -> None:
    many = 4 * WORDS
    model = build_model(views, sources, CodesConfig(codes=many, start="translation"), seed=0).eval()
    used = {int(code) for own in views.values() for code in model.assign(own.tokens)}
    assert max(used) <= 2 * WORDS


def test_rows_drawn_far_apart_find_every_distinct_one() -> None:
    """Of 40 distinct rows, one of which is most of 5000, each is drawn before any is drawn twice."""
    distinct = torch.randn(40, 6, generator=torch.Generator().manual_seed(1))
    which = torch.cat([torch.zeros(4900, dtype=torch.long), torch.arange(40), torch.arange(40), torch.arange(20)])
    drawn = spread_rows(distinct[which], 40, torch.Generator().manual_seed(2))
    assert sorted(which[drawn].tolist()) == list(range(40))
    assert len(spread_rows(distinct[which], 45, torch.Generator().manual_seed(2))) == 45


def test_shuffled_pairs_translate_nothing(views: dict[str, CodeItems], named: np.ndarray) -> None:
    mixed = np.random.default_rng(5).permutation(ITEMS)
    wrong = [PairSource("text", "image", ROWS, mixed), PairSource("text", "audio", ROWS, np.roll(mixed, 7))]
    readers = translate(views, wrong, WORDS + 1, torch.Generator().manual_seed(0))
    found = read(readers, views)
    text = codes_of(found["text"], named, 1, NAMED + 1)
    assert (codes_of(found["image"], named, 2, 2 * NAMED + BACKGROUND) == text).mean() < 0.2


def test_a_translation_is_fitted_without_a_step(views: dict[str, CodeItems], sources: list[PairSource]) -> None:
    model = fit_codes(views, sources, codes=WORDS + 1, start="translation", restarts=1, seed=4)
    assert model.config.code_dim == len(model.codebook) == WORDS + 1
    own = views["image"]
    np.testing.assert_allclose(model.summarise(own.tokens, own.pooled), own.pooled.vectors, atol=1e-5)


def test_views_that_only_neighbours_reach_are_translated_and_others_named(
    views: dict[str, CodeItems], sources: list[PairSource], named: np.ndarray
) -> None:
    guessed = [sources[0], PairSource("image", "audio", ROWS, ROWS, kind="neighbour")]
    found = read(translate(views, guessed, WORDS + 1, torch.Generator().manual_seed(0)), views)
    text, audio = (
        codes_of(found["text"], named, 1, NAMED + 1),
        codes_of(found["audio"], named, 2, 2 * NAMED + BACKGROUND),
    )
    assert (audio == text).mean() > 0.9
    with pytest.raises(IsthmusError, match="no chain of pair sources leads from 'text' to 'audio'"):
        translate(views, sources[:1], WORDS + 1, torch.Generator().manual_seed(0))


def test_thinned_sources_keep_whole_pairs(
    views: dict[str, CodeItems], sources: list[PairSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both items of a pair are read, or neither; drawing the items of each view apart would leave few whole pairs."""
    seen = {}

    def keep(own: CodeItems, rows: np.ndarray, draw: torch.Generator) -> SampledTokens:
        seen[own.tokens.modality] = rows
        return _sampled(own, rows, draw)

    monkeypatch.setattr(translation, "MOST_PAIRS", 200)
    monkeypatch.setattr(translation, "_sampled", keep)
    translate(views, sources, WORDS + 1, torch.Generator().manual_seed(0))
    assert len(seen["text"]) == 200
    np.testing.assert_array_equal(seen["text"], seen["image"])
