"""Commands that make embedding sets and look into them: spaces, embed, convert, inspect."""

from pathlib import Path
from typing import Annotated, Literal

import tyro

from isthmus.base.errors import IsthmusError
from isthmus.bulk.config import EmbedConfig
from isthmus.cli.folder import Folder


def inspect(path: Folder, verify: bool = False) -> None:
    """Say what an embedding set holds.

    Args:
        path: Folder of an embedding set, also one written by clip-retrieval.
        verify: Read every shard and compare it with its recorded hash.
    """
    from isthmus.embeddings import inspect_set

    print(inspect_set(path, verify=verify))


def convert(
    source: Folder,
    out: Path,
    modality: str,
    space: str,
    vectors_column: str = "embedding",
    id_column: str = "id",
    ids: Path | None = None,
    dtype: Literal["float16", "float32"] = "float16",
    revision: str = "",
) -> None:
    """Make an embedding set of vectors from elsewhere: NumPy, Parquet, or a folder that clip-retrieval wrote.

    Args:
        source: An .npy file of rows, a Parquet file or a folder of them, or a clip-retrieval folder.
        out: Folder of the embedding set; run once for each modality. Interrupted, run again to go on.
        modality: What the vectors show: text, image, audio ...
        space: The model that made them; vectors of one space can be compared.
        vectors_column: Parquet column that holds a list of numbers a row.
        id_column: Parquet column that holds ids.
        ids: For .npy: a text file with one id a line; without it rows are numbered.
        dtype: Precision on disk.
        revision: The model's revision, to be kept in the manifest.
    """
    from isthmus.embeddings import convert, inspect_set

    convert(
        source,
        out,
        modality=modality,
        space=space,
        vectors_column=vectors_column,
        id_column=id_column,
        ids=ids,
        dtype=dtype,
        revision=revision,
    )
    print(inspect_set(out, verify=False))


def spaces() -> None:
    """List the encoders: modalities, dimension, licence, default checkpoint, installed or the line that installs it."""
    from isthmus.spaces.listing import described

    print("\n".join(described()))


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
