"""A server on this machine that answers by path: a good file, and what hostile servers send."""

from __future__ import annotations

import http.server
import socketserver
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

KINDS = ("good", "short", "endless", "slow", "silent", "missing")
"""What it answers with, by the first part of the path; it counts what it was asked for."""
REDIRECTIONS = {"moved": "/good%20one/a.png", "away": "file:///etc/passwd"}


class Answers(http.server.BaseHTTPRequestHandler):
    """``/KIND/…``: the content, the content cut short, bytes without end, a byte now and then, nothing, or 404."""

    content = b""
    asked: ClassVar[Counter[str]] = Counter()
    ended = threading.Event()

    def do_GET(self) -> None:
        """Answer."""
        kind = self.path.split("/")[1]
        self.asked[kind] += 1
        if kind == "silent":
            self.ended.wait()
            return
        good = kind in ("good", "good%20one", "short")
        self.send_response(302 if kind in REDIRECTIONS else 200 if good or kind in KINDS[:-1] else 404)
        if kind in REDIRECTIONS:
            self.send_header("Location", REDIRECTIONS[kind])
        if good:
            self.send_header("Content-Length", str(len(self.content) + (100 if kind == "short" else 0)))
        self.end_headers()
        try:
            self.wfile.write(self.content if good else b"")
            while kind in ("endless", "slow"):
                self.wfile.write(b"\0" * (2**20 if kind == "endless" else 1))
                time.sleep(0.05 if kind == "slow" else 0)
        except OSError:
            return

    def log_message(self, *given: object) -> None:
        """Say nothing."""


@contextmanager
def serving(content: bytes) -> Iterator[str]:
    """The address of a server of ``content``."""
    Answers.content, Answers.asked, Answers.ended = content, Counter(), threading.Event()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answers) as opened:
        opened.daemon_threads, opened.block_on_close = True, False
        threading.Thread(target=opened.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{opened.server_address[1]}"
        Answers.ended.set()
        opened.shutdown()
