"""The convert command."""

from pathlib import Path
from typing import Literal

from isthmus.cli.folder import Folder


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
