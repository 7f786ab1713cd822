"""Small folders laid out as people have the real data sets, and a connector of two tiny encoders."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

import isthmus
import media_files
from isthmus.bulk.config import EmbedConfig

CLIPS = tuple(f"{letter * 11}_{100 * number:06d}" for number, letter in enumerate("abcde"))
QUIET = EmbedConfig(workers=0)


def write_connector(folder: Path, specs: Mapping[str, str]) -> Path:
    """Connect two tiny encoders through random texts, with a memory of images and one of sounds."""
    draw = np.random.default_rng(0)
    words = ["dog", "cat", "car", "rain", "bell", "horn", "bird", "wind", "wood", "door", "baby", "song", "drum"]
    texts = {" ".join(draw.choice(words, 4)) for _ in range(60)}
    (folder / "texts.txt").write_text("\n".join(sorted(texts)))
    for kind, write, suffix in (("image", media_files.write_image, "png"), ("audio", media_files.write_audio, "wav")):
        (folder / kind).mkdir()
        for number in range(12):
            write(folder / kind / f"{number}.{suffix}", seed=number)
    sets = []
    for kind, spec in specs.items():
        place = folder / f"{kind}-set"
        isthmus.embed(folder / "texts.txt", place, space=spec, modality="text", config=QUIET)
        isthmus.embed(folder / kind, place, space=spec, modality=kind, config=QUIET)
        sets.append(isthmus.open_set(place))
    connector = isthmus.connect(*sets, method="cca", seed=0)
    return connector.save(folder / "joint")


def write_vggss(folder: Path, frames: int = 4, sounds: int = 5) -> Path:
    """Five annotated clips, one with a box that has no area; frames and sounds of some of them."""
    rows = [{"file": clip, "class": "dog", "bbox": [[0.1, 0.1, 0.5, 0.9]]} for clip in CLIPS]
    rows[1]["bbox"] = [[0.2, 0.2, 0.2, 0.2]]
    (folder / "metadata").mkdir(parents=True)
    (folder / "metadata" / "vggss.json").write_text(json.dumps(rows))
    media(folder / "frames", ".jpg", frames, media_files.write_image)
    media(folder / "audio", ".wav", sounds, media_files.write_audio)
    return folder


def media(folder: Path, suffix: str, count: int, write: Callable[..., Path]) -> None:
    folder.mkdir(parents=True)
    for number, clip in enumerate(CLIPS[:count]):
        write(folder / f"{clip}{suffix}", seed=number)


def write_clotho(folder: Path) -> Path:
    """Five sounds with two captions, one of them empty; one sound is no sound, one is missing."""
    names = [f"rain &amp; storm {number}.wav" for number in range(5)]
    lines = [
        f"{name},caption of {number},{'' if number == 2 else f'more of {number}'}" for number, name in enumerate(names)
    ]
    (folder / "sounds").mkdir(parents=True)
    (folder / "test.csv").write_text("\n".join(["file_name,caption_1,caption_2", *lines]))
    for number in range(3):
        media_files.write_audio(folder / "sounds" / f"rain & storm {number}.wav", seed=number)
    (folder / "sounds" / "rain & storm 3.wav").write_bytes(b"RIFF not a sound")
    return folder


def write_esc50(folder: Path) -> Path:
    """Five sounds of three classes."""
    labels = [("dog", 0), ("rain", 10), ("dog", 0), ("sea_waves", 11), ("rain", 10)]
    lines = [
        f"1-{number}-A-{target}.wav,1,{target},{name},False,{number},A" for number, (name, target) in enumerate(labels)
    ]
    (folder / "meta").mkdir(parents=True)
    (folder / "audio").mkdir()
    (folder / "meta" / "esc50.csv").write_text("\n".join(["filename,fold,target,category,esc10,src_file,take", *lines]))
    for number, (_, target) in enumerate(labels):
        media_files.write_audio(folder / "audio" / f"1-{number}-A-{target}.wav", seed=number)
    return folder


def write_coco(folder: Path) -> Path:
    """Five images with two captions each."""
    images = [{"id": number, "file_name": f"{number:012d}.jpg"} for number in range(5)]
    captions = [{"image_id": number % 5, "caption": f"a picture of {number}"} for number in range(10)]
    (folder / "annotations").mkdir(parents=True)
    (folder / "val2017").mkdir()
    (folder / "annotations" / "captions_val2017.json").write_text(
        json.dumps({"images": images, "annotations": captions})
    )
    for number in range(5):
        media_files.write_image(folder / "val2017" / f"{number:012d}.jpg", seed=number)
    return folder


def write_extended_vggss(folder: Path) -> Path:
    """The annotated clips, and negatives: the frames with the clip of another, and one with its own."""
    write_vggss(folder, frames=5)
    rows = [*pairwise(CLIPS), (CLIPS[4], CLIPS[4])]
    lines = ["video,audio,label", *(f"{video},{audio},non-sounding" for video, audio in rows)]
    (folder / "metadata" / "vggss_test_plus_silent.csv").write_text("\n".join(lines))
    return folder
