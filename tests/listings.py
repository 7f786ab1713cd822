"""What is listed of a place, and writers of tars and Parquet files to list."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pyarrow
import pyarrow.parquet

from isthmus.media import list_media
from isthmus.media.listing.left_out import LeftOut

PNG = b"\x89PNG\r\n\x1a\n"


def listed(where: Path, modality: str, **options: object) -> tuple[list[str], LeftOut]:
    left_out = LeftOut()
    return [item.id for item in list_media(where, modality, left_out=left_out, **options)], left_out


def texts(where: Path, **options: object) -> list[tuple[str, str]]:
    return [(item.id, item.text) for item in list_media(where, "text", **options)]


def write_tar(path: Path, members: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            facts = tarfile.TarInfo(name)
            facts.size = len(content)
            archive.addfile(facts, io.BytesIO(content))
    return path


def write_parquet(path: Path, columns: Mapping[str, object], **types: object) -> Path:
    arrays = {name: pyarrow.array(cells, types.get(name)) for name, cells in columns.items()}
    pyarrow.parquet.write_table(pyarrow.table(arrays), path)
    return path
