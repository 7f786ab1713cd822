"""PyAV, the decoder of videos and of audio that soundfile does not know, opened on a source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from isthmus.base.errors import IsthmusError
from isthmus.media.source import ByteSource


@contextmanager
def opened_container(source: ByteSource) -> Iterator[Any]:
    """Open a PyAV container. Raises `IsthmusError` if PyAV is not installed."""
    try:
        import av
    except ImportError as error:
        raise IsthmusError(f"{source.name}: reading it needs PyAV: pip install 'isthmus[embed]'") from error
    av.logging.set_level(None)
    with source.open() as stream, av.open(stream, mode="r") as container:
        yield container
