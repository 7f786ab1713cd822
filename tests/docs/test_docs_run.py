"""The code of the documentation runs as it is printed, on tiny data; every public name is on an API page."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import doc_pages
import isthmus
from isthmus.cli import main
from isthmus.cli.parser import parse
from isthmus.spaces.registry import families

LATENT = 8
README = doc_pages.DOCS.parent / "README.md"


def write_vectors(folder: Path) -> None:
    """What the engineer has: vectors of the same captions from two encoders, of images and of sounds."""
    random = np.random.default_rng(0)
    captions, images, sounds = (random.standard_normal((rows, LATENT)) for rows in (120, 60, 50))
    for space, dim, own, kind in (("clip", 16, images, "images"), ("clap", 12, sounds, "sounds")):
        view = random.standard_normal((LATENT, dim))
        for name, latent in (("texts", captions), (kind, own)):
            rows = latent @ view + 0.3 * random.standard_normal((len(latent), dim))
            np.save(folder / f"{space}_{name}.npy", rows.astype(np.float32))
    for file, rows in (("captions.txt", captions), ("image_files.txt", images), ("sound_files.txt", sounds)):
        (folder / file).write_text("".join(f"{file[:5]} {row}\n" for row in range(len(rows))))


def given_vectors(folder: Path) -> dict[str, object]:
    """The names that the guide and the README take as given."""
    write_vectors(folder)
    names: dict[str, object] = {"isthmus": isthmus}
    for space in ("clip", "clap"):
        names |= {file.stem: np.load(file) for file in folder.glob(f"{space}_*.npy")}
    lines = {file.stem: file.read_text().splitlines() for file in folder.glob("*.txt")}
    images, clips = names["clip_images"], names["clap_sounds"]
    names |= {"text_a": names["clip_texts"], "text_b": names["clap_texts"], "images": images, "sounds": clips, **lines}

    def embeddings(rows: object, modality: str, space: str, ids: list[str] | None = None) -> isthmus.Embeddings:
        return isthmus.Embeddings.from_array(rows, modality=modality, space=space, ids=ids)

    captions, files = lines["captions"], lines["image_files"]
    names["clip"] = {
        "text": embeddings(names["clip_texts"], "text", "clip", captions),
        "image": embeddings(images, "image", "clip", files),
    }
    names["clap"] = {
        "text": embeddings(names["clap_texts"], "text", "clap", captions),
        "audio": embeddings(clips, "audio", "clap"),
    }
    # ULIP shares images with CLIP: the same images seen through another linear map.
    turned = images @ np.random.default_rng(1).standard_normal((images.shape[1], 20)).astype(np.float32)
    names["ulip"] = {
        "image": embeddings(turned, "image", "ulip", files),
        "points": embeddings(turned + 0.1, "points", "ulip"),
    }
    names["embeddings"] = names["clip"]["image"]
    return names


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("page", ["tutorials/engineer.md", "tutorials/researcher.md"])
def test_a_tutorial_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_vectors(tmp_path)
    doc_pages.run_page(doc_pages.DOCS / page)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("page", ["../README.md", "connect.md", "formats.md"])
def test_the_python_of_a_page_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    doc_pages.run_page(doc_pages.DOCS / page, given_vectors(tmp_path), ("python",))


@pytest.mark.slow
def test_pages_about_folders_of_media_run(tmp_path: Path) -> None:
    """One process runs them all, because importing the encoders takes longer than any of them."""
    section = tmp_path / "readme.md"
    section.write_text(README.read_text().split("## On your folders")[1].split("\n## ")[0])
    ((_, block),) = doc_pages.blocks(section)
    assert block.startswith("pip install")
    assert len(doc_pages.commands(block)) == 4
    pages = [section, doc_pages.DOCS / "tutorials" / "folder.md", doc_pages.DOCS / "embed.md"]
    of_readme, of_tutorial, _ = doc_pages.run_pages_on_media(pages, tmp_path)

    hits = [json.loads(line) for line in of_readme.splitlines() if line.startswith('{"query"')]
    assert [found["query"] for found in hits] == sorted(f"{number}.wav" for number in range(doc_pages.ITEMS))
    assert all(len(found["hits"]) == 5 and found["hits"][0]["id"].endswith(".jpg") for found in hits)
    manifest = json.loads((tmp_path / "readme" / "clip-set" / "manifest.json").read_text())
    assert manifest["modalities"]["image"]["revision"] == families()["clip"].revision

    assert (tmp_path / "folder" / "text-hits.jsonl").read_text().count('"query"') == 40
    assert sum(line.startswith('{"item"') for line in of_tutorial.splitlines()) == doc_pages.ITEMS

    assert len(isthmus.open_set(tmp_path / "embed" / "clip-set")["image"]) == doc_pages.ITEMS


def test_every_documented_command_exists_with_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.cli.app.run", parse)
    pages = [doc_pages.DOCS.parent / "README.md", *sorted(doc_pages.DOCS.rglob("*.md"))]
    lines = [line for page in pages for _, text in doc_pages.blocks(page) for line in doc_pages.commands(text)]
    for arguments in lines:
        main(arguments)
    assert len(lines) > 30


def test_every_documented_benchmark_exists_with_its_options() -> None:
    root = doc_pages.DOCS.parent
    text = "".join(page.read_text() for page in (root / "README.md", *sorted(doc_pages.DOCS.rglob("*.md"))))
    lines = re.findall(r"python (benchmarks/\w+\.py)([^#`\n]*)", text)
    assert len(lines) >= 20
    for script, arguments in lines:
        source = (root / script).read_text()
        for word in re.findall(r"--[a-z-]+|(?<= )[a-z]+(?= --|$)", arguments):
            assert word in source, f"{script} {arguments}"


def test_every_test_that_the_security_page_names_exists() -> None:
    named = re.findall(r"`(?:tests/)?(\w+/test_\w+\.py)`", (doc_pages.DOCS / "security.md").read_text())
    tests = Path(__file__).parent.parent
    assert len(named) > 20
    assert [name for name in named if not (tests / name).is_file()] == []


def test_every_public_name_has_a_place_in_the_api_pages() -> None:
    pages = "".join(page.read_text() for page in sorted((doc_pages.DOCS / "api").glob("*.md")))
    shown = re.findall(r"^::: isthmus\.(\w+)$", pages, re.MULTILINE)
    assert sorted(set(isthmus.__all__) - set(shown)) == []
    assert len(shown) == len(set(shown))
