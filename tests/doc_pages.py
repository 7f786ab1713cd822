"""Code blocks of documentation pages, and what runs them: Python in one namespace, `isthmus` lines as commands.

``python doc_pages.py FOLDER/PAGE ...`` runs each page in its folder, in a process of its own.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
ITEMS = 14
END_OF_PAGE = "\f"
ALL = ("python", "bash", "")
"""Languages of blocks that can be run."""
SHORTER = {
    ("codes", "train"): ["--restarts", "1", "--optimisation.min-steps", "20"],
    ("embed",): ["--workers", "0"],  # tests/bulk runs the command with decoding processes
    ("evaluate",): ["--workers", "0"],
    ("connect", "cmcr"): ["--optimisation.epochs", "1", "--optimisation.min-steps", "10"],
}
"""Options that keep a command short in tests, by words that it has."""
SHORTER_PYTHON = {"min_steps=60": "min_steps=5"}
"""Replacements that keep the Python of a page short in tests."""


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of every fenced block, in order."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[list[str]]:
    """The arguments of every `isthmus` line of a block; others, such as `pip install`, are left out."""
    lines = text.replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("isthmus ")]


def run_page(page: Path, names: dict[str, object] | None = None, languages: Sequence[str] = ALL) -> None:
    """Run a page's blocks in order, as a reader would; ``names`` are those that the page takes as given."""
    from isthmus.cli import main

    names = {} if names is None else names
    for language, text in blocks(page):
        if language == "python" and language in languages:
            for long, short in SHORTER_PYTHON.items():
                text = text.replace(long, short)
            exec(compile(text, page.name, "exec"), names)
        elif language in languages:
            for arguments in commands(text):
                main([*arguments, *shorter(arguments)])


def shorter(arguments: Sequence[str]) -> list[str]:
    """The options that keep a command short."""
    return next((options for words, options in SHORTER.items() if set(words) <= set(arguments)), [])


def run_pages_on_media(pages: Sequence[Path], folder: Path) -> list[str]:
    """Run pages in one process, each in its own folder of photos, sounds and captions; returns what each one prints.

    Tiny checkpoints of CLIP and CLAP are where the cache of the hub keeps the real ones.
    """
    import media_files
    import tiny_checkpoints
    from isthmus.spaces.registry import families

    for name, write in (("clip", tiny_checkpoints.write_clip), ("clap", tiny_checkpoints.write_clap)):
        family = families()[name]
        tiny_checkpoints.in_hub_cache(folder / "hf", family.checkpoint, family.revision, write)
    copies = [folder / page.stem / page.name for page in pages]
    for page, copy in zip(pages, copies, strict=True):
        for kind in ("photos", "sounds"):
            (copy.parent / kind).mkdir(parents=True)
        for number in range(ITEMS):
            media_files.write_image(copy.parent / "photos" / f"{number}.jpg", number)
            media_files.write_audio(copy.parent / "sounds" / f"{number}.wav", 1.0, seed=number)
        (copy.parent / "captions.txt").write_text("".join(f"a photo of {number} dogs\n" for number in range(40)))
        copy.write_bytes(page.read_bytes())
    return run_offline(Path(__file__), copies, folder / "hf")


def run_offline(script: Path, arguments: Sequence[Path], hub: Path) -> list[str]:
    """Run a script that runs pages, with this cache of the hub and no network; what each page prints."""
    done = subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        env={**os.environ, "HF_HOME": str(hub), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split(END_OF_PAGE)[:-1]


if __name__ == "__main__":
    for place in map(Path, sys.argv[1:]):
        os.chdir(place.parent)
        run_page(place)
        print(end=END_OF_PAGE)
