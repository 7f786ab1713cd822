"""Cross-modal generalisation as tasks: seconds of clips, both directions, and the protocols."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from isthmus import CodesConfig, Tokens
from isthmus.cli import main
from isthmus.codes.model.model import CodeModel
from isthmus.codes.model.view import View
from isthmus.embeddings import save_tokens
from isthmus.evaluate.annotations.data import DataItem, Stream
from isthmus.evaluate.running.streams import clip_rows, coded_streams
from isthmus.metrics import Event

CODES, CLASSES, CLIPS = 4, ("Bark", "Bus", "Cat"), 90
SILENCE = CODES - 1


def code_model(turned: bool = False) -> CodeModel:
    """Codes are the axes of the tokens; ``turned`` gives audio other codes than images."""
    views = {name: View(name, "toy", dim=CODES, pooled_dim=CODES) for name in ("image", "audio")}
    model = CodeModel(views, CodesConfig(codes=CODES, code_dim=CODES, normalization="none"))
    model.codebook.start_at(torch.eye(CODES))
    for name in views:
        weights = torch.eye(CODES).roll(1, 1) if turned and name == "audio" else torch.eye(CODES)
        model.set_head(name, weights, torch.zeros(CODES))
    return model.eval()


def label_of(clip: int) -> int:
    return clip % len(CLASSES)


def video(clip: int) -> str:
    return f"clip{clip:07d}"


def write_tokens(folder: Path, starts: Mapping[int, int]) -> None:
    """Audio: two tokens a second; frames: one a second. A clip's class from its start on, silence before."""
    for modality in ("image", "audio"):
        ids: list[str] = []
        rows: list[np.ndarray] = []
        places: list[Sequence[float]] = []
        offsets = [0]
        for clip, start in starts.items():
            shown = [label_of(clip) if second >= start else SILENCE for second in range(10)]
            if modality == "audio":
                ids.append(f"{video(clip)}.wav")
                rows += [np.eye(CODES, dtype=np.float32)[[label, label]] for label in shown]
                places += [(half / 2, half / 2 + 0.5) for half in range(20)]
                offsets.append(offsets[-1] + 20)
            else:
                for second, label in enumerate(shown):
                    ids.append(f"{video(clip)}/{second}.jpg")
                    rows.append(np.eye(CODES, dtype=np.float32)[[label]])
                    places.append((0, 0, 1, 1))
                    offsets.append(offsets[-1] + 1)
        facts = {"modality": modality, "space": "toy", "unit": "seconds" if modality == "audio" else "pixels"}
        tokens = Tokens.from_arrays(
            np.concatenate(rows), np.array(offsets), np.array(places, np.float32), ids=ids, **facts
        )
        save_tokens(tokens, folder)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A data folder of AVE and AVVP annotations, token sets and two code models."""
    starts = {clip: clip % 5 for clip in range(CLIPS)}
    rows = [f"{CLASSES[label_of(clip)]}&{video(clip)}&good&{start}&10" for clip, start in starts.items()]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "Annotations.txt").write_text("\n".join(["Category&VideoID&Quality&StartTime&EndTime", *rows]))
    (tmp_path / "data" / "AVVP_Categories.txt").write_text("\n".join(CLASSES))
    for kind in ("visual", "audio"):
        lines = [f"{video(clip)}\t{start}\t10\t{CLASSES[label_of(clip)]}" for clip, start in starts.items()]
        text = "\n".join(["filename\tonset\toffset\tevent_labels", *lines])
        (tmp_path / "data" / f"AVVP_eval_{kind}_checked_combined.csv").write_text(text)
    write_tokens(tmp_path / "tokens", starts)
    code_model().save(tmp_path / "codes")
    code_model(turned=True).save(tmp_path / "turned")
    return tmp_path


def run(task: str, clips: Path, codes: str, *more: str) -> dict[str, Any]:
    out = clips / f"results-{codes}-{len(more)}"
    given = ["--codes", clips / codes, "--sets", clips / "tokens", "--data", clips / "data", "--out", out, *more]
    main(["evaluate", task, *map(str, given)])
    (written,) = out.rglob(f"{task}.json")
    return json.loads(written.read_text())


@pytest.mark.slow
def test_events_generalise_where_codes_are_shared_and_not_where_they_are_not(clips: Path) -> None:
    shared, turned = (run("cmg-ave", clips, codes) for codes in ("codes", "turned"))
    (scores,) = shared["scores"]["test"]
    assert (scores["image_to_audio.accuracy"], scores["audio_to_image.accuracy"]) == (1.0, 1.0)
    assert turned["scores"]["test"][0]["accuracy"] < 0.4
    assert shared["details"]["coverage"]["scored"] == 2 * CLIPS
    assert shared["details"]["subsets"]["default"]["intervals"]["image_to_audio.accuracy"] == [1.0, 1.0]


@pytest.mark.slow
def test_seconds_generalise_and_the_public_protocol_is_marked(clips: Path) -> None:
    (scores,) = run("cmg-avvp", clips, "codes")["scores"]["test"]
    assert scores["precision"] == scores["recall"] == 1.0
    public = run("cmg-avvp", clips, "codes", "--protocol", "public")
    assert public["details"]["protocol"] == "public code"


def test_a_task_of_codes_needs_them(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for given, message in (
        (["--space", "precomputed:x"], "needs a code model and tokens of clips: give --codes and --sets"),
        (["--codes", str(clips / "codes")], "no image tokens (no sets given)"),
    ):
        with pytest.raises(SystemExit):
            main(["evaluate", "cmg-ave", "--data", str(clips / "data"), *given])
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(("frames", "expected"), [(10, range(10)), (5, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]), (1, [0] * 10)])
def test_frames_are_spread_evenly_over_the_seconds(frames: int, expected: Sequence[int]) -> None:
    ids = [f"v/frame_{number}.jpg" for number in range(frames)]
    order = np.random.default_rng(0).permutation(frames)
    rows = np.eye(16, dtype=np.float32)[order]
    places = np.tile(np.array([[0, 0, 1, 1]], np.float32), (frames, 1))
    facts = {"modality": "image", "space": "toy", "unit": "pixels", "ids": [ids[number] for number in order]}
    tokens = Tokens.from_arrays(rows, np.arange(frames + 1), places, **facts)
    views = {"image": View("image", "toy", dim=16, pooled_dim=16)}
    model = CodeModel(views, CodesConfig(codes=16, code_dim=16, normalization="none"))
    model.codebook.start_at(torch.eye(16))
    model.set_head("image", torch.eye(16), torch.zeros(16))
    stream = Stream(DataItem("v", "v", ("v",)), (Event(0, 0, 10),))
    found = coded_streams([stream], tokens, model.eval(), classes=1)
    assert found.features[0].argmax(1).tolist() == list(expected)


def test_clips_are_found_by_file_folder_or_numbered_name() -> None:
    found = clip_rows(["a.wav", "b/10.jpg", "b/9.jpg", "c_000.jpg", "c_001.jpg"])
    assert (found["a"], found["b"], found["c"]) == ([0], [2, 1], [3, 4])
