"""The README's commands on folders as they stand: tiny checkpoints lie where the hub's cache keeps the real ones."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import media_files
import tiny_checkpoints
from isthmus.spaces.registry import families

README = Path(__file__).parents[2] / "README.md"


def commands() -> list[list[str]]:
    """The lines of the block under "On your folders"."""
    section = README.read_text().split("## On your folders")[1].split("\n## ")[0]
    block = re.search(r"```\n(.*?)```", section, re.DOTALL)
    assert block is not None
    return [shlex.split(line) for line in block[1].splitlines() if line]


def test_photos_and_sounds_from_nothing_to_search(tmp_path: Path) -> None:
    install, *rest = commands()
    assert len(rest) == 4
    assert install[:2] == ["pip", "install"]
    for name, write in (("clip", tiny_checkpoints.write_clip), ("clap", tiny_checkpoints.write_clap)):
        family = families()[name]
        tiny_checkpoints.in_hub_cache(tmp_path / "hf", family.checkpoint, family.revision, write)
    for folder in ("photos", "sounds"):
        (tmp_path / folder).mkdir()
    for number in range(14):
        media_files.write_picture(tmp_path / "photos" / f"{number}.jpg", number)
        media_files.write_sound(tmp_path / "sounds" / f"{number}.wav", 1.0, seed=number)
    environment = {**os.environ, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"}
    for name, *arguments in rest:
        assert name == "isthmus"
        done = subprocess.run(
            [sys.executable, "-m", "isthmus", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    hits = [json.loads(line) for line in done.stdout.splitlines()]
    assert [found["query"] for found in hits] == sorted(f"{number}.wav" for number in range(14))
    assert all(len(found["hits"]) == 5 and found["hits"][0]["id"].endswith(".jpg") for found in hits)
    manifest = json.loads((tmp_path / "clip-set" / "manifest.json").read_text())
    assert manifest["modalities"]["image"]["revision"] == families()["clip"].revision
