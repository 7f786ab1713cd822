"""Remote files: fetched whole, from known kinds of addresses, within limits on their size and time."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from io import BufferedIOBase
from typing import Any

from isthmus.base.errors import IsthmusError
from isthmus.media.source import MOST_BYTES, UnreadableError

BLOCK = 2**20
REMOTE_SECONDS, SILENT_SECONDS = 300.0, 30.0
"""How long a remote file may take, and how long a server may be silent."""
WEB = ("http", "https")
STORES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "hf", "memory")
"""What fsspec may open. It knows others that run programs, unpack archives or read local files."""
KEPT = "%/:=&?~#+!$,;'@()*[]"
"""Characters of a URI that stay as they are; blanks and letters beyond ASCII are escaped."""


@dataclass(frozen=True)
class Remote:
    """A URI: http and https, and the stores that fsspec opens."""

    name: str

    def open(self) -> BufferedIOBase:
        """Fetch the bytes. Raises `UnreadableError` if they are too many or too late, or its kind may not be opened."""
        scheme = self.name.partition("://")[0].lower()
        if scheme in WEB:
            with _opened_web(self.name) as response:
                content = _fetched(self.name, response.read1)
                if response.length:
                    raise UnreadableError(f"{self.name}: the connection ended {response.length} bytes too early")
                return content
        if scheme not in STORES or "::" in self.name:
            raise UnreadableError(f"{self.name}: such URIs are not read, only {'://, '.join((*WEB, *STORES))}://")
        try:
            import fsspec
        except ImportError as error:
            raise IsthmusError(f"{self.name}: reading it needs fsspec: pip install 'isthmus[embed]'") from error
        with fsspec.open(self.name, "rb") as file:
            return _fetched(self.name, file.read)


def _opened_web(uri: str) -> Any:
    """A response of http or https. It may redirect to these only, not to files."""
    from urllib import parse, request

    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler(),
        request.HTTPHandler(),
        request.HTTPSHandler(),
        request.HTTPRedirectHandler(),
        request.HTTPDefaultErrorHandler(),
        request.HTTPErrorProcessor(),
        request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    agent = {"User-Agent": f"isthmus/{version('isthmus')}"}
    return opener.open(request.Request(parse.quote(uri, safe=KEPT), headers=agent), timeout=SILENT_SECONDS)


def _fetched(name: str, read: Callable[[int], bytes]) -> io.BytesIO:
    """All bytes that ``read`` gives, within the limits on their number and time."""
    content, deadline = io.BytesIO(), time.monotonic() + REMOTE_SECONDS
    while block := read(BLOCK):
        content.write(block)
        if content.tell() > MOST_BYTES:
            raise UnreadableError(f"{name}: more than {MOST_BYTES} bytes, the limit for remote files: download it")
        if time.monotonic() > deadline:
            raise UnreadableError(f"{name}: not fetched within {REMOTE_SECONDS:g} seconds")
    content.seek(0)
    return content
