"""Tokens: their vectors, computed from the weights in another way, and their places."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

import media_files
from isthmus.media import Item, as_source
from isthmus.media.item import text_item
from isthmus.spaces import EncoderInputs, Space, load_space

Checkpoints = Callable[[str], Path]


def opened(checkpoints: Checkpoints, family: str) -> Space:
    return load_space(f"{family.split('_')[0]}:{checkpoints(family)}", device="cpu")


def inputs_of(space: Space, modality: str, path: Path) -> EncoderInputs:
    return space.preparation(modality)(Item(path.name, as_source(path), "stamp"))


def layer_norm(rows: np.ndarray, weights: dict[str, np.ndarray], name: str) -> np.ndarray:
    centred = rows - rows.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def test_clip_patches_are_values_of_the_last_layer(checkpoints: Checkpoints, tmp_path: Path) -> None:
    space = opened(checkpoints, "clip")
    path = media_files.write_image(tmp_path / "a.png", size=(70, 48))
    pixels = torch.from_numpy(inputs_of(space, "image", path)["pixel_values"])
    model = transformers.CLIPModel.from_pretrained(checkpoints("clip"))
    weights = {name: value.double().numpy() for name, value in model.state_dict().items()}
    hidden = model.vision_model(pixels, output_hidden_states=True).hidden_states
    before = hidden[-2][0, 1:].detach().double().numpy()
    layer = "vision_model.encoder.layers.1"
    rows = layer_norm(before, weights, f"{layer}.layer_norm1")
    for name in ("v_proj", "out_proj"):
        rows = rows @ weights[f"{layer}.self_attn.{name}.weight"].T + weights[f"{layer}.self_attn.{name}.bias"]
    expected = layer_norm(rows, weights, "vision_model.post_layernorm") @ weights["visual_projection.weight"].T
    tokens = space.encode_tokens([path], modality="image")
    np.testing.assert_allclose(tokens.vectors, expected, atol=1e-4)
    assert tokens.places[0].tolist() == [11, 0, 23, 12]
    assert tokens.places[-1].tolist() == [47, 36, 59, 48]


@pytest.mark.parametrize("family", ["siglip2", "siglip2_naflex"])
def test_siglip_patches_are_pooled_each_by_itself(checkpoints: Checkpoints, family: str, tmp_path: Path) -> None:
    space = opened(checkpoints, family)
    path = media_files.write_image(tmp_path / "a.png", size=(70, 48))
    named = inputs_of(space, "image", path).items()
    model = transformers.AutoModel.from_pretrained(checkpoints(family))
    inputs = {name: torch.from_numpy(value) for name, value in named if not name.startswith("_")}
    hidden = model.vision_model(**inputs).last_hidden_state
    tokens = space.encode_tokens([path], modality="image")
    for place, row in enumerate(tokens.vectors):
        alone = model.vision_model.head(hidden[:, place : place + 1])[0]
        np.testing.assert_allclose(row, alone.detach().numpy(), atol=1e-5)
    corners = tokens.places[:, :2].min(0), tokens.places[:, 2:].max(0)
    assert corners[0].tolist() == [0, 0]
    assert corners[1].tolist() == [70, 48]


def test_frames_of_a_video_average_to_its_vector(checkpoints: Checkpoints, tmp_path: Path) -> None:
    space = opened(checkpoints, "xclip")
    path = media_files.write_video(tmp_path / "v.mp4")
    tokens = space.encode_tokens([path], modality="video")
    mean = tokens.vectors.mean(0)
    np.testing.assert_allclose(
        space.encode([path], modality="video").vectors[0], mean / np.linalg.norm(mean), atol=1e-5
    )
    assert tokens.places[:, 0] == pytest.approx([0.375, 1.125, 1.875, 2.625], abs=0.05)


def test_steps_of_audio_are_within_the_clip(checkpoints: Checkpoints, tmp_path: Path) -> None:
    space = opened(checkpoints, "clap")
    path = media_files.write_audio(tmp_path / "a.wav", 3.0)
    tokens = space.encode_tokens([path], modality="audio")
    assert len(tokens.vectors) == 10
    assert tokens.places[0].tolist() == [0, 0.3125]
    assert tokens.places[-1].tolist() == [2.8125, 3.0]
    assert np.array_equal(tokens.places[1:, 0], tokens.places[:-1, 1])


def test_a_step_depends_most_on_its_own_seconds(checkpoints: Checkpoints, tmp_path: Path) -> None:
    """A tone in the last second changes the last steps more than the first."""
    import soundfile

    space = opened(checkpoints, "clap")
    quiet = media_files.tones(10.0, 8000)
    louder = quiet.copy()
    louder[-8000:] += 0.5 * np.sin(np.arange(8000) * 0.9).astype(np.float32)
    vectors = []
    for name, samples in (("quiet", quiet), ("louder", louder)):
        soundfile.write(tmp_path / f"{name}.wav", samples, 8000, subtype="FLOAT")
        vectors.append(space.encode_tokens([tmp_path / f"{name}.wav"], modality="audio").vectors)
    change = np.linalg.norm(vectors[1] - vectors[0], axis=1)
    assert change[-3:].mean() > 3 * change[:16].mean()


@pytest.mark.parametrize("family", ["clip", "siglip2", "clap", "xclip"])
def test_words_are_separated_by_white_space(checkpoints: Checkpoints, family: str) -> None:
    space = opened(checkpoints, family)
    texts = ["two cats", " one   dog,  runs"]
    tokens = space.encode_tokens(texts, modality="text")
    words = [
        [texts[row][int(start) : int(end)].strip() for start, end in tokens.take(np.array([row])).places]
        for row in range(2)
    ]
    kept = 14 if family == "siglip2" else 100
    assert words[0] == ["two", "cats"]
    assert words[1][:2] == ["one", "dog,"]
    assert len(words[1]) == 3 or kept == 14


def test_every_token_of_a_word_counts_alike(checkpoints: Checkpoints) -> None:
    space = opened(checkpoints, "clip")
    inputs = space.preparation("text")(text_item("0", "cat"))
    model = transformers.CLIPModel.from_pretrained(checkpoints("clip"))
    hidden = model.text_model(torch.from_numpy(inputs["input_ids"])).last_hidden_state
    letters = model.text_projection(hidden)[0, 1:4].detach().double().numpy()
    np.testing.assert_allclose(space.encode_tokens(["cat"], modality="text").vectors[0], letters.mean(0), atol=1e-5)
