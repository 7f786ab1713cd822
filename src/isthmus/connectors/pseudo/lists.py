"""Lists: a memory sorted so that rows with similar scores are together, and a softmax mean over the best lists.

A small share of the rows holds almost all of a query's softmax. Lists are k-means cells in the metric of the queries'
second moment, in which the spread of a cell is exactly the spread of its rows' scores over the queries. So a query
finds those rows in the few lists with the highest expected share. Each list is scored against all queries that chose it
in one matrix product.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from isthmus.base.progress import begin, counted
from isthmus.connectors.overlap.rows import RowSource, blocks, evenly_spaced, named
from isthmus.connectors.pseudo.exact import LEAST_EXPONENT
from isthmus.training.k_means import k_means, nearest

LISTS_PER_ROOT = 4
"""Lists = 4 √rows: scoring the lists then costs about as much as scoring the rows of the chosen lists."""
METRIC_DIM = 128
"""k-means runs in this many leading directions of the query metric; the others hardly change a score."""
SAMPLE_PER_LIST = 32
BLOCK_ROWS = 65_536
LARGEST_SHARE = 0.05
LIST_STEP, QUERIES_STEP = 32, 64
"""Lists and their queries are padded to multiples of these: oneDNN takes as long to prepare a product of a new shape as
to compute it, and caches a thousand shapes."""
MOST_ROWS = 0.3
"""Share of the memory's rows above which exact answers are cheaper than lists."""
LARGEST_EXPONENT = 80.0
"""Clamps weights so that they stay finite; if a weight reaches this, the measured error shows it."""


@dataclass(frozen=True)
class Lists:
    """A memory sorted by list, in the precision that multiplies fastest.

    The ``sizes[l]`` rows of list ``l`` begin at ``starts[l]`` of ``keys`` and of the corresponding ``values``; zero
    rows pad it to ``starts[l + 1]`` and add nothing to a mean. ``means`` are the lists' means.
    """

    keys: Float[Tensor, "places dim"]
    values: Float[Tensor, "places value_dim"]
    starts: Int[Tensor, " borders"]
    sizes: Int[Tensor, " lists"]
    means: Float[Tensor, "lists dim"]

    def promised(self, queries: Float[Tensor, "queries dim"], temperature: float) -> Float[Tensor, "queries lists"]:
        """The logarithm of each list's softmax mass for each query, if all its rows were its mean."""
        scores = (queries.to(self.means.dtype) @ self.means.T).float().div_(temperature)
        return scores.add_(self.sizes.log())


def build_lists(
    memory: RowSource, queries: Float[Tensor, "sample dim"], values: RowSource | None = None, *, seed: int
) -> Lists:
    """Cluster a memory in the metric of a sample of queries; reads the memory three times."""
    device = queries.device
    count = max(1, min(len(memory) // 8, round(LISTS_PER_ROOT * math.sqrt(len(memory)))))
    metric = query_metric(queries)
    draw = torch.Generator(device).manual_seed(seed)
    sample = evenly_spaced(memory, SAMPLE_PER_LIST * count, device) @ metric
    begin(f"clustering {named(memory)}")
    cells = k_means(sample, count, draw)
    rows = counted(blocks(memory, BLOCK_ROWS, device), f"sorting {named(memory)}", len(memory))
    cell_of = torch.cat([nearest(block @ metric, cells) for block in rows])
    return _sorted_by_list(memory, values, cell_of, count, device)


def query_metric(queries: Float[Tensor, "sample dim"]) -> Float[Tensor, "dim metric_dim"]:
    """A map M such that ``‖Mᵀ(k - m)‖²`` is the mean over queries of ``<q, k - m>²``, in its leading directions."""
    values, vectors = torch.linalg.eigh(queries.T @ queries / len(queries))
    return vectors[:, -METRIC_DIM:] * values[-METRIC_DIM:].clamp(min=0).sqrt()


def _sorted_by_list(
    memory: RowSource, values: RowSource | None, cell_of: Int[Tensor, " rows"], count: int, device: torch.device
) -> Lists:
    sizes = torch.bincount(cell_of, minlength=count)
    starts = torch.zeros(count + 1, dtype=torch.long, device=device)
    starts[1:] = ((sizes + LIST_STEP - 1) // LIST_STEP * LIST_STEP).cumsum(0)
    order = cell_of.argsort(stable=True)
    cells = cell_of[order]
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order), device=device) + (starts[:-1] - (sizes.cumsum(0) - sizes))[cells]
    keys, means = _scattered(memory, place, int(starts[-1]), device), torch.zeros(count, memory.dim, device=device)
    start = 0
    for block in blocks(memory, BLOCK_ROWS, device):
        means.index_add_(0, cell_of[start : start + len(block)], block)
        start += len(block)
    means = (means / sizes.clamp(min=1)[:, None]).to(keys.dtype)
    beside = keys if values is None else _scattered(values, place, int(starts[-1]), device)
    return Lists(keys, beside, starts, sizes, means)


def _scattered(
    source: RowSource, place: Int[Tensor, " rows"], places: int, device: torch.device
) -> Float[Tensor, "places dim"]:
    """A source's rows at their new places, with zero rows between the lists."""
    rows = torch.zeros(places, source.dim, dtype=fast_dtype(device), device=device)
    start = 0
    for block in blocks(source, BLOCK_ROWS, device):
        rows[place[start : start + len(block)]] = block.to(rows.dtype)
        start += len(block)
    return rows


def fast_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 if the processor multiplies it natively (three to five times as fast), else float32."""
    native = device.type == "cuda" or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if native else torch.float32


class Buffers:
    """Buffers reused for every list; the system would map new ones of this size in and out each time."""

    def __init__(self) -> None:
        self._held: dict[str, Tensor] = {}

    def matrix(self, name: str, like: Tensor, rows: int, columns: int | None = None) -> Float[Tensor, "rows columns"]:
        """An uninitialized matrix with the dtype, device and by default the width of another."""
        columns = like.shape[1] if columns is None else columns
        held = self._held.get(name)
        if held is None or len(held) < rows * columns:
            held = self._held[name] = like.new_empty(rows * columns)
        return held[: rows * columns].view(rows, columns)


@dataclass
class Probe:
    """Queries and their weighted sums over the lists searched so far.

    ``promised`` is `Lists.promised`. Weights are relative to its sum; the error of that sum is a factor, which
    normalizing removes.
    """

    lists: Lists
    scaled: Float[Tensor, "queries dim"]
    promised: Float[Tensor, "queries lists"]
    reference: Float[Tensor, "queries 1"]
    total: Float[Tensor, "queries value_dim"]

    @classmethod
    def start(cls, queries: Float[Tensor, "queries dim"], lists: Lists, temperature: float) -> Probe:
        """The queries before any list is searched."""
        promised = lists.promised(queries, temperature)
        scaled = (queries / temperature).to(lists.keys.dtype)
        total = torch.zeros(len(queries), lists.values.shape[1], device=queries.device)
        return cls(lists, scaled, promised, promised.logsumexp(1, keepdim=True), total)

    def chosen(self, least_share: float) -> Bool[Tensor, "queries lists"]:
        """The lists with more than this expected share of a query's softmax, and always its best one."""
        above = self.promised > self.reference + math.log(least_share)
        return above.scatter_(1, self.promised.argmax(1, keepdim=True), True)

    def search(self, pairs: Bool[Tensor, "queries lists"]) -> None:
        """Add the rows of the marked lists to the sums: each list is scored against all its queries at once."""
        borders = self.lists.starts.tolist()
        references = self.reference.to(self.lists.keys.dtype)
        buffers = Buffers()
        for number, who in _queries_by_list(pairs):
            keys, values = (
                rows[borders[number] : borders[number + 1]] for rows in (self.lists.keys, self.lists.values)
            )
            filled = torch.cat((who, who[-1:].expand(-len(who) % QUERIES_STEP)))
            asking = torch.index_select(self.scaled, 0, filled, out=buffers.matrix("asking", self.scaled, len(filled)))
            scores = torch.mm(asking, keys.T, out=buffers.matrix("scores", keys, len(filled), len(keys)))
            scores -= references.index_select(0, filled)
            weights = scores.clamp_(LEAST_EXPONENT, LARGEST_EXPONENT).exp_()
            found = torch.mm(weights, values, out=buffers.matrix("found", values, len(filled)))
            in_full = buffers.matrix("in full", self.total, len(who)).copy_(found[: len(who)])
            self.total.index_add_(0, who, in_full)

    def mean(self) -> Float[Tensor, "queries value_dim"]:
        """The weighted mean of the rows searched so far, as unit rows."""
        return functional.normalize(self.total, dim=-1)


def _queries_by_list(pairs: Bool[Tensor, "queries lists"]) -> Iterator[tuple[int, Int[Tensor, " asking"]]]:
    """Each list that some query marked, with the numbers of those queries."""
    lists, who = pairs.T.nonzero(as_tuple=True)
    by_list = who.split(lists.bincount(minlength=pairs.shape[1]).tolist())
    return ((number, who) for number, who in enumerate(by_list) if len(who))


def mean_over_lists(
    queries: Float[Tensor, "queries dim"], lists: Lists, temperature: float, least_share: float
) -> Float[Tensor, "queries value_dim"]:
    """Pseudo counterparts over the lists with an expected share above ``least_share``; unit rows."""
    probe = Probe.start(queries, lists, temperature)
    probe.search(probe.chosen(least_share))
    return probe.mean()


def least_share_for(
    tolerance: float,
    queries: Float[Tensor, "sample dim"],
    expected: Float[Tensor, "sample value_dim"],
    lists: Lists,
    temperature: float,
) -> tuple[float, float]:
    """The largest least share, on a grid, with a mean cosine error over a sample within the tolerance; and that error.

    Each step searches only the lists that the step before left out. The error is infinite if lists do not pay, because
    most rows would have to be searched.
    """
    probe = Probe.start(queries, lists, temperature)
    done = torch.zeros_like(probe.promised, dtype=torch.bool)
    share = LARGEST_SHARE
    while True:
        now = probe.chosen(share)
        probe.search(now & ~done)
        done = now
        error = mean_cosine_error(probe.mean(), expected)
        if error <= tolerance:
            return share, error
        if (now.float() @ lists.sizes.float()).mean() > MOST_ROWS * int(lists.sizes.sum()):
            return share, math.inf
        share *= 0.85


def mean_cosine_error(found: Float[Tensor, "rows dim"], expected: Float[Tensor, "rows dim"]) -> float:
    """The mean of 1 - cosine between corresponding unit rows.

    It is half the squared distance, which rounding cannot make negative.
    """
    return ((found.double() - expected.double()).square().sum(1) / 2).mean().item()
