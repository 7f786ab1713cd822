"""The Hugging Face hub: a model's folder sent there and fetched from there. A local folder serves as well."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from isthmus.artifacts.folder import CARD, CONFIG, WEIGHTS
from isthmus.base.errors import IsthmusError, reason_of


def push_folder(save: Callable[[Path], Path], repo_id: str, *, private: bool, token: str | None, message: str) -> str:
    """Save a model and send it to the hub's repository, which is made where it is not there; returns its address.

    Raises `IsthmusError` where huggingface_hub is missing or the hub refuses.
    """
    api, problems = _hub(token)
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder))
        try:
            api.create_repo(repo_id, private=private, exist_ok=True)
            done = api.upload_folder(repo_id=repo_id, folder_path=folder, commit_message=message)
        except problems as error:
            raise IsthmusError(
                f"{repo_id}: the hub did not take it ({reason_of(error)}): check name, token and connection"
            ) from error
    return str(getattr(done, "commit_url", done))


def fetched_folder(name: str, *, revision: str | None, token: str | None) -> Path:
    """A local folder as it is, else the hub's repository of that name, fetched once and kept in its cache.

    Raises `IsthmusError` where it is neither, or cannot be fetched.
    """
    if Path(name).is_dir():
        return Path(name)
    api, problems = _hub(token)
    try:
        return Path(api.snapshot_download(name, revision=revision, allow_patterns=[CARD, CONFIG, WEIGHTS]))
    except problems as error:
        raise IsthmusError(f"{name}: no such folder, and not fetched from the hub ({reason_of(error)})") from error


def _hub(token: str | None) -> tuple[Any, tuple[type[Exception], ...]]:
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError as error:
        raise IsthmusError("the hub needs huggingface_hub: pip install 'isthmus[embed]'") from error
    return HfApi(token=token), (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError, ValueError)
