"""The hub: a pushed model comes back unchanged. The client is the real one; a small local server answers it."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

import isthmus
import three_spaces
from isthmus.base.errors import IsthmusError
from two_sides import two_spaces

COMMIT = "1" * 40


class Hub(BaseHTTPRequestHandler):
    """As much of the hub's API as creating, committing and fetching a repository takes."""

    files: dict[str, bytes]

    def log_message(self, *arguments: object) -> None:
        pass

    def answer(self, content: object, status: int = 200, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.path == "/api/repos/create":
            self.answer({"url": "https://huggingface.co/me/joined", "name": "me/joined"})
        elif self.path == "/api/validate-yaml":
            self.answer({"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            asked = json.loads(body)["files"]
            self.answer(
                {"files": [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False} for one in asked]}
            )
        elif "/commit/" in self.path:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            self.answer(
                {
                    "commitOid": COMMIT,
                    "commitUrl": f"https://huggingface.co/me/joined/commit/{COMMIT}",
                    "hookOutput": "",
                    "success": True,
                }
            )
        else:
            self.answer({}, 404)

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path.startswith("/api/models/") and "/revision/" in path:
            found = [{"rfilename": name} for name in self.files]
            self.answer({"id": "me/joined", "modelId": "me/joined", "sha": COMMIT, "siblings": found})
        elif path.startswith("/api/models/"):
            tree = [
                {"type": "file", "path": n, "size": len(c), "oid": hashlib.sha1(c).hexdigest()}
                for n, c in self.files.items()
            ]
            self.answer(tree if "/tree/" in path else {"id": "me/joined", "sha": COMMIT, "siblings": []})
        elif "/resolve/" in path and (name := path.split("/resolve/")[1].partition("/")[2]) in self.files:
            content = self.files[name]
            self.answer(content, ETag=f'"{hashlib.sha1(content).hexdigest()}"', X_Repo_Commit=COMMIT)
        else:
            self.answer({}, 404)

    do_HEAD = do_GET  # noqa: N815


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, bytes]]:
    import huggingface_hub.constants as constants

    files: dict[str, bytes] = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OwnHub", (Hub,), {"files": files}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    yield files
    server.shutdown()
    server.server_close()


@pytest.mark.filterwarnings("ignore")
def test_a_pushed_connector_comes_back_unchanged(hub: dict[str, bytes]) -> None:
    left, right = two_spaces()
    connector = isthmus.connect(left, right, method="ridge")
    assert COMMIT in connector.push_to_hub("me/joined", token="hf_x")
    assert set(hub) == {"README.md", "config.json", "model.safetensors"}
    again = isthmus.Connector.from_pretrained("me/joined", token="hf_x")
    assert again.space == connector.space
    assert np.array_equal(again.project(left["image"]).vectors, connector.project(left["image"]).vectors)


@pytest.mark.filterwarnings("ignore")
def test_a_graph_comes_back_with_its_legs(hub: dict[str, bytes]) -> None:
    spaces = three_spaces.draw()
    graph = isthmus.connect_graph(spaces.sets, method="cca")
    graph.push_to_hub("me/graph", token="hf_x")
    hub["notes/drafts.json"] = b"not of the graph"
    again = isthmus.SpaceGraph.from_pretrained("me/graph", token="hf_x")
    assert again.space == graph.space
    assert np.array_equal(again.project(spaces.points).vectors, graph.project(spaces.points).vectors)


def test_nothing_but_the_files_of_a_model_is_downloaded(hub: dict[str, bytes], tmp_path: Path) -> None:
    isthmus.connect(*two_spaces(), method="procrustes").push_to_hub("me/joined")
    hub |= {"own.py": b"code", "pytorch_model.bin": b"pickle", "leg_0/own.py": b"code"}
    isthmus.Connector.from_pretrained("me/joined")
    names = {path.name for path in (tmp_path / "cache").rglob("snapshots/*/**/*") if path.is_file()}
    assert names == {"README.md", "config.json", "model.safetensors"}


def test_from_pretrained_reads_a_local_folder(tmp_path: Path) -> None:
    left, right = two_spaces()
    connector = isthmus.connect(left, right, method="ridge")
    connector.save_pretrained(tmp_path / "joined")
    assert isthmus.Connector.from_pretrained(tmp_path / "joined").space == connector.space


@pytest.mark.filterwarnings("ignore")
def test_a_repository_that_does_not_exist_is_named(hub: dict[str, bytes]) -> None:
    with pytest.raises(IsthmusError, match="not a local path, and the hub refused the download"):
        isthmus.Connector.from_pretrained("me/nothing here")


def test_the_card_names_revisions_and_licences(tmp_path: Path) -> None:
    left, right = two_spaces(left_space="clip", right_space="clap", revision="abc123")
    isthmus.connect(left, right, method="ridge").save(tmp_path / "joined")
    card = (tmp_path / "joined" / "README.md").read_text()
    assert "- `clip`, revision abc123: MIT" in card
    assert "- `clap`, revision abc123: Apache-2.0" in card
