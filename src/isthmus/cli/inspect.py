"""The inspect command."""

from isthmus.cli.folder import Folder


def inspect(path: Folder, verify: bool = False) -> None:
    """Say what an embedding set holds.

    Args:
        path: Folder of an embedding set, also one written by clip-retrieval.
        verify: Read every shard and compare it with its recorded hash.
    """
    from isthmus.embeddings import inspect_set

    print(inspect_set(path, verify=verify))
