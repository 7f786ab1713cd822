"""`isthmus evaluate` end to end on five files a data set, laid out as people have them, with tiny encoders."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import isthmus
import media_files
import tiny_benchmarks
from isthmus.cli import main


@dataclass(frozen=True)
class Bench:
    """Tiny encoders, a connector of both, and a working folder that all tests of this module share."""

    root: Path
    specs: tuple[str, str]

    def run(self, task: str, data: Path, *more: str, out: Path | None = None) -> dict[str, Any]:
        results = out or self.root / "results"
        where = ["--connector", self.root / "joint", "--data", data, "--work", self.root / "work", "--out", results]
        how = ["--workers", "0", "--device", "cpu", "--space", *self.specs, *more]
        main(["evaluate", task, *map(str, [*where, *how])])
        (written,) = results.rglob(f"{task}.json")
        return json.loads(written.read_text())


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, checkpoints: Callable[[str], Path]) -> Bench:
    root = tmp_path_factory.mktemp("bench")
    specs = (f"clip:{checkpoints('clip')}", f"clap:{checkpoints('clap')}")
    tiny_benchmarks.write_connector(root, dict(zip(("image", "audio"), specs, strict=True)))
    return Bench(root, specs)


def subset(result: dict[str, Any], name: str = "default") -> dict[str, Any]:
    return next(own for own in result["scores"]["test"] if own["hf_subset"] == name)


@pytest.mark.slow
def test_retrieval_is_that_of_the_projected_vectors(bench: Bench, tmp_path: Path) -> None:
    data = tiny_benchmarks.write_vggss(tmp_path / "vggss")
    result = bench.run("vggss-retrieval", data)
    connector = isthmus.Connector.load(bench.root / "joint")
    rows = []
    for spec, modality, suffix, folder in zip(
        bench.specs, ("image", "audio"), (".jpg", ".wav"), ("frames", "audio"), strict=True
    ):
        files = [data / folder / f"{clip}{suffix}" for clip in tiny_benchmarks.CLIPS[:4]]
        encoded = isthmus.load_space(spec, device="cpu").encode(files, modality=modality)
        rows.append(connector.project(encoded).vectors)
    cosines = rows[0] @ rows[1].T
    ranks = [(own >= own[place]).sum() for place, own in enumerate(cosines)]
    assert subset(result)["image_to_audio.r1"] == pytest.approx(np.mean([rank <= 1 for rank in ranks]))
    assert subset(result)["image_to_audio.mrr"] == pytest.approx(np.mean([1 / rank for rank in ranks]))
    coverage = result["details"]["coverage"]
    assert (coverage["expected"], coverage["scored"]) == (5, 4)
    assert coverage["sides"]["image"]["examples"] == {"missing": [tiny_benchmarks.CLIPS[4]]}
    assert subset(result)["chance.r1"] == 0.25
    low, high = result["details"]["subsets"]["default"]["intervals"]["r1"]
    assert 0 <= low <= subset(result)["r1"] <= high <= 1


@pytest.mark.slow
def test_empty_captions_missing_and_unreadable_sounds_are_counted(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = bench.run("clotho", tiny_benchmarks.write_clotho(tmp_path / "clotho"))
    coverage = result["details"]["coverage"]
    assert (coverage["expected"], coverage["scored"]) == (5, 3)
    assert coverage["left_out"] == {"empty caption": 1}
    sides = coverage["sides"]
    assert {name: sides["audio"][name] for name in ("found", "missing", "unreadable")} == {
        "found": 3, "missing": 1, "unreadable": 1
    }  # fmt: skip
    assert [own["hf_subset"] for own in result["scores"]["test"]] == ["after", "across", "before"]
    assert result["details"]["subsets"]["across"]["items"] == {"audio": 3, "text": 5}
    printed = capsys.readouterr().out
    assert "clotho: scored 3 of 5 items" in printed
    assert "audio: 3 of 5 found, 1 missing, 1 unreadable" in printed
    assert "left out of the annotations: 1 × empty caption" in printed


@pytest.mark.slow
def test_forgetting_is_the_difference_of_before_and_after(bench: Bench, tmp_path: Path) -> None:
    result = bench.run("coco", tiny_benchmarks.write_coco(tmp_path / "coco"))
    facts = result["details"]["subsets"]
    assert {name: (own["when"], len(set(own["spaces"]))) for name, own in facts.items()} == {
        "after": ("after", 1), "before": ("before", 1), "across": ("across", 2)
    }  # fmt: skip
    assert facts["before"]["items"] == {"image": 5, "text": 10}
    assert result["details"]["coverage"]["scored"] == 5


@pytest.mark.slow
def test_zero_shot_takes_the_mean_of_projected_prompts(bench: Bench, tmp_path: Path) -> None:
    data = tiny_benchmarks.write_esc50(tmp_path / "esc50")
    result = bench.run("esc50", data)
    connector = isthmus.Connector.load(bench.root / "joint")
    clap = isthmus.load_space(bench.specs[1], device="cpu")
    sounds = connector.project(clap.encode(sorted((data / "audio").iterdir()), modality="audio")).vectors
    prompts = [f"This is a sound of {name}." for name in ("dog", "rain", "sea waves")]
    classes = connector.project(clap.encode(prompts, modality="text")).vectors
    found = (sounds @ classes.T).argmax(1)
    truth = [{0: 0, 10: 1, 11: 2}[int(path.stem.split("-")[-1])] for path in sorted((data / "audio").iterdir())]
    assert subset(result, "after")["top1"] == pytest.approx(np.mean(found == truth))
    assert subset(result, "after")["top3"] == 1.0
    assert subset(result, "after")["chance.top1"] == pytest.approx(1 / 3)


@pytest.mark.slow
def test_rows_that_another_task_embedded_are_reused(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tiny_benchmarks.write_vggss(tmp_path / "vggss")
    first = bench.run("vggss-retrieval", data, out=tmp_path / "first")

    def nothing_is_encoded(*_: object, **__: object) -> None:
        raise AssertionError("a row was embedded again")

    monkeypatch.setattr("isthmus.spaces.space.Space.encode_prepared", nothing_is_encoded)
    again = bench.run("vggss-retrieval", data, out=tmp_path / "second")
    assert again["scores"] == first["scores"]


@pytest.mark.slow
def test_sets_embedded_before_give_the_same_figures(bench: Bench, tmp_path: Path) -> None:
    data = tiny_benchmarks.write_vggss(tmp_path / "vggss")
    embedded = bench.run("vggss-retrieval", data, out=tmp_path / "embedded")
    sets = []
    for spec, modality, folder in zip(bench.specs, ("image", "audio"), ("frames", "audio"), strict=True):
        sets.append(tmp_path / f"{modality}-set")
        isthmus.embed(data / folder, sets[-1], space=spec, modality=modality, dtype="float32", workers=0, device="cpu")
    where = [
        "--connector",
        bench.root / "joint",
        "--data",
        data / "metadata",
        "--sets",
        *sets,
        "--out",
        tmp_path / "sets",
    ]
    main(["evaluate", "vggss-retrieval", *map(str, where)])
    (written,) = (tmp_path / "sets").rglob("vggss-retrieval.json")
    assert json.loads(written.read_text())["scores"] == embedded["scores"]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_weights_that_the_connector_was_not_fitted_with_are_named(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tiny_benchmarks.write_vggss(tmp_path / "vggss")
    rows = np.random.default_rng(0).standard_normal((4, 16)).astype(np.float32)
    for spec, modality, ending in zip(bench.specs, ("image", "audio"), ("jpg", "wav"), strict=True):
        space = f"{spec.partition(':')[0]}:{Path(spec).name}"
        ids = [f"{clip}.{ending}" for clip in tiny_benchmarks.CLIPS[:4]]
        made = isthmus.Embeddings.from_array(rows, modality=modality, space=space, ids=ids, revision="another")
        made.save(tmp_path / modality)
    where = ["--connector", bench.root / "joint", "--data", data, "--out", tmp_path / "results"]
    main(["evaluate", "vggss-retrieval", *map(str, [*where, "--sets", tmp_path / "image", tmp_path / "audio"])])
    warned = capsys.readouterr().err
    (written,) = (tmp_path / "results").rglob("*.json")
    notes = json.loads(written.read_text())["details"]["notes"]
    for space in ("clip:clip", "clap:clap"):
        assert f"of {space!r}, the vectors are of another" in warned
        assert any(f"of {space!r}, the vectors are of another" in note for note in notes)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", *arguments])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    return said.out, said.err


def test_a_folder_without_media_says_what_to_get(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tiny_benchmarks.write_vggss(tmp_path / "vggss", frames=0, sounds=0)
    out, error = refused(capsys, "vggss-retrieval", "--data", str(data), "--check")
    assert "image: 0 of 5 found, 5 missing" in out
    assert "get VGGSS (VGG-Sound Source) from https://www.robots.ox.ac.uk/~vgg/research/lvs/ (about 6 GB" in out
    assert "frames/<video>_<start>.jpg" in out
    assert "vggss-retrieval cannot run on it yet" in error


def test_an_empty_folder_says_which_annotations_to_get(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = refused(capsys, "ex-vggss", "--data", str(tmp_path), "--check")
    assert "no vggss.json: get it from" in out
    assert "no vggss_test_plus_silent.csv: get it from" in out


def test_a_check_counts_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tiny_benchmarks.write_vggss(tmp_path / "vggss", frames=3)
    main(["evaluate", "vggss-localisation", "--data", str(data), "--check"])
    out = capsys.readouterr().out
    assert f"image: 3 of 5 found, 2 missing (the first: {tiny_benchmarks.CLIPS[3]})" in out
    assert "left out of the annotations: 1 × box without an area" in out
    assert "ready: 3 items have all of their media" in out


def test_a_check_counts_videos_as_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tiny_benchmarks.write_vggss(tmp_path / "vggss", frames=0)
    (data / "videos").mkdir()
    (data / "videos" / f"{tiny_benchmarks.CLIPS[0]}.mp4").write_bytes(b"")
    main(["evaluate", "vggss-retrieval", "--data", str(data), "--check"])
    out = capsys.readouterr().out
    assert "image: 1 of 5 found, 1 from the middle of videos, 4 missing" in out
    assert "ready: 1 items have all of their media" in out


@pytest.mark.slow
def test_videos_alone_give_frames_and_audio(bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tiny_benchmarks.write_vggss(tmp_path / "vggss", frames=0, sounds=0)
    (data / "videos").mkdir()
    for clip, seconds in zip(tiny_benchmarks.CLIPS[:2], (1, 2), strict=True):
        media_files.write_video(data / "videos" / f"{clip}.mp4", seconds=seconds)
    (data / "videos" / f"{tiny_benchmarks.CLIPS[2]}.mp4").write_bytes(b"no video")
    result = bench.run("vggss-retrieval", data, out=tmp_path / "first")
    image = result["details"]["coverage"]["sides"]["image"]
    assert {name: image[name] for name in ("found", "missing", "unreadable", "from_videos")} == {
        "found": 2, "missing": 2, "unreadable": 1, "from_videos": 3
    }  # fmt: skip
    assert "image: 3 are the middle frames of videos" in capsys.readouterr().out
    shades = [np.asarray(Image.open(path)).mean() for path in sorted((bench.root / "work" / "frames").glob("*.png"))]
    assert shades == pytest.approx([24, 50], abs=4)  # frame n has the shade 2n, and there are 25 a second
    kept = {path: path.stat().st_mtime_ns for path in (bench.root / "work" / "frames").iterdir()}
    assert bench.run("vggss-retrieval", data, out=tmp_path / "second")["scores"] == result["scores"]
    assert kept == {path: path.stat().st_mtime_ns for path in (bench.root / "work" / "frames").iterdir()}


def test_files_with_other_names_are_shown_beside_the_expected_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tiny_benchmarks.write_vggss(tmp_path / "vggss", frames=0, sounds=0)
    (data / "frames" / "frame-1.jpg").write_bytes(b"")
    out, _ = refused(capsys, "vggss-retrieval", "--data", str(data), "--check")
    assert "1 image files with other names (frame-1.jpg); expected aaaaaaaaaaa_000000" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "missing TASK: see isthmus evaluate --list"),
        (("vggss-retrieval",), "missing --data: the folder of VGGSS"),
        (("vgss",), "unknown task 'vgss': did you mean"),
        (("vggss-retrieval", "--data", "nowhere"), "nowhere: is not a folder"),
    ],
)
def test_bad_input_is_one_line(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, error = refused(capsys, *arguments)
    assert message in error


def test_row_numbers_are_not_taken_for_names_of_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "flickr_test.csv").write_text("0,1\n1,1\n2,1\n")
    for modality in ("image", "audio"):
        isthmus.Embeddings.from_array(np.eye(3), modality=modality, space="toy").save(tmp_path / "set")
    given = ["--data", str(tmp_path), "--sets", str(tmp_path / "set"), "--out", str(tmp_path / "results")]
    _, error = refused(capsys, "flickr-soundnet-retrieval", *given)
    assert "the image set of 'toy' has no ids, only row numbers" in error


def test_the_list_tells_licence_place_size_and_layout(capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.suppress(SystemExit):
        main(["evaluate", "--list"])
    out = capsys.readouterr().out
    for part in ("esc50", "CC BY-NC 3.0", "https://github.com/karolpiczak/ESC-50", "about 0.9 GB", "audio/<clip>.wav"):
        assert part in out
    main(["evaluate", "coco", "--list"])
    assert "published: C-MCR: r1 16.67 (C-MCR, Ex-MCR and OmniBind; after)" in capsys.readouterr().out
