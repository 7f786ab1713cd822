"""The inspect command."""

from pathlib import Path


def inspect(path: Path, *, verify: bool = False) -> None:
    """Show what an embedding set contains.

    Args:
        path: Folder of an embedding set; folders written by clip-retrieval work too.
        verify: Read every shard and check it against its recorded hash.
    """
    from isthmus.embeddings import inspect_set

    print(inspect_set(path, verify=verify))
