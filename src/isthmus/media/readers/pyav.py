"""PyAV, opened on a source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from isthmus.base.errors import IsthmusError
from isthmus.media.source import ByteSource


@contextmanager
def opened_container(source: ByteSource) -> Iterator[Any]:
    """A container that PyAV reads. Raises `IsthmusError` where PyAV is missing."""
    try:
        import av
    except ImportError as error:
        raise IsthmusError(f"{source.name}: PyAV is needed to read it: pip install 'isthmus[embed]'") from error
    av.logging.set_level(None)
    with source.open() as stream, av.open(stream, mode="r") as container:
        yield container
