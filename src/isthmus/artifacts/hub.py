"""The Hugging Face hub: uploads a model's folder, and downloads one by its repository's name."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from isthmus.artifacts.folder import CARD, CONFIG, GRAPH, WEIGHTS
from isthmus.base.errors import IsthmusError, reason_of

MODEL = (CARD, CONFIG, WEIGHTS)
WANTED = [*MODEL, GRAPH, *(f"leg_*/{name}" for name in MODEL)]
"""The files of a model, or of a graph of spaces with its legs; nothing else in a repository is downloaded."""


def push_folder(save: Callable[[Path], Path], repo_id: str, *, private: bool, token: str | None, message: str) -> str:
    """Save a model to a temporary folder and upload that; returns the commit's address.

    The repository is created if it does not exist. Raises `IsthmusError` if huggingface_hub is not installed or the
    hub refuses the upload.
    """
    api, problems = _hub(token)
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder))
        try:
            api.create_repo(repo_id, private=private, exist_ok=True)
            done = api.upload_folder(repo_id=repo_id, folder_path=folder, commit_message=message)
        except problems as error:
            raise IsthmusError(
                f"{repo_id}: the hub refused the upload ({reason_of(error)}): check name, token and connection"
            ) from error
    return str(getattr(done, "commit_url", done))


def fetch_folder(path_or_repo_id: str | Path, *, revision: str | None, token: str | None) -> Path:
    """The local path itself if it exists, else a folder with the files of that hub repository, kept in the hub's cache.

    Raises `IsthmusError` if it is neither, or the download fails.
    """
    local = Path(path_or_repo_id)
    if local.exists():
        return local
    api, problems = _hub(token)
    try:
        return Path(api.snapshot_download(str(path_or_repo_id), revision=revision, allow_patterns=WANTED))
    except problems as error:
        raise IsthmusError(
            f"{path_or_repo_id}: no such folder, and not fetched from the hub ({reason_of(error)}): check the name"
        ) from error


def _hub(token: str | None) -> tuple[Any, tuple[type[Exception], ...]]:
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError as error:
        raise IsthmusError("the hub needs huggingface_hub: pip install 'isthmus[embed]'") from error
    return HfApi(token=token), (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError, ValueError)
