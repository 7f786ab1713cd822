"""Make the sheets of drawings that ship with the package from freely licensed sets of emoji.

    pip install cairosvg                                     # the only thing isthmus itself does not need
    python scripts/make_things_drawings.py                   # needs npm, and about 300 MB in a temporary folder
    python scripts/make_things_drawings.py --packages FOLDER # with the packages that `npm pack` wrote there

Each thing's emoji is cropped and centred in 64 × 64 pixels in every style, as drawings of users are, and each style
becomes one WebP with transparency. Packages are pinned by version and SHA-256. Pixels are the same on every machine,
because WebP is decoded exactly; another version of Pillow may encode other files. assets/LICENCES.md has the terms.
"""

import argparse
import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cairosvg
import numpy as np
from PIL import Image

from isthmus.worlds.things.drawings.framing import SIZE, framed
from isthmus.worlds.things.drawings.naming import code_points, without_variation
from isthmus.worlds.things.drawings.sheet import laid_out
from isthmus.worlds.things.drawings.shipped import ASSETS, INDEX
from isthmus.worlds.things.things import things

DRAWN_SIZE = 256
"""Pixels of a rasterised SVG, before it is scaled down."""
QUALITY, ALPHA_QUALITY = 80, 70
CC_BY = "CC-BY-4.0"


@dataclass(frozen=True)
class Style:
    """Where a style comes from, and under which terms."""

    name: str
    title: str
    package: str
    version: str
    sha256: str
    folder: str
    licence: str
    attribution: str


STYLES = (
    Style(
        "fluent-3d",
        "Fluent Emoji, 3D",
        "@lobehub/fluent-emoji-3d",
        "1.1.0",
        "c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58",
        "package/assets/",
        "MIT",
        "Fluent Emoji, Copyright (c) Microsoft Corporation; packaged by LobeHub, Copyright (c) 2023 LobeHub",
    ),
    Style(
        "fluent-flat",
        "Fluent Emoji, flat",
        "@lobehub/fluent-emoji-flat",
        "1.1.0",
        "8f9113c027c7c20eced0070354715a4093a459b8bef6332b91d45f38c9bdb147",
        "package/assets/",
        "MIT",
        "Fluent Emoji, Copyright (c) Microsoft Corporation; packaged by LobeHub, Copyright (c) 2023 LobeHub",
    ),
    Style(
        "noto",
        "Noto Emoji",
        "emoji-datasource-google",
        "16.0.0",
        "fb5fd131b362aab7a55542d2a147a79708cce0a8b1c1bbacd470172708b5c438",
        "package/img/google/64/",
        "Apache-2.0",
        "Noto Emoji, Copyright Google LLC; packaged by Cal Henderson",
    ),
    Style(
        "emojione",
        "EmojiOne 2",
        "emojione",
        "2.2.7",
        "5fe002738e6e276f49ac37783799d2feab99a6131fdedccfa56569d745449ae5",
        "package/assets/png_128x128/",
        CC_BY,
        "Emoji artwork provided free by Emoji One (http://emojione.com), CC BY 4.0",
    ),
    Style(
        "twemoji",
        "Twemoji",
        "emoji-datasource-twitter",
        "16.0.0",
        "f64a530c63bca463bd8317fdc4615ce63a53a0c65018e4ce2d848aaba7a28877",
        "package/img/twitter/64/",
        CC_BY,
        "Twemoji, Copyright Twitter, Inc. and other contributors, CC BY 4.0; packaged by Cal Henderson",
    ),
)


def archive(style: Style, folder: Path) -> Path:
    """The package in the folder, fetched if it is not there, and checked."""
    path = folder / f"{style.package.removeprefix('@').replace('/', '-')}-{style.version}.tgz"
    if not path.exists():
        subprocess.run(["npm", "pack", "--silent", f"{style.package}@{style.version}"], cwd=folder, check=True)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != style.sha256:
        raise SystemExit(f"{path}: its sha256 is {found}, not {style.sha256}: fetch it again")
    return path


def images(path: Path, folder: str) -> Iterator[tuple[str, bytes]]:
    """Code points and content of the images in one folder of a package."""
    with tarfile.open(path) as package:
        for member in package:
            place = Path(member.name)
            if member.isfile() and f"{place.parent}/" == folder and place.suffix in (".png", ".webp", ".svg"):
                file = package.extractfile(member)
                assert file is not None
                yield without_variation(place.stem), file.read()


def picture(content: bytes) -> Image.Image:
    """An image file, or an SVG, in RGBA."""
    if content.lstrip().startswith(b"<"):
        content = cairosvg.svg2png(bytestring=content, output_width=DRAWN_SIZE, output_height=DRAWN_SIZE)
    return Image.open(io.BytesIO(content)).convert("RGBA")


def written(style: Style, path: Path) -> dict[str, object]:
    """Write the sheet of one style; its entry in the index."""
    numbers = {code_points(thing.emoji): number for number, thing in enumerate(things())}
    cells = np.zeros((len(numbers), SIZE, SIZE, 4), np.uint8)
    for name, content in images(path, style.folder):
        if name in numbers:
            drawing = framed(picture(content))
            assert drawing is not None, f"{path}: {name} shows nothing"
            cells[numbers[name]] = drawing
    sheet = ASSETS / f"{style.name}.webp"
    Image.fromarray(laid_out(cells)).save(sheet, quality=QUALITY, alpha_quality=ALPHA_QUALITY, method=6)
    return {
        "name": style.name,
        "title": style.title,
        "file": sheet.name,
        "sha256": hashlib.sha256(sheet.read_bytes()).hexdigest(),
        "package": style.package,
        "version": style.version,
        "package_sha256": style.sha256,
        "licence": style.licence,
        "attribution": style.attribution,
        "lacks": [thing.name for thing, cell in zip(things(), cells, strict=True) if not cell.any()],
    }


def main() -> None:
    """Write the sheets and their index."""
    parser = argparse.ArgumentParser(description="Make the sheets of drawings that ship with the package.")
    parser.add_argument("--packages", type=Path, help="a folder with the packages; without it they are fetched")
    given = parser.parse_args().packages
    ASSETS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        entries = [written(style, archive(style, given or Path(temporary))) for style in STYLES]
    index = {"made_by": Path(__file__).name, "things": [thing.name for thing in things()], "styles": entries}
    (ASSETS / INDEX).write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for style, entry in zip(STYLES, entries, strict=True):
        size = (ASSETS / f"{style.name}.webp").stat().st_size
        print(f"{style.name}: {size / 1e6:.2f} MB, lacks {len(entry['lacks'])} things")  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
