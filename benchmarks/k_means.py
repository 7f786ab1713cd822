"""k-means: isthmus against scikit-learn and faiss, time and inertia at the sizes isthmus uses.

    pip install faiss-cpu; OMP_NUM_THREADS=2 python benchmarks/k_means.py

All start from rows drawn at random and make the same number of Lloyd iterations; MiniBatchKMeans makes as many passes.
Rows are unit vectors around centres of unequal weight. Inertia is the mean squared distance to the nearest cell, by one
function for all. Times are the best of three rounds; each round runs all of them in turn.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable

import faiss
import numpy as np
import torch
from sklearn.cluster import KMeans, MiniBatchKMeans
from torch import Tensor
from torch.nn import functional

from isthmus.training.k_means import ITERATIONS, k_means, nearest

THREADS, ROUNDS = 2, 3
SIZES = {"lists of a memory": (150_000, 128, 1600), "start of 16 codes": (24_000, 64, 16)}


def rows_of(count: int, dim: int, groups: int = 500) -> Tensor:
    draw = torch.Generator().manual_seed(0)
    centres = torch.randn(groups, dim, generator=draw)
    group = torch.multinomial(1 / torch.arange(1, groups + 1), count, replacement=True, generator=draw)
    return functional.normalize(centres[group] + 0.8 * torch.randn(count, dim, generator=draw), dim=-1)


def by_isthmus(rows: Tensor, cells: int) -> Tensor:
    return k_means(rows, cells, torch.Generator().manual_seed(0))


def by_scikit_learn(rows: Tensor, cells: int) -> Tensor:
    fitted = KMeans(cells, init="random", n_init=1, max_iter=ITERATIONS, tol=0, random_state=0).fit(rows.numpy())
    return torch.from_numpy(fitted.cluster_centers_)


def by_mini_batches(rows: Tensor, cells: int) -> Tensor:
    model = MiniBatchKMeans(
        cells, init="random", n_init=1, max_iter=ITERATIONS, batch_size=4096, max_no_improvement=None, random_state=0
    )
    return torch.from_numpy(model.fit(rows.numpy()).cluster_centers_)


def by_faiss(rows: Tensor, cells: int) -> Tensor:
    model = faiss.Kmeans(rows.shape[1], cells, niter=ITERATIONS, seed=0, max_points_per_centroid=len(rows))
    model.train(rows.numpy())
    return torch.from_numpy(np.array(model.centroids))


WAYS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "isthmus": by_isthmus,
    "scikit-learn KMeans": by_scikit_learn,
    "scikit-learn MiniBatchKMeans": by_mini_batches,
    "faiss": by_faiss,
}


def main() -> None:
    torch.set_num_threads(THREADS)
    faiss.omp_set_num_threads(THREADS)
    warnings.simplefilter("ignore")  # scikit-learn warns that it has not converged after so few iterations
    for name, (count, dim, cells) in SIZES.items():
        rows = rows_of(count, dim)
        seconds: dict[str, list[float]] = {way: [] for way in WAYS}
        inertia = {}
        for _ in range(ROUNDS):
            for way, cluster in WAYS.items():
                started = time.perf_counter()
                centres = cluster(rows, cells)
                seconds[way].append(time.perf_counter() - started)
                inertia[way] = (rows - centres[nearest(rows, centres)]).square().sum(1).mean().item()
        for way in WAYS:
            figures = {"seconds": round(min(seconds[way]), 2), "inertia": round(inertia[way], 4)}
            print(json.dumps({"size": f"{name}: {count} x {dim}, {cells} cells", "way": way, **figures}), flush=True)


if __name__ == "__main__":
    main()
