"""`isthmus localize` on files: tiny CLIP, CLAP and ULIP checkpoints on disk, connectors between them, real media."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

import doc_pages
import isthmus
from isthmus.base.errors import IsthmusError
from isthmus.cli import main
from isthmus.codes.model.config import CodesConfig
from isthmus.codes.model.model import CodeModel
from isthmus.codes.model.view import View
from isthmus.connectors.connector import Connector
from isthmus.localize import load_detector
from isthmus.localize.opening import open_spaces
from isthmus.media import read_image
from isthmus.spaces import Space
from media_files import write_audio, write_cloud, write_image

TEXTS = [f"{number} {word}" for number in range(20) for word in ("dogs", "trains")]


@pytest.fixture(scope="module")
def spaces(checkpoints: Callable[[str], Path]) -> dict[str, Space]:
    return {name: isthmus.load_space(f"{name}:{checkpoints(name)}", device="cpu") for name in ("clip", "clap")}


@pytest.fixture(scope="module")
def folder(spaces: dict[str, Space], checkpoints: Callable[[str], Path], tmp_path_factory) -> Path:
    """A connector of both spaces through texts, a photo, a sound, and a set of other sounds."""
    place = tmp_path_factory.mktemp("files")
    texts = {name: space.encode(TEXTS, modality="text") for name, space in spaces.items()}
    sounds = [write_audio(place / f"{number}.wav", 1.0, seed=number) for number in range(24)]
    heard = spaces["clap"].encode(sounds, modality="audio")
    photos = [np.random.default_rng(seed).integers(0, 255, (40, 40, 3), np.uint8) for seed in range(12)]
    seen = spaces["clip"].encode(photos, modality="image")
    left, right = {"text": texts["clip"], "image": seen}, {"text": texts["clap"], "audio": heard}
    isthmus.connect(left, right, overlap="text", method="procrustes").save(place / "joint")
    heard.save(place / "sounds")
    write_image(place / "photo.png", size=(90, 48))
    write_audio(place / "query.wav", 1.0, seed=77)
    return place


def given(folder: Path, checkpoints: Callable[[str], Path], *more: str) -> list[str]:
    encoders = [f"{name}:{checkpoints(name)}" for name in ("clip", "clap")]
    return [
        *("localize", str(folder / "photo.png"), "--query", str(folder / "query.wav")),
        *("--connector", str(folder / "joint"), "--space", *encoders, *more),
    ]


def printed(capsys: pytest.CaptureFixture[str]) -> dict:
    return json.loads(capsys.readouterr().out)


def test_a_sound_is_looked_for_in_a_photo(folder: Path, spaces, checkpoints, capsys, tmp_path: Path) -> None:
    files = ["--overlay", str(tmp_path / "o.png"), "--heat", str(tmp_path / "h.npy")]
    main(given(folder, checkpoints, *files, "--unrelated", str(folder / "sounds")))
    found = printed(capsys)

    connector = Connector.load(folder / "joint")
    query = connector.project(spaces["clap"].encode([folder / "query.wav"], modality="audio")).vectors[0]
    photo, best = read_image(folder / "photo.png"), []
    for left in (0, 42):
        own = spaces["clip"].encode_tokens([photo.crop((left, 0, left + 48, 48))], modality="image")
        rows = isthmus.Embeddings.from_array(own.vectors, modality="image", space=own.space)
        best.append((connector.project(rows).vectors @ query).reshape(4, 4))
    assert min(map(np.min, best)) <= found["score"] <= max(map(np.max, best)) + 1e-4
    assert 0 < found["confidence"] < 1
    assert found["unit"] == "pixels"
    assert found["regions"][0] == {"region": found["region"], "score": found["score"]}
    heat = np.load(tmp_path / "h.npy")
    assert heat.shape == (48, 90)
    x, y = found["peak"]
    assert heat[int(y), int(x)] >= np.quantile(heat, 0.9)
    with Image.open(tmp_path / "o.png") as drawn:
        assert drawn.size == (90, 48)


def test_a_photo_can_be_searched_by_text_and_by_photo_through_one_encoder(folder, checkpoints, capsys) -> None:
    encoder = ["--space", f"clip:{checkpoints('clip')}"]
    for query in ("a dog", str(folder / "photo.png")):
        main(["localize", str(folder / "photo.png"), "--query", query, *encoder])
        assert printed(capsys)["query"] == query


def test_proposals_are_the_boxes_of_a_detector_or_windows(folder, checkpoints, capsys) -> None:
    main(given(folder, checkpoints, "--by", "proposals"))
    windows = printed(capsys)
    detector = load_detector(str(checkpoints("yolos")), device="cpu", least=0.0)
    boxes = detector.boxes(read_image(folder / "photo.png"))
    assert boxes.shape == (5, 4)
    main(given(folder, checkpoints, "--by", "proposals", "--detector", str(checkpoints("yolos"))))
    detected = printed(capsys)
    whole = [0.0, 0.0, 90.0, 48.0]
    seen = [whole, *np.clip(boxes, 0, [90, 48, 90, 48]).round(3).tolist()]
    assert all(min(np.abs(np.subtract(one["region"], box)).max() for box in seen) < 0.01 for one in detected["regions"])
    assert windows["region"] not in seen[1:]


def test_a_detector_without_a_head_is_refused(checkpoints: Callable[[str], Path], tmp_path: Path) -> None:
    model = transformers.YolosModel.from_pretrained(checkpoints("yolos"))
    model.save_pretrained(tmp_path)
    with pytest.raises(IsthmusError, match=r"has no weights for .*: give a detector"):
        load_detector(str(tmp_path), device="cpu")
    with pytest.raises(IsthmusError, match="cannot be loaded"):
        load_detector(str(checkpoints("clip")), device="cpu")


def test_the_python_of_the_guide_runs(
    folder: Path, spaces: dict[str, Space], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(isthmus, "load_space", spaces.__getitem__, raising=False)
    Connector.load(folder / "joint").save("clip-clap")
    for number, name in enumerate(("street", "field")):
        write_image(tmp_path / f"{name}.jpg", number)
    for number, name in enumerate(("siren", "cow")):
        write_audio(tmp_path / f"{name}.wav", 1.0, seed=number)
    names: dict[str, object] = {}
    doc_pages.run_page(doc_pages.DOCS / "localize.md", names, ("python",))
    assert (tmp_path / "where.png").is_file()
    assert np.shape(names["cious"]) == (1,)


def test_a_text_is_looked_for_in_a_sound(folder: Path, checkpoints, capsys) -> None:
    sound = folder / "long.wav"
    write_audio(sound, 6.0)
    main(["localize", str(sound), "--query", "a dog", "--space", f"clap:{checkpoints('clap')}"])
    found = printed(capsys)
    assert found["unit"] == "seconds"
    ends = [end for one in found["regions"] for end in one["region"]]
    assert min(ends) >= 0
    assert max(ends) <= 6.001
    assert all(start < end for start, end in (one["region"] for one in found["regions"]))
    drawn = str(folder / "o.png")
    with pytest.raises(SystemExit):
        main(["localize", str(sound), "--query", "a dog", "--space", f"clap:{checkpoints('clap')}", "--overlay", drawn])
    assert "--overlay is for images, not for" in capsys.readouterr().err


@pytest.mark.slow
def test_a_point_cloud_is_looked_for_in_a_photo(folder: Path, spaces, checkpoints, capsys, tmp_path: Path) -> None:
    checkpoint, draw = checkpoints("ulip_file") / "ulip.pt", np.random.default_rng(0)
    photos = [*draw.integers(0, 255, (40, 40, 40, 3), np.uint8)]
    seen = spaces["clip"].encode(photos, modality="image", ids=range(40))
    kind = {"space": "ulip:ulip", "ids": range(40)}
    solid = {
        "image": isthmus.Embeddings.from_array(seen.vectors @ draw.normal(size=(16, 512)), modality="image", **kind),
        "points": isthmus.Embeddings.from_array(draw.normal(size=(40, 512)), modality="points", **kind),
    }
    texts = spaces["clip"].encode(TEXTS, modality="text")
    joint = isthmus.connect({"image": seen, "text": texts}, solid, overlap="image", method="procrustes")
    joint.save(tmp_path / "solids")
    cloud = write_cloud(tmp_path / "chair.npy", 520)
    encoders = ["--space", f"clip:{checkpoints('clip')}", f"ulip:{checkpoint}"]
    photo, connector = str(folder / "photo.png"), str(tmp_path / "solids")
    main(["localize", photo, "--query", str(cloud), "--connector", connector, *encoders])
    assert printed(capsys)["unit"] == "pixels"


def test_codes_are_looked_for_in_a_photo(folder: Path, spaces, checkpoints, capsys, tmp_path: Path) -> None:
    views = {
        "image": View("image", spaces["clip"].name, dim=16, pooled_dim=16),
        "audio": View("audio", spaces["clap"].name, dim=16, pooled_dim=16),
    }
    model = CodeModel(views, CodesConfig(codes=6, code_dim=4)).eval()
    model.codebook.start_normal(torch.Generator().manual_seed(0))
    model.save(tmp_path / "codes")
    encoders = [f"{name}:{checkpoints(name)}" for name in ("clip", "clap")]
    photo, query = str(folder / "photo.png"), str(folder / "query.wav")
    codes = ["--by", "codes", "--codes", str(tmp_path / "codes"), "--space", *encoders]
    main(["localize", photo, "--query", query, *codes])
    found = printed(capsys)
    assert 0 <= found["score"] <= 1
    assert found["unit"] == "pixels"
    main(["localize", query, "--query", photo, *codes])
    assert printed(capsys)["unit"] == "seconds"


def test_an_official_connector_takes_any_checkpoint_of_its_families(shared_data: Path, checkpoints) -> None:
    official = Connector.load(shared_data / "cmcr_official" / "ulip_clip.pt")
    (opened,) = open_spaces(official, [f"clip:{checkpoints('clip')}"], ["image", "text"])
    assert opened.name == "clip:clip"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("--query", "no.wav"), "no.wav: not found: give an existing file"),
        (("--by", "tokens"), "--by must be dense, proposals or codes for a file"),
        (("--by", "codes"), "--by codes needs --codes"),
        (("--query", " "), "--query must be a file or a text"),
        (("--part", "0", "1"), "--part is for sets"),
        (("--detector", "x"), "--by must be proposals with --detector"),
        (("--queries", "set"), "--connector is for files"),
        (("--overlay", "o.jpg"), "--overlay must be a .png file"),
        (("--heat", "h.txt"), "--heat must be a .npy file"),
        (("--query-modality", "points"), "no encoder of points (there is clip"),
    ],
)
def test_options_that_do_not_fit_are_named(folder, checkpoints, capsys, change: tuple, said: str) -> None:
    with pytest.raises(SystemExit):
        main([*given(folder, checkpoints), *change])
    assert said in capsys.readouterr().err


def test_encoders_that_are_not_the_connected_ones_are_named(folder: Path, checkpoints, capsys) -> None:
    photo, joint = str(folder / "photo.png"), str(folder / "joint")
    for more, said in (
        ([], "'clip:clip' is not the default checkpoint: say where it is with --space"),
        (
            ["--space", f"siglip2:{checkpoints('siglip2')}"],
            "gives the space 'siglip2:siglip2', but those connected are",
        ),
    ):
        with pytest.raises(SystemExit):
            main(["localize", photo, "--query", "a dog", "--connector", joint, *more])
        assert said in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["localize", str(folder), "--query", "a dog"])
    assert "is a folder; for a code model give --queries and --gallery" in capsys.readouterr().err
