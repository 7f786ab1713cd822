"""The Hugging Face hub: a model's folder is uploaded to a repository, or downloaded from one."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, TypeVar

from isthmus.artifacts.folder import CONFIG, GRAPH, WEIGHTS
from isthmus.artifacts.record import CARD
from isthmus.base.errors import IsthmusError, reason_of

MODEL = (CARD, CONFIG, WEIGHTS, "model-*.safetensors")
WANTED = [*MODEL, GRAPH, *(f"leg_*/{name}" for name in MODEL)]
"""The files of a model, or of a graph of spaces with its legs; nothing else in a repository is downloaded."""
Model = TypeVar("Model", bound="HubModel")


class HubModel(ABC):
    """A model that saves itself to a folder, and so to the Hugging Face hub too."""

    @abstractmethod
    def save(self, path: str | Path) -> Path:
        """Write the model and its card to a folder; returns the folder."""

    @classmethod
    @abstractmethod
    def load(cls: type[Model], path: str | Path) -> Model:
        """Read what `save` wrote."""

    def save_pretrained(self, path: str | Path) -> Path:
        """The same as `save`."""
        return self.save(path)

    @classmethod
    def from_pretrained(
        cls: type[Model], path_or_repo_id: str | Path, *, revision: str | None = None, token: str | None = None
    ) -> Model:
        """Read a model from a local path, as `load`, or from a repository of the Hugging Face hub.

        Args:
            path_or_repo_id: A path that `load` takes, or a repository's name.
            revision: Branch, tag or commit of the repository.
            token: Access token of the hub.

        Raises:
            IsthmusError: The path does not exist and the download fails, or a file is missing or damaged.
        """
        if Path(path_or_repo_id).exists():
            return cls.load(path_or_repo_id)
        api, problems = _hub(token)
        try:
            folder = api.snapshot_download(str(path_or_repo_id), revision=revision, allow_patterns=WANTED)
        except problems as error:
            raise IsthmusError(
                f"{path_or_repo_id}: not a local path, and the hub refused the download ({reason_of(error)}): check "
                "name, token and connection"
            ) from error
        return cls.load(folder)

    def push_to_hub(self, repo_id: str, *, private: bool = False, token: str | None = None) -> str:
        """Upload model and model card to the Hugging Face hub; returns the commit's address.

        Args:
            repo_id: Name of the repository; it is created if it does not exist.
            private: Create it as a private repository.
            token: Access token of the hub.

        Raises:
            IsthmusError: The hub refuses the upload, or huggingface_hub is not installed.
        """
        api, problems = _hub(token)
        with tempfile.TemporaryDirectory() as folder:
            self.save(folder)
            try:
                api.create_repo(repo_id, private=private, exist_ok=True)
                message = f"Upload {type(self).__name__}"
                done = api.upload_folder(repo_id=repo_id, folder_path=folder, commit_message=message)
            except problems as error:
                raise IsthmusError(
                    f"{repo_id}: the hub refused the upload ({reason_of(error)}): check name, token and connection"
                ) from error
        return str(getattr(done, "commit_url", done))


def _hub(token: str | None) -> tuple[Any, tuple[type[Exception], ...]]:
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError as error:
        raise IsthmusError("the hub needs huggingface_hub: pip install 'isthmus[embed]'") from error
    return HfApi(token=token), (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError, ValueError)
