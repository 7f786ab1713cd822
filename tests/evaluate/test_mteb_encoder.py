"""An encoder for MTEB gives what the spaces and the connector give; no mteb is needed for that."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

import isthmus
from connected_checkpoints import connected, picture
from isthmus.base.errors import IsthmusError
from isthmus.evaluate import MtebEncoder, load_mteb_encoder
from media_files import tones, write_audio


@pytest.fixture(scope="module")
def encoder(checkpoints: Callable[[str], Path]) -> MtebEncoder:
    return MtebEncoder(*connected(checkpoints), name="me/tiny")


def expected(encoder: MtebEncoder, modality: str, items: list) -> np.ndarray:
    space = encoder.encoders[modality]
    return encoder.connector.project(space.encode(items, modality=modality)).vectors


def test_each_modality_is_encoded_by_its_space_and_projected(encoder: MtebEncoder, tmp_path: Path) -> None:
    assert [space.name for space in encoder.encoders.values()] == ["clip:clip", "clip:clip", "clap:clap"]
    texts = ["a dog", "a dog", "rain on a roof"]
    found = encoder.encode([{"text": texts[:2], "id": ["1", "2"]}, {"text": texts[2:], "id": ["3"]}])
    np.testing.assert_allclose(found, expected(encoder, "text", texts), atol=1e-6)
    images = [Image.fromarray(picture(seed)) for seed in range(2)]
    np.testing.assert_array_equal(encoder.encode([{"image": images}]), expected(encoder, "image", images))


def test_audio_comes_as_samples_bytes_or_path(encoder: MtebEncoder, tmp_path: Path) -> None:
    file = write_audio(tmp_path / "tones.wav", 0.5)
    samples = soundfile.read(file, dtype="float32")[0]
    stereo = np.stack([samples, 0.5 * samples])
    given = [
        {"array": samples, "sampling_rate": 8000},
        {"bytes": file.read_bytes(), "path": "elsewhere.wav"},
        {"bytes": None, "path": str(file)},
        {"array": stereo, "sampling_rate": 8000},  # MTEB has channels first
    ]
    same = [(samples, 8000)] * 3 + [(0.75 * samples, 8000)]
    np.testing.assert_allclose(encoder.encode([{"audio": given}]), expected(encoder, "audio", same), atol=1e-6)


def test_an_item_of_two_modalities_is_the_mean_of_their_unit_rows(encoder: MtebEncoder) -> None:
    texts, images = ["a dog", "a cat"], [picture(0), picture(1)]
    both = encoder.encode([{"text": texts, "image": images}])
    mean = expected(encoder, "text", texts) + expected(encoder, "image", images)
    np.testing.assert_allclose(both, mean / np.linalg.norm(mean, axis=1, keepdims=True), atol=1e-6)


def test_what_the_spaces_do_not_encode_is_refused(encoder: MtebEncoder) -> None:
    for batch, says in (
        ({"video": ["x"], "text": ["a dog"]}, "has video, which the spaces of me/tiny do not encode"),
        ({"label": [1]}, "a batch of label"),
    ):
        with pytest.raises(IsthmusError, match=says):
            encoder.encode([batch])
    with pytest.raises(IsthmusError, match="nothing to encode"):
        encoder.encode([])
    with pytest.raises(IsthmusError, match="no space encodes text, image, audio"):
        MtebEncoder(encoder.connector, [])


def test_an_encoder_alone_is_not_projected(encoder: MtebEncoder) -> None:
    clip = encoder.encoders["text"]
    alone = MtebEncoder(None, [clip])
    found = alone.encode([{"text": ["a dog"]}])
    np.testing.assert_array_equal(found, clip.encode(["a dog"], modality="text").vectors)
    with pytest.raises(IsthmusError, match="2 spaces without a connector"):
        MtebEncoder(None, [clip, encoder.encoders["audio"]])


def test_a_graph_of_spaces_projects_too(encoder: MtebEncoder) -> None:
    leg = encoder.connector
    assert isinstance(leg, isthmus.Connector)
    graph = isthmus.SpaceGraph("joint", leg.left_space, (leg,), {leg.right_space: leg.left_space})
    found = MtebEncoder(graph, list(encoder.encoders.values()))
    clips = [{"audio": [{"array": tones(0.5, 8000), "sampling_rate": 8000}]}]
    np.testing.assert_array_equal(found.encode(clips), encoder.encode(clips))
    assert found.dim == encoder.dim


def test_similarities_are_cosines(encoder: MtebEncoder) -> None:
    draw = np.random.default_rng(0)
    one, other = draw.standard_normal((3, 5)), draw.standard_normal((3, 5))
    looped = [[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in other] for a in one]
    np.testing.assert_allclose(encoder.similarity(one, other), looped, atol=1e-6)
    np.testing.assert_allclose(encoder.similarity_pairwise(one, other), np.diag(looped), atol=1e-6)


def test_a_saved_connector_is_loaded_with_its_encoders(
    encoder: MtebEncoder, checkpoints: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = encoder.connector.save(tmp_path / "clip-clap")
    specs = [f"{family}:{checkpoints(family)}" for family in ("clip", "clap")]
    again = load_mteb_encoder(str(folder), spaces=specs, device="cpu")
    batch = [{"audio": [{"array": tones(0.5, 8000), "sampling_rate": 8000}]}]
    np.testing.assert_array_equal(again.encode(batch), encoder.encode(batch))


def test_a_missing_mteb_is_one_line(encoder: MtebEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mteb.models", None)
    with pytest.raises(IsthmusError, match=r"pip install 'isthmus\[mteb\]'"):
        _ = encoder.mteb_model_meta
