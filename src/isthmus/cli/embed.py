"""The embed command."""

from pathlib import Path
from typing import Annotated

import tyro

from isthmus.base.errors import IsthmusError
from isthmus.bulk.config import EmbedConfig


def embed(
    where: Annotated[tuple[Path, ...], tyro.conf.Positional],
    out: Path,
    space: str,
    modality: str | None = None,
    *,
    options: Annotated[EmbedConfig, tyro.conf.arg(name="")] = EmbedConfig(),  # noqa: B008
) -> None:
    """Embed pictures, sounds, videos, texts or point clouds through an encoder; run again to go on, or after changes.

    Args:
        where: Folders, lists of paths (.txt), tables (.csv, .jsonl, .parquet), WebDataset shards (.tar), saved
            Hugging Face datasets, texts; each of one modality. everyday stands for the package's own list of texts.
        out: Folder of the embedding set.
        space: An encoder that isthmus spaces lists, or family:checkpoint for another of its kind (a hub name or path).
        modality: What the items are; needed where the files do not say.
    """
    from isthmus.bulk.embed import embed_each

    rows = 0
    for summary in embed_each(where, out, space=space, modality=modality, config=options):
        print(summary)
        rows += summary.rows
    if rows == 0:
        raise IsthmusError(f"{out}: holds no rows, since nothing could be read: see errors.parquet in it")
    print(f"\nembeddings: {out}")
    print(f"next: isthmus connect {out} ANOTHER_SET --overlap text --out DIR")
