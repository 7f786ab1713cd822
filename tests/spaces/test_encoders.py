"""Every family, loaded from a checkpoint on disk, gives the vectors of transformers' own pipeline."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import media_files
from isthmus.media import read_audio, read_video
from isthmus.media.item import text_item
from isthmus.spaces import Space, load_space
from isthmus.spaces.preparation.audio import log_mel

TEXTS = ["a cat", "The dogs of  two towns, running!", "x"]
FAMILIES = ["clip", "siglip2", "siglip2_naflex", "clap", "clap_fusion", "xclip", "sentence"]
Checkpoints = Callable[[str], Path]


def opened(checkpoints: Checkpoints, family: str) -> Space:
    return load_space(f"{family.split('_')[0]}:{checkpoints(family)}", device="cpu")


def encoded(space: Space, modality: str, items: Sequence[str | Path]) -> np.ndarray:
    return space.encode(items, modality=modality).vectors


def unit(rows: torch.Tensor) -> np.ndarray:
    return torch.nn.functional.normalize(rows.detach(), dim=-1).numpy()


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    sizes = [(70, 48), (32, 64), (1, 1), (200, 3)]
    return [media_files.write_image(tmp_path / f"{n}.png", n, size) for n, size in enumerate(sizes)]


@pytest.mark.parametrize("family", ["clip", "siglip2", "siglip2_naflex"])
def test_images_as_in_transformers(checkpoints: Checkpoints, family: str, pictures: list[Path]) -> None:
    folder = checkpoints(family)
    model = transformers.AutoModel.from_pretrained(folder)
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    images = [Image.open(path).convert("RGB") for path in pictures]
    inputs = processor(images, return_tensors="pt", input_data_format="channels_last")
    found = encoded(opened(checkpoints, family), "image", pictures)
    np.testing.assert_allclose(found, unit(model.get_image_features(**inputs).pooler_output), atol=2e-6)


@pytest.mark.parametrize(
    ("family", "padding"),
    [("clip", True), ("siglip2", "max_length"), ("siglip2_naflex", "max_length"), ("clap", True), ("xclip", True)],
)
def test_texts_as_in_transformers(checkpoints: Checkpoints, family: str, padding: bool | str) -> None:
    folder = checkpoints(family)
    model = transformers.AutoModel.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    length = 16 if padding == "max_length" else 64
    inputs = tokenizer(TEXTS, padding=padding, max_length=length, truncation=True, return_tensors="pt")
    if padding == "max_length":
        inputs.pop("attention_mask", None)
    found = encoded(opened(checkpoints, family), "text", TEXTS)
    np.testing.assert_allclose(found, unit(model.get_text_features(**inputs).pooler_output), atol=2e-6)


def test_texts_beyond_the_models_length_are_cut(checkpoints: Checkpoints) -> None:
    space = opened(checkpoints, "clip")
    assert space.preparation("text")(text_item("0", "word " * 200))["input_ids"].shape == (1, 77)
    assert np.array_equal(encoded(space, "text", ["word " * 200]), encoded(space, "text", ["word " * 300]))


def test_sentences_as_in_sentence_transformers(checkpoints: Checkpoints) -> None:
    from sentence_transformers import SentenceTransformer

    expected = SentenceTransformer(str(checkpoints("sentence")), device="cpu").encode(TEXTS)
    found = encoded(opened(checkpoints, "sentence"), "text", TEXTS)
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=2e-6)


def test_short_audio_as_in_transformers(checkpoints: Checkpoints, tmp_path: Path) -> None:
    paths = [media_files.write_audio(tmp_path / f"{n}.wav", seconds, seed=n) for n, seconds in enumerate([3.0, 10.0])]
    folder = checkpoints("clap")
    model = transformers.ClapModel.from_pretrained(folder)
    extractor = transformers.ClapFeatureExtractor.from_pretrained(folder)
    sounds = [read_audio(path, 8000).samples[0] for path in paths]
    inputs = extractor(sounds, sampling_rate=8000, return_tensors="pt")
    found = encoded(opened(checkpoints, "clap"), "audio", paths)
    np.testing.assert_allclose(found, unit(model.get_audio_features(**inputs).pooler_output), atol=2e-6)


@given(st.integers(520, 90_000), st.sampled_from(["rand_trunc", "fusion"]), st.integers(0, 9))
@settings(max_examples=15, deadline=None)
def test_spectrograms_are_transformers_own(samples: int, truncation: str, seed: int) -> None:
    extractor = transformers.ClapFeatureExtractor(truncation=truncation, sampling_rate=8000, frequency_max=4000)
    waveform = np.random.default_rng(seed).standard_normal(samples).astype(np.float32)
    filters = extractor.mel_filters if truncation == "fusion" else extractor.mel_filters_slaney
    expected = extractor._np_extract_fbank_features(waveform, filters)
    found = log_mel(extractor, waveform, filters)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-2)
    assert np.abs(found - expected).mean() < 1e-5


def test_a_long_clip_is_the_mean_of_its_windows(checkpoints: Checkpoints, tmp_path: Path) -> None:
    path = media_files.write_audio(tmp_path / "long.wav", 25.0)
    model = transformers.ClapModel.from_pretrained(checkpoints("clap"))
    extractor = transformers.ClapFeatureExtractor.from_pretrained(checkpoints("clap"))
    samples = media_files.tones(25.0, 8000)
    rows = []
    for first, last in ((0, 66667), (66667, 133333), (133333, 200000)):
        inputs = extractor(samples[first:last], sampling_rate=8000, return_tensors="pt")
        rows.append(unit(model.get_audio_features(**inputs).pooler_output)[0].astype(np.float64))
    mean = np.mean(rows, axis=0)
    found = encoded(opened(checkpoints, "clap"), "audio", [path])
    np.testing.assert_allclose(found[0], mean / np.linalg.norm(mean), atol=1e-3)


def test_models_that_fuse_crops_give_the_same_every_time(checkpoints: Checkpoints, tmp_path: Path) -> None:
    """Their extractor marks one random clip of a batch as longer than it is."""
    paths = [media_files.write_audio(tmp_path / f"{n}.wav", 4.0, seed=n) for n in range(6)]
    space = opened(checkpoints, "clap_fusion")
    together = encoded(space, "audio", paths)
    alone = np.concatenate([encoded(space, "audio", [path]) for path in paths])
    np.testing.assert_allclose(together, alone, atol=2e-6)


def test_videos_as_in_transformers(checkpoints: Checkpoints, tmp_path: Path) -> None:
    path = media_files.write_video(tmp_path / "v.mp4")
    folder = checkpoints("xclip")
    model = transformers.XCLIPModel.from_pretrained(folder)
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    pixels = processor(read_video(path, 4).images(), return_tensors="pt")["pixel_values"][None]
    found = encoded(opened(checkpoints, "xclip"), "video", [path])
    np.testing.assert_allclose(found, unit(model.get_video_features(pixels).pooler_output), atol=2e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_vectors_do_not_depend_on_the_batch(checkpoints: Checkpoints, family: str) -> None:
    space = opened(checkpoints, family)
    together = encoded(space, "text", TEXTS)
    alone = np.concatenate([encoded(space, "text", [one]) for one in TEXTS])
    np.testing.assert_allclose(together, alone, atol=2e-6)


def test_revision_and_fingerprint_follow_from_what_is_on_disk(checkpoints: Checkpoints, tmp_path: Path) -> None:
    first, again, other = (opened(checkpoints, family) for family in ("clip", "clip", "siglip2"))
    assert first.revision == again.revision != other.revision
    prints = {space.preparation(modality).fingerprint for space in (first, other) for modality in ("text", "image")}
    assert len(prints) == 4
    assert first.preparation("image").fingerprint == again.preparation("image").fingerprint


def test_bfloat16_is_close(checkpoints: Checkpoints) -> None:
    exact, fast = (
        load_space(f"clip:{checkpoints('clip')}", device="cpu", precision=p) for p in ("float32", "bfloat16")
    )
    cosines = (encoded(exact, "text", TEXTS) * encoded(fast, "text", TEXTS)).sum(1)
    assert cosines.min() > 0.99
