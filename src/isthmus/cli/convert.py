"""The convert command."""

from pathlib import Path
from typing import Literal

from isthmus.cli.interruption import kept_on_interrupt


def convert(
    source: Path,
    *,
    out: Path,
    modality: str,
    space: str,
    vectors_column: str = "embedding",
    id_column: str | None = None,
    ids: Path | None = None,
    row_ids: bool = False,
    dtype: Literal["float16", "float32"] = "float16",
    revision: str = "",
) -> None:
    """Convert vectors you already have into an embedding set: NumPy, Parquet or a clip-retrieval folder.

    Run it once per modality with the same --out. After an interruption, run it again to continue.

    Args:
        source: An .npy file, a Parquet file or folder of Parquet files, or a folder written by clip-retrieval.
        out: Folder of the embedding set.
        modality: What the vectors represent: text, image, audio, video, points or a name of your own.
        space: Name of the model that produced the vectors.
        vectors_column: Parquet column that holds the vectors.
        id_column: Parquet column that holds the ids, also in a clip-retrieval folder; by default id (a folder: the
            first of id, key, image_path, url; the caption of a text).
        ids: Text file with one id per line, for .npy input; without it rows have no ids.
        row_ids: Take row numbers for ids: row i is the same item as row i of other sources.
        dtype: Precision on disk.
        revision: Revision of the model, recorded in the manifest.
    """
    from isthmus.embeddings import convert, inspect_set

    with kept_on_interrupt(lambda: f"finished shards are in {out}; run the same command again to continue"):
        convert(
            source,
            out,
            modality=modality,
            space=space,
            vectors_column=vectors_column,
            id_column=id_column,
            ids=ids,
            row_ids=row_ids,
            dtype=dtype,
            revision=revision,
        )
    print(inspect_set(out, verify=False))
    print(f"\nembeddings: {out}")
