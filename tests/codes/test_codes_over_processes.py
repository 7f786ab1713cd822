"""Two gloo processes train the same codes as one: losses gathered, statistics and codebook shared."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch.multiprocessing.spawn import spawn

from isthmus.codes.learning.fit import fit_codes
from isthmus.codes.learning.pairs import CodeItems, pairs_by_row
from isthmus.codes.model.config import CodesConfig
from isthmus.embeddings import Embeddings
from isthmus.embeddings.tokens import Tokens
from isthmus.training.config import OptimisationConfig

pytestmark = pytest.mark.slow
CONFIG = CodesConfig(
    codes=6,
    code_dim=8,
    restarts=2,
    optimisation=OptimisationConfig(epochs=1, min_steps=6, batch_size=16),
)


def drawn_items(modality: str, seed: int) -> CodeItems:
    draw = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(draw.integers(1, 7, 40))])
    vectors = draw.standard_normal((offsets[-1], 12)).astype(np.float32)
    places = np.tile(np.array([[0, 1]], np.float32), (offsets[-1], 1))
    tokens = Tokens.from_arrays(vectors, offsets, places, modality=modality, space=f"{modality}s", unit="seconds")
    pooled = draw.standard_normal((40, 10)).astype(np.float32)
    return CodeItems(tokens, Embeddings.from_array(pooled, modality=modality, space=f"{modality}s"))


def trained() -> dict[str, torch.Tensor]:
    torch.set_num_threads(1)
    items = {"image": drawn_items("image", 0), "audio": drawn_items("audio", 1)}
    return fit_codes(items, [pairs_by_row("image", "audio", 40)], CONFIG, device="cpu").state_dict()


def one_of_two(process: int, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=process, world_size=2)
    found = trained()
    torch.save(found, Path(folder) / f"{process}.pt")
    dist.barrier()
    dist.destroy_process_group()


def test_two_processes_train_the_same_codes_as_one(tmp_path: Path) -> None:
    spawn(one_of_two, args=(str(tmp_path),), nprocs=2)
    first, second = (torch.load(tmp_path / f"{process}.pt", weights_only=True) for process in range(2))
    alone = trained()
    for name, tensor in alone.items():
        torch.testing.assert_close(first[name], second[name], rtol=0, atol=0, msg=name)
        # Batch normalization cancels a head's bias: its gradient is only rounding noise, and the mean follows it.
        if not name.endswith(("head.linear.bias", "running_mean")):
            torch.testing.assert_close(first[name], tensor, rtol=1e-3, atol=1e-4, msg=name)
    assert alone["codebook.counts"].sum() > 6
