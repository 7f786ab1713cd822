"""The spaces command."""


def spaces() -> None:
    """List the encoders: modalities, dimension, licence, default checkpoint, and how to install what is missing."""
    from isthmus.spaces.listing import described

    print("\n".join(described()))
