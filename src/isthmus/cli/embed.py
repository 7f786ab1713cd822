"""The embed command."""

from pathlib import Path

from isthmus.base.errors import IsthmusError
from isthmus.bulk.config import EmbedConfig
from isthmus.cli.interruption import kept_on_interrupt


def embed(
    *media: Path,
    out: Path,
    space: str,
    modality: str | None = None,
    options: EmbedConfig = EmbedConfig(),  # noqa: B008
) -> None:
    """Embed images, audio, video, text or point clouds with an encoder.

    Items that are in the set already are skipped, changed ones are embedded again. After an interruption, run the same
    command again to continue. Items that cannot be read are listed in errors.parquet.

    Args:
        *media: What to embed, one modality each: a folder, a list of paths (.txt), a table (.csv, .jsonl, .parquet), a
            WebDataset shard (.tar), a saved Hugging Face dataset, or the word everyday for the built-in list of texts.
        out: Folder of the embedding set.
        space: Encoder from isthmus spaces, or FAMILY:CHECKPOINT for another checkpoint of that family (a hub name or a
            path).
        modality: Modality of the items; needed if the files do not tell.
    """
    from isthmus.bulk.embed import embed_each

    rows = 0
    with kept_on_interrupt(lambda: f"finished shards are in {out}; run the same command again to continue"):
        for summary in embed_each(media, out, space=space, modality=modality, config=options):
            print(summary)
            rows += summary.rows
    if rows == 0:
        raise IsthmusError(f"{out}: nothing could be read, so the set is empty: see errors.parquet in it")
    print(f"\nembeddings: {out}")
    print(f"next: {_next(out)}")


def _next(out: Path) -> str:
    """A set of one modality can be searched with; one that also has an overlap can be connected."""
    from isthmus.embeddings import open_set

    modalities = list(open_set(out))
    if len(modalities) == 1:
        search = f"isthmus search CONNECTOR --queries {out} --gallery SET"
        return f"{search}, or embed a second modality into {out} to connect it"
    overlap = "text" if "text" in modalities else modalities[0]
    return f"isthmus connect {out} ANOTHER_SET --overlap {overlap} --out DIR"
