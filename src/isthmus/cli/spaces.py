"""The spaces command."""


def spaces() -> None:
    """List the encoders: modalities, dimension, licence, default checkpoint, installed or the line that installs it."""
    from isthmus.spaces.listing import described

    print("\n".join(described()))
