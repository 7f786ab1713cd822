"""The embed command."""

from collections.abc import Sequence
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
    command again to continue. Items that cannot be read are listed in errors.parquet. The last line of each job
    accounts for everything found: embedded, already there, failed, cut, doubled, skipped or left out.

    Args:
        *media: What to embed, one modality each: a folder, a list of paths (.txt), a table (.csv, .tsv, .jsonl,
            .parquet), a WebDataset shard (.tar) or a folder of them, a saved Hugging Face dataset, or the word everyday
            for the built-in list of texts.
        out: Folder of the embedding set.
        space: Encoder from isthmus spaces, or FAMILY:CHECKPOINT for another checkpoint of that family (a hub name or a
            path).
        modality: Modality of the items; needed if the files do not tell.
    """
    from isthmus.bulk.embed import embed as embed_media

    rows = 0
    modalities = _modalities(media, space, modality)
    with kept_on_interrupt(lambda: f"finished shards are in {out}; run the same command again to continue"):
        for place, kind in zip(media, modalities, strict=True):
            summary = embed_media(place, out, space=space, modality=kind, config=options, progress=True)
            print(summary)
            rows += summary.rows
    if rows == 0:
        raise IsthmusError(f"{out}: nothing could be read, so the set is empty: see errors.parquet in it")
    print(f"\nembeddings: {out}")
    print(f"next: {_next(out)}")


def _modalities(media: Sequence[Path], space: str, modality: str | None) -> list[str]:
    """The modality of each input; all must differ."""
    from isthmus.bulk.modality import modality_at
    from isthmus.spaces.registry import parse

    if not media:
        raise IsthmusError("nothing to embed: give a folder, a list, a table, a .tar or a dataset")
    family, _, _ = parse(space)
    found = [modality or modality_at(place, family) for place in media]
    twice = next((kind for kind in found if found.count(kind) > 1), None)
    if twice is not None:
        raise IsthmusError(f"several inputs contain {twice}: combine them in one folder, list or table")
    return found


def _next(out: Path) -> str:
    """A set of one modality can be searched with; one that also has an overlap can be connected."""
    from isthmus.embeddings import open_set

    modalities = list(open_set(out))
    if len(modalities) == 1:
        search = f"isthmus search CONNECTOR --queries {out} --gallery SET"
        return f"{search}, or embed a second modality into {out} to connect it"
    overlap = "text" if "text" in modalities else modalities[0]
    return f"isthmus connect {out} ANOTHER_SET --overlap {overlap} --out DIR"
