"""Code blocks of documentation pages, and what runs them: Python in one namespace, `isthmus` lines as commands.

``python doc_pages.py PAGE`` runs a page in the current folder, in a process of its own.
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
ALL = ("python", "bash", "")
"""Languages of blocks that can be run."""
SHORTER = {("codes", "train"): ["--restarts", "1", "--optimisation.min-steps", "20"]}
"""Options that keep a command short in tests."""


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
            exec(compile(text, page.name, "exec"), names)
        elif language in languages:
            for arguments in commands(text):
                main([*arguments, *SHORTER.get(tuple(arguments[:2]), [])])


def run_page_on_media(page: Path, folder: Path) -> str:
    """Run a page in a process of its own, in a folder of photos, sounds and captions; returns what it prints.

    Tiny checkpoints of CLIP and CLAP are where the cache of the hub keeps the real ones.
    """
    import media_files
    import tiny_checkpoints
    from isthmus.spaces.registry import families

    for name, write in (("clip", tiny_checkpoints.write_clip), ("clap", tiny_checkpoints.write_clap)):
        family = families()[name]
        tiny_checkpoints.in_hub_cache(folder / "hf", family.checkpoint, family.revision, write)
    for kind in ("photos", "sounds"):
        (folder / kind).mkdir()
    for number in range(ITEMS):
        media_files.write_image(folder / "photos" / f"{number}.jpg", number)
        media_files.write_audio(folder / "sounds" / f"{number}.wav", 1.0, seed=number)
    (folder / "captions.txt").write_text("".join(f"a photo of {number} dogs\n" for number in range(40)))
    done = subprocess.run(
        [sys.executable, __file__, str(page)],
        cwd=folder,
        env={**os.environ, "HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


if __name__ == "__main__":
    run_page(Path(sys.argv[1]))
