"""Every task on five items, laid out as people have the data sets: what is missing, what is ready, and a result."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import isthmus
import media_files
from benchmark_layouts import LAYOUTS, Media
from isthmus import Embeddings
from isthmus.cli import main
from isthmus.evaluate.annotations.data import Labelled, Pairs
from isthmus.evaluate.annotations.folder import DataFolder
from isthmus.evaluate.running.zero_shot import prompt_entries
from isthmus.evaluate.tasks import task_named, tasks

IN_FRAMES = [name for name in LAYOUTS if task_named(name).kind in ("localisation", "counterfactual")]
BY_VECTORS = [name for name in LAYOUTS if name not in IN_FRAMES]


def touched(folder: Path, media: Media) -> None:
    for name in {name for own in media.values() for name in own}:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def test_every_task_has_a_layout() -> None:
    assert {task.kind for task in tasks().values() if task.name not in LAYOUTS} == {"generalisation", "pretraining"}


@pytest.mark.parametrize("name", tasks())
def test_an_empty_folder_says_what_to_get(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", name, "--data", str(tmp_path), "--check"])
    out = capsys.readouterr().out
    assert ended.value.code == 2
    assert f"get {task_named(name).data.name} from https://" in out
    assert "expected, at any depth below the folder:" in out


@pytest.mark.parametrize("name", LAYOUTS)
def test_annotations_alone_say_that_media_are_missing(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    LAYOUTS[name](tmp_path)
    with pytest.raises(SystemExit):
        main(["evaluate", name, "--data", str(tmp_path), "--check"])
    out = capsys.readouterr().out
    # Of shapes in folders named after classes, the files are the list.
    assert "0 of 5 found, 5 missing" in out or name in ("modelnet40", "scanobjectnn", "imagenet")
    assert "get " in out


@pytest.mark.parametrize("name", LAYOUTS)
def test_five_media_files_are_found(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    touched(tmp_path, LAYOUTS[name](tmp_path))
    main(["evaluate", name, "--data", str(tmp_path), "--check"])
    ready = 10 if task_named(name).kind == "counterfactual" else 5
    assert f"ready: {ready} items have all of their media" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_VECTORS)
def test_a_task_gives_a_result_from_vectors(name: str, tmp_path: Path) -> None:
    media = LAYOUTS[name](tmp_path / "data")
    touched(tmp_path / "data", media)
    task = task_named(name)
    read = task.read(DataFolder(tmp_path / "data"))
    ids = dict(media)
    if "text" in task.modalities:
        texts = read.sides["text"] if isinstance(read, Pairs) else prompt_entries(read)
        ids["text"] = list(dict.fromkeys(own.text for own in texts))
    draw = np.random.default_rng(0)
    for modality in task.modalities:
        rows = draw.standard_normal((len(ids[modality]), 8)).astype(np.float32)
        Embeddings.from_array(rows, modality=modality, space="toy", ids=ids[modality]).save(tmp_path / "set")
    given = ["--data", tmp_path / "data", "--sets", tmp_path / "set", "--out", tmp_path / "results"]
    main(["evaluate", name, *map(str, given)])
    (path,) = (tmp_path / "results").rglob("*.json")
    result = json.loads(path.read_text())
    assert result["details"]["coverage"]["scored"] == 5
    (scores,) = result["scores"]["test"]
    assert all(np.isfinite(scores[metric]) for metric in task.metrics)
    assert scores["main_score"] == scores[task.main]
    if isinstance(read, Labelled):
        assert result["details"]["subsets"]["default"]["classes"] == len(read.classes)


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_FRAMES)
def test_a_task_in_frames_gives_a_result_from_media(
    name: str, tmp_path: Path, checkpoints: Callable[[str], Path]
) -> None:
    media = LAYOUTS[name](tmp_path / "data")
    for modality, write in (("image", media_files.write_image), ("audio", media_files.write_audio)):
        for number, file in enumerate(media[modality]):
            (tmp_path / "data" / file).parent.mkdir(parents=True, exist_ok=True)
            write(tmp_path / "data" / file, seed=number)
    connector = tiny_connector(tmp_path, checkpoints)
    given = ["--data", tmp_path / "data", "--connector", connector, "--out", tmp_path / "results", "--by", "dense"]
    spaces = ["--space", f"clip:{checkpoints('clip')}", f"clap:{checkpoints('clap')}"]
    main(["evaluate", name, *map(str, given), "--work", str(tmp_path / "work"), "--workers", "0", *spaces])
    (path,) = (tmp_path / "results").rglob("*.json")
    result = json.loads(path.read_text())
    (scores,) = result["scores"]["test"]
    assert result["details"]["coverage"]["scored"] == result["details"]["coverage"]["expected"]
    assert all(np.isfinite(scores[metric]) for metric in task_named(name).metrics)


def tiny_connector(folder: Path, checkpoints: Callable[[str], Path]) -> Path:
    """Any connector of the two spaces: fitted on random texts, in closed form."""
    draw = np.random.default_rng(0)
    texts = draw.standard_normal((40, 16)).astype(np.float32)
    sides = []
    for spec, modality in (("clip", "image"), ("clap", "audio")):
        space = isthmus.load_space(f"{spec}:{checkpoints(spec)}", device="cpu")
        facts = {"space": space.name, "revision": space.revision}
        rows = {"text": texts, modality: draw.standard_normal((40, 16)).astype(np.float32)}
        sides.append(
            {name: Embeddings.from_array(own, modality=name, ids=range(40), **facts) for name, own in rows.items()}
        )
    return isthmus.connect(*sides, method="procrustes").save(folder / "joint")


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_listing_names_the_media_of_every_item_by_its_id(name: str, tmp_path: Path) -> None:
    media = LAYOUTS[name](tmp_path / "data")
    touched(tmp_path / "data", media)
    main(["evaluate", name, "--data", str(tmp_path / "data"), "--listing", str(tmp_path / "lists")])
    for table in (tmp_path / "lists").iterdir():
        rows = [json.loads(line) for line in table.read_text().splitlines()]
        assert len({row["id"] for row in rows}) == len(rows) >= 5
        if table.stem != "text":
            assert {str(Path(row["path"]).relative_to(tmp_path / "data")) for row in rows} <= set(media[table.stem])


@pytest.mark.slow
def test_sets_of_listings_meet_and_answer_the_task(tmp_path: Path, checkpoints: Callable[[str], Path]) -> None:
    media = LAYOUTS["vggss-retrieval"](tmp_path / "data")
    for modality, write in (("image", media_files.write_image), ("audio", media_files.write_audio)):
        for number, file in enumerate(media[modality]):
            (tmp_path / "data" / file).parent.mkdir(parents=True, exist_ok=True)
            write(tmp_path / "data" / file, seed=number)
    main(["evaluate", "vggss-retrieval", "--data", str(tmp_path / "data"), "--listing", str(tmp_path / "lists")])
    how = ["--column", "path", "--id-column", "id", "--allow-outside", "--workers", "0", "--device", "cpu"]
    for modality, family in (("image", "clip"), ("audio", "clap")):
        table, spec = tmp_path / "lists" / f"{modality}.jsonl", f"{family}:{checkpoints(family)}"
        main(["embed", str(table), "--space", spec, "--out", str(tmp_path / modality), "--modality", modality, *how])
    image, audio = (isthmus.open_set(tmp_path / name)[name] for name in ("image", "audio"))
    assert sorted(image.ids) == sorted(audio.ids)
    sets = ["--sets", tmp_path / "image", tmp_path / "audio", "--connector", tiny_connector(tmp_path, checkpoints)]
    given = ["--data", tmp_path / "data", "--out", tmp_path / "results", *sets]
    main(["evaluate", "vggss-retrieval", *map(str, given)])
    (path,) = (tmp_path / "results").rglob("*.json")
    assert json.loads(path.read_text())["details"]["coverage"]["scored"] == 5
