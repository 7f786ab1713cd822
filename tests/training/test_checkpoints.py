"""A checkpoint belongs to every byte of its run's data, is refused if altered, and costs nothing unasked."""

import errno
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from isthmus import CodeItems, Embeddings, PairSource, Tokens
from isthmus.base.errors import IsthmusError
from isthmus.codes.learning import fit
from isthmus.codes.learning.fit import checkpoints_of, fit_codes
from isthmus.training import checkpoint as checkpoints
from isthmus.training.checkpoint import Checkpoint, hash_of, is_checkpoint

ITEMS = 200
BRIEF = {"epochs": 1, "min_steps": 2, "batch_size": 16}


def items(change: Callable[[np.ndarray], None] = lambda vectors: None) -> dict[str, CodeItems]:
    draw, found = np.random.default_rng(0), {}
    for modality in ("audio", "video"):
        vectors = draw.standard_normal((2 * ITEMS, 4)).astype(np.float32)
        pooled = Embeddings.from_array(vectors[::2].copy(), modality=modality, space=modality, ids=range(ITEMS))
        change(vectors)
        tokens = Tokens.from_arrays(
            vectors,
            np.arange(0, 2 * ITEMS + 1, 2),
            np.zeros((2 * ITEMS, 2), np.float32),
            modality=modality,
            space=modality,
            unit="seconds",
            ids=[str(row) for row in range(ITEMS)],
        )
        found[modality] = CodeItems(tokens, pooled)
    return found


def train(data: dict[str, CodeItems], path: Path | None) -> None:
    pairs = [PairSource("audio", "video", np.arange(ITEMS), np.arange(ITEMS))]
    fit_codes(data, pairs, codes=4, restarts=1, optimisation=BRIEF, device="cpu", checkpoint=path)


def last_token(vectors: np.ndarray) -> None:
    vectors[-1, 3] += 1e-3


def test_code_training_does_not_continue_on_other_tokens(tmp_path: Path) -> None:
    train(items(), tmp_path / "run")
    train(items(), tmp_path / "run")
    with pytest.raises(IsthmusError, match=r"run\.0: checkpoint of another run"):
        train(items(last_token), tmp_path / "run")


def test_without_a_checkpoint_nothing_is_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "hash_of", None)
    monkeypatch.setattr(checkpoints, "hash_of", None)
    train(items(), None)
    assert Checkpoint.of(None, {}, [np.zeros(3)]) is None


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int64])
def test_every_byte_of_a_mapped_array_counts(tmp_path: Path, dtype: type) -> None:
    np.save(tmp_path / "rows.npy", np.zeros((70_000, 3), dtype))
    rows = np.load(tmp_path / "rows.npy", mmap_mode="r+")
    hashes = {hash_of([rows])}
    for row, column in ((0, 0), (66_000, 1), (69_999, 2)):
        rows[row, column] = 1
        hashes.add(hash_of([rows]))
        assert hash_of([torch.from_numpy(np.array(rows))]) == hash_of([rows])
    assert len(hashes) == 4
    half = torch.zeros(4, 2, dtype=torch.bfloat16)
    assert hash_of([half]) != hash_of([half + 1])
    assert hash_of([torch.tensor(1.0)]) != hash_of([torch.tensor(2.0)])


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Checkpoint, nn.Linear, torch.optim.Optimizer]:
    layer = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(layer.parameters())
    layer(torch.ones(4, 3)).sum().backward()
    optimizer.step()
    own = Checkpoint(tmp_path / "run", "abc")
    own.save(7, layer, optimizer)
    return own, layer, optimizer


def rewritten(path: Path, change: Callable[[dict, dict], None]) -> None:
    tensors = load_file(path)
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()["isthmus"])
    change(header, tensors)
    save_file(tensors, path, {"isthmus": json.dumps(header)})


def swapped(header: dict, tensors: dict) -> None:
    one, other = "optimizer.0.exp_avg", "objective.weight"
    tensors[one], tensors[other] = tensors[other], tensors[one]


CHANGES: dict[str, Callable[[dict, dict], object]] = {
    "a weight": lambda header, tensors: tensors["objective.weight"].view(-1)[5].add_(1e-6),
    "two tensors": swapped,
    "a tensor lost": lambda header, tensors: tensors.pop("objective.bias"),
    "another tensor": lambda header, tensors: tensors.update({"optimizer.x.y": torch.zeros(1)}),
    "the step": lambda header, tensors: header.update(step=8),
    "no step": lambda header, tensors: header.pop("step"),
    "no hash": lambda header, tensors: header.pop("sha256"),
    "no text": lambda header, tensors: header.update(fingerprint=["abc"]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_altered_checkpoint_is_refused(saved: tuple, change: str) -> None:
    own, layer, optimizer = saved
    assert own.restore(layer, optimizer) == 7
    rewritten(own.path, CHANGES[change])
    with pytest.raises(IsthmusError, match=r"run: .*: delete this checkpoint to start again"):
        own.restore(layer, optimizer)


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("[]", "cannot be read .*: delete this checkpoint"),
        ("{", "cannot be read .*: delete this checkpoint"),
        ("[" * 100_000, "cannot be read .*: delete this checkpoint"),
        ("{}", "not an isthmus checkpoint"),
        ('{"format": "isthmus-training-1"}', "checkpoint of another version of isthmus: delete it"),
    ],
)
def test_a_header_of_another_kind_is_named(saved: tuple, header: str, says: str) -> None:
    own, layer, optimizer = saved
    save_file(load_file(own.path), own.path, {"isthmus": header})
    with pytest.raises(IsthmusError, match=says):
        own.restore(layer, optimizer)


def test_a_full_disk_names_the_checkpoint_and_keeps_the_last_one(saved: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    own, layer, optimizer = saved

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(IsthmusError, match=r"run: cannot be written \(No space left"):
        own.save(8, layer, optimizer)
    assert own.restore(layer, optimizer) == 7
    assert [file.name for file in own.path.parent.iterdir()] == ["run"]


def test_only_checkpoints_are_taken_for_checkpoints(saved: tuple, tmp_path: Path) -> None:
    own, *_ = saved
    (tmp_path / "run.0").write_bytes(own.path.read_bytes())
    (tmp_path / "run.1").write_text("notes")
    (tmp_path / "run.2024-notes").write_bytes(own.path.read_bytes())
    save_file({"a": torch.zeros(1)}, tmp_path / "run.3")
    assert [path.name for path in checkpoints_of(tmp_path / "run")] == ["run.0"]
    assert is_checkpoint(own.path)
    assert not is_checkpoint(tmp_path)
