"""Devices: each process takes its own GPU, and what is not there, or not supported, is refused by name."""

import numpy as np
import pytest
import torch

import isthmus
from isthmus.base.devices import checked_device, device_of
from isthmus.base.errors import IsthmusError
from isthmus.embeddings import Embeddings


@pytest.mark.parametrize(
    ("name", "gpus", "environment", "expected"),
    [
        (None, 0, {}, "cpu"),
        (None, 2, {}, "cuda"),
        ("cpu", 2, {"LOCAL_RANK": "1"}, "cpu"),
        ("cuda", 1, {}, "cuda"),
        ("cuda:1", 2, {}, "cuda:1"),
        (torch.device("cuda", 1), 2, {}, "cuda:1"),
        ("cuda", 2, {"LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}, "cuda:1"),
        (None, 4, {"LOCAL_RANK": "3", "LOCAL_WORLD_SIZE": "4"}, "cuda:3"),
        (None, 0, {"LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}, "cpu"),
        ("cuda:0", 2, {"LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"}, "cuda:0"),
    ],
)
def test_a_process_takes_the_named_device_or_its_own_gpu(
    name: object, gpus: int, environment: dict[str, str], expected: str
) -> None:
    assert device_of(name, gpus, environment) == expected


@pytest.mark.parametrize(
    ("name", "gpus", "environment", "problem"),
    [
        ("mps", 0, {}, "device 'mps' is not supported: give cpu, cuda or cuda:N"),
        ("meta", 1, {}, "device 'meta' is not supported"),
        ("CUDA", 1, {}, "device 'CUDA' is not supported"),
        ("cuda:-1", 1, {}, "is not supported"),
        ("", 1, {}, "device '' is not supported"),
        ("cuda", 0, {}, "device 'cuda': this machine has no CUDA GPU"),
        ("cuda:0", 0, {}, "device 'cuda:0': this machine has no CUDA GPU"),
        ("cuda:1", 1, {}, "device 'cuda:1': this machine has 1 GPU, numbered from 0"),
        (None, 2, {"LOCAL_RANK": "2", "LOCAL_WORLD_SIZE": "3"}, "3 processes on a machine with 2 GPUs"),
        ("cuda:0", 2, {"LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}, "'cuda:0' is one GPU for 2 processes: give cuda"),
    ],
)
def test_what_is_not_there_or_not_supported_is_refused_by_name(
    name: object, gpus: int, environment: dict[str, str], problem: str
) -> None:
    with pytest.raises(IsthmusError, match=problem):
        device_of(name, gpus, environment)


def test_every_entrance_refuses_the_same_devices(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    draw = np.random.default_rng(0)

    def side(space: str, other: str) -> dict[str, Embeddings]:
        ids = [f"item {row}" for row in range(20)]
        rows = draw.standard_normal((2, 20, 6)).astype(np.float32)
        kinds = zip(("text", other), rows, strict=True)
        return {kind: Embeddings.from_array(own, modality=kind, space=space, ids=ids) for kind, own in kinds}

    left, right = side("clip", "image"), side("clap", "audio")
    (tmp_path / "text.txt").write_text("a dog\n")
    entrances = [
        lambda: checked_device("mps"),
        lambda: isthmus.load_space("clip", device="mps"),
        lambda: isthmus.connect(left, right, method="cca", device="mps"),
        lambda: isthmus.connect(left, right, method="cmcr", device="mps"),
        lambda: isthmus.connect_graph([left, right], method="cca", device="mps"),
        lambda: isthmus.fit_codes({}, [], device="mps"),
        lambda: isthmus.embed(tmp_path / "text.txt", tmp_path / "set", space="clip", device="mps"),
    ]
    for enter in entrances:
        with pytest.raises(IsthmusError, match="device 'mps' is not supported: give cpu, cuda or cuda:N"):
            enter()
