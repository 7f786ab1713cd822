"""Encoding directly: the rows that embed writes, whatever form the items have; errors that give an item's position."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

import isthmus
import media_files
from isthmus.base.errors import IsthmusError
from isthmus.base.progress import Progress
from isthmus.embeddings.token_files import open_tokens
from isthmus.media import Item, read_video
from isthmus.spaces import EncoderInputs, Space, load_space
from tiny_checkpoints import write_ulip

Checkpoints = Callable[[str], Path]
TEXTS = ["a cat", "The dogs of  two towns, running!", "x", "rain on a tin roof"]


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of media for each modality, and a list of texts."""
    root = tmp_path_factory.mktemp("media")
    for modality in ("image", "audio", "video", "points", "vector"):
        (root / modality).mkdir()
    for number, size in enumerate([(70, 48), (32, 64), (1, 1)]):
        media_files.write_image(root / "image" / f"{number}.png", number, size)
    for number, seconds in enumerate([3.0, 12.0]):
        media_files.write_audio(root / "audio" / f"{number}.wav", seconds, seed=number)
    media_files.write_video(root / "video" / "0.mp4", seconds=1)
    for number in range(2):
        media_files.write_cloud(root / "points" / f"{number}.npy", 600, number)
        np.save(root / "vector" / f"{number}.npy", np.random.default_rng(number).standard_normal(7))
    (root / "text").write_text("\n".join(TEXTS))
    (root / "text").rename(root / "text.txt")
    return root


@pytest.fixture(scope="module")
def ulip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of ULIP's point tower."""
    path = tmp_path_factory.mktemp("ulip") / "ulip.pt"
    write_ulip(path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "modality"),
    [
        ("clip", "text"),
        ("clip", "image"),
        ("siglip2", "text"),
        ("siglip2_naflex", "image"),
        ("clap", "text"),
        ("clap", "audio"),
        ("xclip", "video"),
        ("sentence", "text"),
        ("ulip", "points"),
        ("precomputed", "audio"),
        ("precomputed", "text"),
    ],
)
def test_rows_are_those_embed_writes(
    checkpoints: Checkpoints, ulip: Path, media: Path, tmp_path: Path, family: str, modality: str
) -> None:
    source = {"ulip": lambda: ulip, "precomputed": lambda: "imagebind"}.get(family, lambda: checkpoints(family))()
    spec = f"{family.split('_')[0]}:{source}"
    place = media / ("vector" if family == "precomputed" else "text.txt" if modality == "text" else modality)
    isthmus.embed(place, tmp_path, space=spec, modality=modality, dtype="float32", workers=0, device="cpu")
    written = isthmus.open_set(tmp_path)[modality]

    items = TEXTS if place.name == "text.txt" else sorted(place.iterdir())
    found = load_space(spec, device="cpu").encode(items, modality=modality)
    assert found.ids == [str(item) for item in items]
    assert (found.space, found.modality, found.revision) == (written.space, modality, written.revision)
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-6)
    assert np.array_equal(found.vectors, written.vectors)


@pytest.mark.parametrize(("family", "modality"), [("clip", "image"), ("clap", "audio"), ("xclip", "text")])
def test_tokens_are_those_embed_writes(
    checkpoints: Checkpoints, media: Path, tmp_path: Path, family: str, modality: str
) -> None:
    spec = f"{family}:{checkpoints(family)}"
    place = media / ("text.txt" if modality == "text" else modality)
    options = {"dtype": "float32", "workers": 0, "device": "cpu", "tokens": True}
    isthmus.embed(place, tmp_path, space=spec, modality=modality, **options)
    written = open_tokens(tmp_path, modality)

    items = TEXTS if modality == "text" else sorted(place.iterdir())
    found = load_space(spec, device="cpu").encode_tokens(items, modality=modality)
    assert (found.space, found.unit) == (written.space, written.unit)
    for name in ("offsets", "vectors", "places"):
        assert np.array_equal(getattr(found, name), getattr(written, name))


def test_images_may_be_paths_pil_images_or_arrays(checkpoints: Checkpoints, media: Path) -> None:
    space = load_space(f"clip:{checkpoints('clip')}", device="cpu")
    path = media / "image" / "0.png"
    pixels = np.asarray(Image.open(path))
    forms = [path, str(path), path.read_bytes(), Image.open(path), pixels, pixels / 255, (pixels / 255).astype("f4")]
    found = space.encode(forms, modality="image")
    assert found.ids == [str(number) for number in range(len(forms))]
    assert all(np.array_equal(row, found.vectors[0]) for row in found.vectors)
    grey = pixels[..., 0]
    both = space.encode([grey, np.repeat(grey[..., None], 3, 2)], modality="image").vectors
    assert np.array_equal(both[0], both[1])


def test_a_pil_image_is_turned_as_its_camera_says(checkpoints: Checkpoints, media: Path) -> None:
    space = load_space(f"clip:{checkpoints('clip')}", device="cpu")
    upright = Image.open(media / "image" / "0.png").convert("RGB")
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    turned.getexif()[0x0112] = 6
    found = space.encode([upright, turned], modality="image").vectors
    assert np.array_equal(found[0], found[1])


@pytest.mark.parametrize("rate", [8000, 11025])
def test_audio_may_be_paths_or_samples(checkpoints: Checkpoints, tmp_path: Path, rate: int) -> None:
    space = load_space(f"clap:{checkpoints('clap')}", device="cpu")
    path = media_files.write_audio(tmp_path / "a.wav", 12.0, rate)
    floats, _ = soundfile.read(path, dtype="float32")
    integers, _ = soundfile.read(path, dtype="int16")
    stereo = np.stack([floats, floats], 1)
    forms = [path, (floats, rate), (floats.astype(np.float64), rate), (integers, rate), (stereo, rate)]
    rows = space.encode(forms, modality="audio", batch_size=1).vectors
    assert all(np.array_equal(row, rows[0]) for row in rows)


def test_video_may_be_a_path_or_frames(checkpoints: Checkpoints, media: Path) -> None:
    space = load_space(f"xclip:{checkpoints('xclip')}", device="cpu")
    path = media / "video" / "0.mp4"
    shown = read_video(path, 4)
    every = np.repeat(shown.frames, 3, 0)
    rows = space.encode([path, shown.frames, every, (every, 12.0)], modality="video").vectors
    assert all(np.array_equal(row, rows[0]) for row in rows)
    tokens = space.encode_tokens([path, (every, 12.0)], modality="video")
    np.testing.assert_allclose(tokens.places[4:], tokens.places[:4], atol=0.05)


@pytest.mark.slow
def test_points_and_vectors_may_be_paths_or_arrays(ulip: Path, media: Path) -> None:
    for spec, modality, folder in ((f"ulip:{ulip}", "points", "points"), ("precomputed:x", "image", "vector")):
        path = media / folder / "0.npy"
        rows = load_space(spec, device="cpu").encode([path, np.load(path)], modality=modality).vectors
        assert np.array_equal(rows[0], rows[1])


def test_ids_are_given_or_texts_or_numbers(checkpoints: Checkpoints) -> None:
    space = load_space(f"clip:{checkpoints('clip')}", device="cpu")
    assert space.encode(["b", "a"], modality="text").ids == ["b", "a"]
    assert space.encode(["b", "a"], modality="text", ids=["x", "y"]).ids == ["x", "y"]
    repeated = space.encode(["b", "a", "b"], modality="text")
    assert repeated.ids == ["0", "1", "2"]
    assert np.array_equal(repeated.vectors[0], repeated.vectors[2])


def test_batches_change_nothing_but_the_last_bits(checkpoints: Checkpoints, media: Path) -> None:
    space = load_space(f"clap:{checkpoints('clap')}", device="cpu")
    for items, modality in ((TEXTS, "text"), (sorted((media / "audio").iterdir()), "audio")):
        whole = space.encode(items, modality=modality).vectors
        np.testing.assert_allclose(space.encode(items, modality=modality, batch_size=1).vectors, whole, atol=2e-6)


def test_progress_counts_items(checkpoints: Checkpoints) -> None:
    seen: list[Progress] = []
    space = load_space(f"clip:{checkpoints('clip')}", device="cpu")
    space.encode(TEXTS, modality="text", batch_size=3, progress=seen.append)
    assert [(now.stage, now.done, now.total) for now in seen] == [("encoding text", 3, 4), ("encoding text", 4, 4)]


@pytest.mark.parametrize(
    ("family", "modality", "items", "says"),
    [
        ("clip", "text", "a dog", r"expected a list of items, got one str: pass \[item\]"),
        ("clip", "text", [], "there is nothing to encode"),
        ("clip", "text", ["a", 7], r"item 1: expected a text \(str\), got int"),
        ("clip", "audio", ["a.wav"], "has no 'audio': choose one of text, image"),
        ("clip", "image", ["absent.png"], r"item 0: absent\.png: not found"),
        ("clip", "image", [b"no image"], r"item 0: bytes: cannot be read \(UnidentifiedImageError: "),
        ("clip", "image", [np.zeros((3, 8, 8), np.uint8)], r"item 0: .*\(height, width, 3\).* got shape \(3, 8, 8\)"),
        ("clip", "image", [np.full((8, 8), 2.0)], r"item 0: .*floats in \[0, 1\], got 2 to 2"),
        ("clip", "image", [np.full((8, 8), np.nan)], r"item 0: .*floats in \[0, 1\], got nan"),
        ("clip", "image", [np.zeros((8, 8), int)], "item 0: .*expected uint8 or floats"),
        ("clip", "image", [None], "item 0: NoneType: expected a path"),
        ("clap", "audio", [np.zeros(8000)], r"item 0: .*expected a path or \(samples, rate\)"),
        ("clap", "audio", [(np.zeros(8000, np.uint8), 8000)], "item 0: .*floats or int16 or int32, got uint8"),
        ("clap", "audio", [(np.zeros((2, 8000)), 8000)], "item 0: .*8000 channels cannot be right"),
        ("clap", "audio", [(np.zeros(0), 8000)], "item 0: .*has no audio"),
        ("clap", "audio", [(np.zeros(9), 8000)], "item 0: .*too short: 9 samples, at least 257"),
        ("clap", "audio", [(np.full(8000, np.nan), 8000)], "item 0: .*NaN or infinite"),
        ("xclip", "video", [np.zeros((8, 8, 3), np.uint8)], r"item 0: .*\(frames, height, width, 3\), got \(8, 8, 3\)"),
        ("precomputed", "image", [np.ones(3), np.zeros(3)], "item 1: .*finite, non-zero vector"),
        ("precomputed", "image", [np.ones(3), np.ones(4)], "item 1: 4 dimensions, but item 0 has 3"),
        ("precomputed", "image", [np.ones(3, int)], "item 0: .*floating-point vector, got int"),
    ],
)
def test_bad_items_are_named_by_their_position(
    checkpoints: Checkpoints, family: str, modality: str, items: object, says: str
) -> None:
    space = load_space(f"{family}:{'x' if family == 'precomputed' else checkpoints(family)}", device="cpu")
    with pytest.raises(IsthmusError, match=says) as caught:
        space.encode(items, modality=modality)
    assert "\n" not in str(caught.value)


def test_bad_options_are_named(checkpoints: Checkpoints) -> None:
    space = load_space(f"clip:{checkpoints('clip')}", device="cpu")
    with pytest.raises(IsthmusError, match="batch_size must be at least 1, got 0"):
        space.encode(["a"], modality="text", batch_size=0)
    with pytest.raises(IsthmusError, match="text items: "):
        space.encode(["a", "b"], modality="text", ids=["x"])
    with pytest.raises(IsthmusError, match=r"text items: .*'x'"):
        space.encode(["a", "b"], modality="text", ids=["x", "x"])
    with pytest.raises(IsthmusError, match="has no tokens"):
        load_space("precomputed:x").encode_tokens([np.ones(3)], modality="image")
    with pytest.raises(IsthmusError, match="has no audio tokens: choose one of text, image"):
        space.encode_tokens(["a"], modality="audio")


@dataclass(frozen=True)
class ByteCounts:
    """The least a family of a user's own must have: a preparation that reads files, and an encoder without tokens."""

    padding: Mapping[str, int] = field(default_factory=dict)
    fingerprint: str = "byte counts"
    revision: str = "1"

    def preparation(self, modality: str) -> ByteCounts:
        return self

    def __call__(self, item: Item) -> EncoderInputs:
        assert item.source is not None
        with item.source.open() as file:
            return {"counts": np.bincount(np.frombuffer(file.read(), np.uint8), minlength=256)[None]}

    def encode_inputs(self, modality: str, inputs: EncoderInputs) -> np.ndarray:
        counts = inputs["counts"].astype(np.float32)
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)


def test_a_users_own_encoder_needs_three_methods() -> None:
    space = Space("bytes", ("image",), None, "cpu", ByteCounts())
    found = space.encode([b"aab", b"b"], modality="image")
    np.testing.assert_allclose(found.vectors[:, [97, 98]], [[2 / 5**0.5, 1 / 5**0.5], [0, 1]], rtol=1e-6)
    with pytest.raises(IsthmusError, match="item 0: ndarray: this space reads files only: pass a path"):
        space.encode([np.zeros((4, 4))], modality="image")
