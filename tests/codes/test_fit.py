"""Codes trained in the default digits world: shared by our recipe, paired or not; owned by the literal recipe."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from isthmus.base.errors import IsthmusError
from isthmus.base.progress import Progress
from isthmus.codes.learning import fit
from isthmus.codes.learning.fit import checkpoints_of, fit_codes
from isthmus.codes.learning.objective import CodesObjective, Terms
from isthmus.codes.learning.pairs import CodeItems, PairSource, neighbour_pairs, pairs_by_id, pairs_by_row
from isthmus.codes.learning.sharing import mismatch
from isthmus.codes.learning.sources import link_without_pairs
from isthmus.codes.learning.start import build_model
from isthmus.codes.model.config import BRIEF, CodesConfig
from isthmus.codes.model.model import CodeModel
from isthmus.demo.literal import LITERAL, LITERAL_TERMS
from isthmus.embeddings import Embeddings
from isthmus.evaluate.code_figures import code_figures
from isthmus.evaluate.token_labels import LabelledTokens

SHORT = replace(BRIEF, min_steps=150, batch_size=64)
SHORTER = replace(SHORT, min_steps=60)
"""Enough for our recipe to share codes, and for the literal one to own them."""
OURS = CodesConfig(optimisation=SHORT, restarts=1)
BRIEFEST = CodesConfig(optimisation=replace(BRIEF, min_steps=8, batch_size=32), restarts=2)
pytestmark = pytest.mark.slow
Galleries = Mapping[str, Mapping[str, LabelledTokens]]


def triples(items: Mapping[str, CodeItems]) -> list[PairSource]:
    count = len(items["image"].tokens)
    names = (("image", "audio"), ("image", "text"), ("audio", "text"))
    return [pairs_by_row(left, right, count) for left, right in names]


@pytest.fixture(scope="module")
def ours(pairs: dict[str, CodeItems]) -> CodeModel:
    return fit_codes(pairs, triples(pairs), OURS, device="cpu")


def first(items: Mapping[str, CodeItems], count: int) -> dict[str, CodeItems]:
    rows = np.arange(count)
    return {name: CodeItems(own.tokens.take(rows), own.pooled.take(rows)) for name, own in items.items()}


@pytest.fixture(scope="module")
def few(pairs: dict[str, CodeItems]) -> dict[str, CodeItems]:
    return first(pairs, 60)


@pytest.fixture(scope="module")
def briefest(few: dict[str, CodeItems]) -> CodeModel:
    return fit_codes(few, triples(few), BRIEFEST, device="cpu")


def same(one: CodeModel, other: CodeModel) -> bool:
    return all(torch.equal(tensor, other.state_dict()[name]) for name, tensor in one.state_dict().items())


def recorded(monkeypatch: pytest.MonkeyPatch, name: str) -> list[Any]:
    """What a function of `fit` returns, call by call."""
    results, original = [], getattr(fit, name)

    def recording(*arguments: Any) -> Any:
        results.append(original(*arguments))
        return results[-1]

    monkeypatch.setattr(fit, name, recording)
    return results


def test_codes_are_shared_by_default(
    ours: CodeModel, labelled: dict[str, LabelledTokens], galleries: Galleries
) -> None:
    found = code_figures(ours.token_codes, labelled, galleries)
    assert found["joint_use.seen"] >= 0.8
    assert found["same_top_code.seen"] >= 0.8
    assert found["transfer.image_to_audio.seen"] >= 0.9
    assert found["transfer.audio_to_image.seen"] >= 0.9
    assert found["pointing.text_to_image.seen"] >= 0.9


def test_the_literal_recipe_shares_no_code_and_says_so(
    pairs: dict[str, CodeItems],
    labelled: dict[str, LabelledTokens],
    galleries: Galleries,
    caplog: pytest.LogCaptureFixture,
) -> None:
    literal = fit_codes(
        pairs, triples(pairs), replace(LITERAL, optimisation=SHORTER), terms=LITERAL_TERMS, device="cpu"
    )
    found = code_figures(literal.token_codes, labelled, galleries)
    assert found["joint_use.seen"] <= 0.1
    assert found["transfer.image_to_audio.seen"] <= 0.4
    assert "THE CODES ARE NOT SHARED" in caplog.text


def test_codes_are_shared_without_a_pair(
    sides: tuple[dict[str, CodeItems], dict[str, CodeItems]], labelled: dict[str, LabelledTokens], galleries: Galleries
) -> None:
    found = link_without_pairs(*sides)
    assert [source.kind for source in found.sources] == ["own", "own", "overlap"]
    assert not any({source.left, source.right} == {"image", "audio"} for source in found.sources)
    model = fit_codes(found.items, found.sources, OURS, device="cpu")
    figures = code_figures(model.token_codes, labelled, galleries)
    assert figures["transfer.image_to_audio.seen"] >= 0.6
    assert figures["pointing.audio_to_image.seen"] >= 0.6


def test_the_same_seed_gives_the_same_codes_and_another_does_not(
    briefest: CodeModel, few: dict[str, CodeItems]
) -> None:
    again, other = (fit_codes(few, triples(few), BRIEFEST, seed=seed, device="cpu") for seed in (0, 1))
    assert same(briefest, again)
    assert not same(briefest, other)


def test_options_are_keywords_or_a_config(briefest: CodeModel, few: dict[str, CodeItems]) -> None:
    schedule = {"epochs": 1, "min_steps": 8, "batch_size": 32, "learning_rate": 3e-3}
    assert same(briefest, fit_codes(few, triples(few), optimisation=schedule, restarts=2, device="cpu"))
    with pytest.raises(IsthmusError, match="pass either config or options, not both"):
        fit_codes(few, triples(few), config=BRIEFEST, restarts=2)


def test_a_model_returns_from_disk_and_names_damage(
    ours: CodeModel, pairs: dict[str, CodeItems], tmp_path: Path
) -> None:
    ours.save(tmp_path)
    read = CodeModel.load(tmp_path)
    sample = pairs["audio"].tokens.take(np.arange(20))
    np.testing.assert_array_equal(read.assign(sample), ours.assign(sample))
    assert read.facts == ours.facts
    assert "joint use" in (tmp_path / "README.md").read_text()
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(IsthmusError, match=r"model\.safetensors: cut short or altered"):
        CodeModel.load(tmp_path)


def test_summaries_join_the_pooled_vector_and_the_mean_code(ours: CodeModel, pairs: dict[str, CodeItems]) -> None:
    own = pairs["audio"]
    tokens, pooled = own.tokens.take(np.arange(5)), own.pooled.take(np.arange(5))
    state = {name: tensor.double().numpy() for name, tensor in ours.state_dict().items()}
    chosen, expected = state["codebook.vectors"][ours.assign(tokens)], []
    for row in range(5):
        mean = chosen[tokens.offsets[row] : tokens.offsets[row + 1]].mean(0)
        continuous = state["parts.audio.continuous.weight"] @ pooled.vectors[row] + state["parts.audio.continuous.bias"]
        expected.append(continuous + state["parts.audio.discrete.weight"] @ mean + state["parts.audio.discrete.bias"])
    np.testing.assert_allclose(ours.summarise(tokens, pooled), expected, rtol=1e-4, atol=1e-5)


def test_assignment_does_not_depend_on_what_else_is_assigned(ours: CodeModel, pairs: dict[str, CodeItems]) -> None:
    tokens = pairs["image"].tokens
    whole = ours.assign(tokens)
    alone = ours.assign(tokens.take(np.array([7])))
    np.testing.assert_array_equal(alone, whole[tokens.offsets[7] : tokens.offsets[8]])


def test_training_stopped_midway_continues_bit_exactly(
    briefest: CodeModel, few: dict[str, CodeItems], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "run"
    monkeypatch.setattr("isthmus.training.loop.CHECKPOINT_SECONDS", 0.0)

    def stop(now: Progress) -> None:
        if now.done >= 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("isthmus.training.loop.REPORT_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        fit_codes(few, triples(few), BRIEFEST, device="cpu", checkpoint=file, progress=stop)
    assert [done.name for done in checkpoints_of(file)] == ["run.0"]
    resumed = fit_codes(few, triples(few), BRIEFEST, device="cpu", checkpoint=file)
    assert [done.name for done in checkpoints_of(file)] == ["run.0", "run.1"]
    assert same(briefest, resumed)
    shuffled = [replace(source, right_rows=source.right_rows[::-1].copy()) for source in triples(few)]
    with pytest.raises(IsthmusError, match=r"run\.0: checkpoint of another run"):
        fit_codes(few, shuffled, BRIEFEST, device="cpu", checkpoint=file)
    with pytest.raises(IsthmusError, match=r"run\.0: checkpoint of another run"):
        fit_codes(few, triples(few), BRIEFEST, terms=Terms(commitment=0.0), device="cpu", checkpoint=file)


def test_the_start_that_matches_best_is_kept(few: dict[str, CodeItems], monkeypatch: pytest.MonkeyPatch) -> None:
    starts = recorded(monkeypatch, "_fit_once")
    kept = fit_codes(few, triples(few), replace(BRIEFEST, restarts=3), device="cpu")
    losses = [mismatch(model, few, triples(few)) for model in starts]
    assert len({round(loss, 4) for loss in losses}) == 3
    assert kept is starts[int(np.argmin(losses))]


def test_bad_sources_are_named(pairs: dict[str, CodeItems]) -> None:
    with pytest.raises(IsthmusError, match="no pair source reaches the view 'text'"):
        fit_codes(pairs, [pairs_by_row("image", "audio", 10)], OURS)
    with pytest.raises(IsthmusError, match="names the view 'video'"):
        fit_codes(pairs, [*triples(pairs), pairs_by_row("image", "video", 10)], OURS)
    with pytest.raises(IsthmusError, match="image and audio share no id"):
        pairs_by_id(("image", pairs["image"].tokens), ("audio", pairs["audio"].tokens))
    with pytest.raises(IsthmusError, match="fit no view of the model"):
        build_model({"image": pairs["image"]}, [], OURS, 0).assign(pairs["audio"].tokens)
    with pytest.raises(IsthmusError, match="not of the same items"):
        CodeItems(pairs["image"].tokens, pairs["image"].pooled.take(np.arange(3)))
    three = first(pairs, 3)
    with pytest.raises(IsthmusError, match=r"400 codes need at least as many tokens to start from, got \d+"):
        fit_codes(three, triples(three), replace(OURS, codes=400))


def test_a_base_that_does_not_fit_is_named(pairs: dict[str, CodeItems], ours: CodeModel) -> None:
    with pytest.raises(IsthmusError, match="the base already has every view"):
        fit_codes(pairs, triples(pairs), OURS, base=ours)
    other = {"image": pairs["audio"], "more": pairs["text"]}
    with pytest.raises(IsthmusError, match="the view 'image' differs from the base's"):
        fit_codes(other, [pairs_by_row("image", "more", 10)], OURS, base=ours)


def test_half_precision_does_not_reach_the_codes(pairs: dict[str, CodeItems]) -> None:
    losses = []
    for enabled in (False, True):
        objective = CodesObjective(build_model(pairs, triples(pairs), OURS, 0), pairs, triples(pairs)).train()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            losses.append(objective(torch.arange(32), torch.Generator().manual_seed(0)))
    assert torch.equal(*losses)


def test_two_sides_of_one_space_are_refused(sides: tuple[dict[str, CodeItems], dict[str, CodeItems]]) -> None:
    with pytest.raises(IsthmusError, match=r"both sides have .* of digits-image: give the two spaces different names"):
        link_without_pairs(sides[0], sides[0])


def test_the_size_is_the_largest_whose_codes_are_shared(
    pairs: dict[str, CodeItems], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit, "SIZES", (8, 128, 512))
    tried = recorded(monkeypatch, "_best_start")
    brief = replace(OURS, codes=0, optimisation=replace(SHORT, min_steps=40))
    found = fit_codes(pairs, triples(pairs), brief, device="cpu")
    assert [len(model.codebook) for model, _ in tried] == [8, 128]
    (smaller, shared), (_, larger) = tried
    assert shared.joint_use_by_all >= 0.5 > larger.joint_use_by_all
    assert found is smaller
    assert found.config.codes == 8


def test_a_modality_is_added_later_and_nothing_else_moves(
    pairs: dict[str, CodeItems], labelled: dict[str, LabelledTokens], galleries: Galleries, tmp_path: Path
) -> None:
    base_items = {name: pairs[name] for name in ("audio", "text")}
    count = len(pairs["text"].tokens)
    brief = replace(OURS, optimisation=SHORTER)
    base = fit_codes(base_items, [pairs_by_row("audio", "text", count)], brief, device="cpu")
    new_items, file = {name: pairs[name] for name in ("image", "text")}, tmp_path / "run"
    larger = fit_codes(
        new_items, [pairs_by_row("image", "text", count)], brief, base=base, device="cpu", checkpoint=file
    )
    assert larger.facts["sources"] == [f"{count} true pairs of audio and text", f"{count} true pairs of image and text"]
    for name, tensor in base.state_dict().items():
        assert torch.equal(tensor, larger.state_dict()[name]), name
    larger.save(tmp_path)
    read = CodeModel.load(tmp_path)
    np.testing.assert_array_equal(read.assign(pairs["audio"].tokens), base.assign(pairs["audio"].tokens))
    found = code_figures(read.token_codes, labelled, {"seen": galleries["seen"]})
    assert found["transfer.audio_to_image.seen"] >= 0.85
    assert found["pointing.audio_to_image.seen"] >= 0.85


def test_neighbour_pairs_are_the_nearest_items_by_csls() -> None:
    draw = np.random.default_rng(0)
    left, right = (
        Embeddings.from_array(draw.standard_normal((count, 5)).astype(np.float32), modality=name, space="joint")
        for name, count in (("image", 30), ("audio", 40))
    )
    cosines = left.vectors.astype(np.float64) @ right.vectors.T.astype(np.float64)
    hub_of_left, hub_of_right = (np.sort(each, axis=1)[:, -10:].mean(1) for each in (cosines, cosines.T))
    expected = (2 * cosines - hub_of_left[:, None] - hub_of_right).argmax(1)
    found = neighbour_pairs(("image", left), ("audio", right))
    assert found.right_rows.tolist() == expected.tolist()
    assert str(found) == "30 neighbour pairs of image and audio"
