"""Hostile media through a decoding process: what is read, what is refused and why, and what it costs.

    python benchmarks/hostile_media.py

Broken, lying and exploding images, audio, videos and point clouds, paths to pipes and devices, and servers whose
answers never end. Every file must be read or refused by name. Two canaries report what no file may do:
start Ghostscript, or open an address that it names.
"""

from __future__ import annotations

import argparse
import http.server
import os
import resource
import socketserver
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "bulk"))
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from hostile_space import Reading

import hostile_writers
import media_files
from isthmus.bulk.decoding import KILLED, DecodedItem, Decoders
from isthmus.media import Item
from isthmus.media.remote import Remote
from isthmus.media.source import LocalFile

REMOTE = ("good", "short", "endless", "slow", "silent", "missing")


class Server(http.server.BaseHTTPRequestHandler):
    """Answers by path: a good image, one cut short, bytes without end, a byte now and then, nothing."""

    content = b""
    canaries = 0

    def do_GET(self) -> None:
        """Answer."""
        kind = self.path.split("/")[1]
        if kind == "canary":
            Server.canaries += 1
        if kind == "silent":
            time.sleep(3600)
        self.send_response(200 if kind in REMOTE[:-1] else 404)
        if kind in ("good", "short"):
            self.send_header("Content-Length", str(len(self.content) + (100 if kind == "short" else 0)))
        self.end_headers()
        try:
            self.wfile.write(self.content if kind in ("good", "short") else b"")
            while kind in ("endless", "slow"):
                self.wfile.write(b"\0" * (2**20 if kind == "endless" else 1))
                time.sleep(1.0 if kind == "slow" else 0)
        except OSError:
            return

    def log_message(self, *given: object) -> None:
        """Say nothing."""


def items(folder: Path, address: str) -> dict[str, list[Item]]:
    """The files of every kind, and the remote ones."""
    hostile_writers.CANARY = f"{address}/canary".encode()
    for kind in hostile_writers.KINDS:
        hostile_writers.write_kind(folder / kind, kind)
    hostile_writers.write_special(folder / "special")
    found = {
        kind: [Item(path.name, LocalFile(path), "") for path in sorted((folder / kind).iterdir())]
        for kind in (*hostile_writers.KINDS, "special")
    }
    return {**found, "remote": [Item(f"{kind}.png", Remote(f"{address}/{kind}/a.png"), "") for kind in REMOTE]}


def outcome(found: DecodedItem, name: str) -> str:
    """What became of an item, in one word."""
    if found.inputs is not None:
        return "read"
    if "\n" in found.problem or name not in found.problem:
        return "unnamed"
    if KILLED in found.problem:
        return "died"
    return "over time" if "not read within" in found.problem else "refused"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--timeout", type=float, default=20.0)
    parser.add_argument("--show", action="store_true", help="print the outcome of every file")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, socketserver.ThreadingTCPServer(("127.0.0.1", 0), Server) as server:
        server.daemon_threads, server.block_on_close = True, False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        folder = Path(place)
        Server.content = media_files.write_image(folder / "good.png").read_bytes()
        started = folder / "ghostscript-was-started"
        (folder / "bin").mkdir()
        (folder / "bin" / "gs").write_text(f"#!/bin/sh\ntouch {started}\n")
        (folder / "bin" / "gs").chmod(0o755)
        os.environ["PATH"] = f"{folder / 'bin'}:{os.environ['PATH']}"
        print("| kind | files | read | refused | over time | died | unnamed | slowest s |")
        print("|---|---|---|---|---|---|---|---|")
        total: Counter[str] = Counter()
        for kind, own in items(folder, f"http://127.0.0.1:{server.server_address[1]}").items():
            counts, slowest = Counter(), 0.0
            with Decoders(Reading(), 1, 1, asked.timeout) as decoders:
                list(decoders.prepared([Item("good.png", LocalFile(folder / "good.png"), "")]))
                last = time.perf_counter()
                for one in decoders.prepared(own):
                    now = time.perf_counter()
                    slowest, last = max(slowest, now - last), now
                    counts[outcome(one, one.item.name)] += 1
                    if asked.show:
                        print(f"{kind} {one.item.id}: {one.problem or 'read'}", file=sys.stderr)
            row = [counts[name] for name in ("read", "refused", "over time", "died", "unnamed")]
            print(f"| {kind} | {len(own)} | {' | '.join(map(str, row))} | {slowest:.1f} |", flush=True)
            total += counts
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        print(f"\n{total.total()} items; largest process {peak:.1f} GiB; addresses opened: {Server.canaries}; ", end="")
        print(f"Ghostscript started: {'yes' if started.exists() else 'no'}")
        server.shutdown()


if __name__ == "__main__":
    main()
