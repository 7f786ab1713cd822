"""Translation: which tokens of one view say what tokens of another say, learned from pairs of whole items.

Machine translation learns from pairs of sentences which words translate which (Brown et al., 1993), and from captions
which regions of images words name (Duygulu et al., 2002). Here the words are codes. A view learns them from one that
has codes: each token goes to the code that fits it best among those of its item's partner, and each code becomes the
mean of its tokens, under one covariance for all codes of a view. This needs no gradient.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from torch import Tensor
from torch.nn import functional

from isthmus.base.errors import IsthmusError
from isthmus.codes.learning.pairs import NEIGHBOUR, CodeItems, PairSource
from isthmus.codes.model.view import TokenBatch
from isthmus.training.k_means import k_means, nearest

MOST_PAIRS, MOST_TOKENS = 8192, 48
"""Pairs of a source, and tokens of an item, that are read."""
MOST_CELLS = 1024
"""Codes before those that mean the same are merged."""
ROUNDS = 3
"""Passes over the views before and after codes are merged."""
SHARPNESS = 0.3
"""Weight of a token's fit, in which its dimensions count as independent though they are not."""
FIRST_SHARPNESS = 20.0
"""Weight of the cosine that the first pass takes instead."""
COMMON = 0.5
"""Exponent of a code's frequency that its probability is divided by: common words say little about an item."""
NEVER = 1e-5
"""Probability of a code that the partner does not use."""
SHRINKAGE, PSEUDO_TOKENS = 0.05, 2.0
"""Weight of a sphere in a covariance, and tokens at the view's mean that each code is given."""
FREQUENCY = 0.5
"""Weight of a code's log frequency where a token is read without a partner."""
LEAST_LIKENESS = 0.2
"""Mean cosine of two cells' tokens at which they mean the same, if the number of codes is not given."""
KNOWN = 10
"""Tokens that the other views must give a cell for its likeness to be known."""
WHITENING, PENALTIES = 0.03, (1e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0)
"""Added to variances, and penalties of a regression tried, both as shares of the mean variance."""
CELL_TOKENS = 16_384
"""Tokens of the anchor that are clustered."""
BLOCK = 16_384
"""Tokens read at once."""


@dataclass(frozen=True)
class SampledTokens:
    """Some tokens of some items of a view: ``rows`` are the items' rows, ``item`` each token's place among them."""

    rows: Int[np.ndarray, " items"]
    vectors: Float[Tensor, "tokens dim"]
    item: Int[Tensor, " tokens"]

    @cached_property
    def mean(self) -> Float[Tensor, " dim"]:
        """The mean token."""
        return self.vectors.mean(0)

    @cached_property
    def covariance(self) -> Float[Tensor, "dim dim"]:
        """The covariance of tokens."""
        centred = self.vectors - self.mean
        return centred.T @ centred / len(centred)

    def of(self, wanted: Bool[Tensor, " tokens"]) -> SampledTokens:
        """Some of the tokens."""
        return self if wanted.all() else replace(self, vectors=self.vectors[wanted], item=self.item[wanted])

    def item_means(self) -> Float[Tensor, "items dim"]:
        """The mean token of each item, without the mean of all."""
        sums = torch.zeros(len(self.rows), self.vectors.shape[1]).index_add_(0, self.item, self.vectors - self.mean)
        return sums / torch.bincount(self.item, minlength=len(self.rows))[:, None]

    def use(self, codes: Int[Tensor, " tokens"], count: int) -> Float[Tensor, "items codes"]:
        """Each item's share of tokens with each code."""
        found = torch.bincount(self.item * count + codes, minlength=len(self.rows) * count).view(-1, count).float()
        return found / found.sum(1, keepdim=True)


@dataclass(frozen=True)
class TranslationLink:
    """A view that learns codes from one that has them: places of paired items among those sampled of each."""

    known: str
    new: str
    known_places: Int[Tensor, " pairs"]
    new_places: Int[Tensor, " pairs"]


@dataclass(frozen=True)
class TokenReader:
    """A linear classifier of a view's tokens: ``vectors @ weights + bias`` is how well each code fits."""

    weights: Float[Tensor, "dim codes"]
    bias: Float[Tensor, " codes"]

    def fit(self, vectors: Float[Tensor, "tokens dim"]) -> Float[Tensor, "tokens codes"]:
        """How well each code fits each token."""
        return torch.addmm(self.bias, vectors, self.weights)


def translate(
    items: Mapping[str, CodeItems], sources: Sequence[PairSource], codes: int, draw: torch.Generator
) -> dict[str, TokenReader]:
    """A reader of every view's tokens; views agree on what each of at most ``codes`` codes means.

    With 0 there are as many codes as the anchor has meanings: cells are merged as long as they are alike in the others.

    A view of text, or without any the view with the most pair sources, gets codes from clusters of its tokens; the
    others learn them from it, or from one another, in the order in which sources reach them.

    Raises:
        IsthmusError: No chain of sources leads to a view.
    """
    sources = [_thinned(source) for source in sources]
    views = {name: _sampled(own, _rows_of(name, sources), draw) for name, own in items.items()}
    links = _links(views, sources, {name for name, own in items.items() if own.tokens.modality == "text"})
    if not links:
        raise IsthmusError("a translation needs two views: add another, or take another start")
    for name, view in views.items():
        if not 0 < float(view.covariance.trace()) < np.inf:
            raise IsthmusError(f"all tokens of the view {name!r} are alike, or too large, to tell codes apart")
    anchor = links[0].known
    cells = _cells(views[anchor].vectors, draw)
    count = int(cells.max()) + 1
    chosen, readers = {anchor: cells}, _first_readers(views, links, cells, count)
    for _ in range(ROUNDS):
        _pass(views, links, chosen, readers, count)
    if count > max(codes, 1):
        merged = _merged(views, anchor, chosen, count, codes)
        count = int(merged.max()) + 1
        chosen = {name: merged[own] for name, own in chosen.items()}
        readers |= {name: _reader(views[name], own, count) for name, own in chosen.items()}
        for _ in range(ROUNDS):
            _pass(views, links, chosen, readers, count)
    return readers


def _thinned(source: PairSource) -> PairSource:
    """The source with at most `MOST_PAIRS` of its pairs, evenly spread."""
    kept = np.unique(np.linspace(0, len(source) - 1, min(len(source), MOST_PAIRS)).astype(np.int64))
    return replace(source, left_rows=source.left_rows[kept], right_rows=source.right_rows[kept])


def _rows_of(name: str, sources: Sequence[PairSource]) -> Int[np.ndarray, " items"]:
    """The rows of a view's items that are in a pair, ascending."""
    sides = ((side, rows) for own in sources for side, rows in ((own.left, own.left_rows), (own.right, own.right_rows)))
    return np.unique(np.concatenate([np.empty(0, np.int64), *(rows for side, rows in sides if side == name)]))


def _sampled(own: CodeItems, rows: Int[np.ndarray, " items"], draw: torch.Generator) -> SampledTokens:
    chances = torch.rand(len(rows), MOST_TOKENS, generator=draw).numpy()
    batch = TokenBatch.of(own.tokens, rows, torch.device("cpu"), chances)
    return SampledTokens(rows, batch.vectors, batch.item)


def _links(
    views: Mapping[str, SampledTokens], sources: Sequence[PairSource], texts: Collection[str]
) -> list[TranslationLink]:
    """One link to every view but the anchor, the text or else the view with the most sources, as they reach it.

    A word is one token and the same in every text, so that clusters of words are meanings; those of patches are not.
    Neighbour pairs are guesses: they link only what no others reach.
    """
    certain = [source for source in sources if source.kind != NEIGHBOUR]
    degree = {name: sum(name in (source.left, source.right) for source in certain or sources) for name in views}
    reached, links = [max(views, key=lambda name: (name in texts, degree[name]))], []
    for usable in (certain, sources):
        for name in reached:  # grows as views are reached
            for source in usable:
                sides = ((source.left, source.left_rows), (source.right, source.right_rows))
                for (known, known_rows), (new, new_rows) in (sides, sides[::-1]):
                    if known == name and new not in reached:
                        reached.append(new)
                        places = _places(views[known].rows, known_rows), _places(views[new].rows, new_rows)
                        links.append(TranslationLink(known, new, *places))
    for name in set(views) - set(reached):
        raise IsthmusError(f"no chain of pair sources leads from {reached[0]!r} to {name!r}: add one, or leave it out")
    return links


def _places(sampled: Int[np.ndarray, " items"], rows: Int[np.ndarray, " pairs"]) -> Int[Tensor, " pairs"]:
    """Where each row is among those sampled, which ascend and have it."""
    return torch.from_numpy(np.searchsorted(sampled, rows))


def _cells(vectors: Float[Tensor, "tokens dim"], draw: torch.Generator) -> Int[Tensor, " tokens"]:
    """Each token's cluster, numbered from 0 without gaps."""
    sample = vectors[torch.randperm(len(vectors), generator=draw)[:CELL_TOKENS]]
    centres = k_means(sample, min(MOST_CELLS, len(sample)), draw, spread=True)
    return torch.unique(nearest(vectors, centres), return_inverse=True)[1]


def _first_readers(
    views: Mapping[str, SampledTokens], links: Sequence[TranslationLink], cells: Int[Tensor, " tokens"], count: int
) -> dict[str, TokenReader]:
    """Readers by ridge regression of mean tokens: what predicts an item's mean says what single tokens add to it."""
    anchor = links[0].known
    means = {name: view.item_means() for name, view in views.items()}
    maps = {anchor: _whitening(means[anchor])}
    meaning = _code_means(views[anchor], cells, count)[0] @ maps[anchor]
    meaning = functional.normalize(meaning, dim=1).T
    readers = {anchor: _reader(views[anchor], cells, count)}
    for link in links:
        wanted = means[link.known][link.known_places] @ maps[link.known]
        maps[link.new] = _ridge(means[link.new][link.new_places], wanted)
        view = views[link.new]
        typical = ((view.vectors - view.mean) @ maps[link.new]).square().sum(1).mean().sqrt()
        weights = FIRST_SHARPNESS / typical * maps[link.new] @ meaning
        readers[link.new] = TokenReader(weights, -view.mean @ weights)
    return readers


def _whitening(rows: Float[Tensor, "rows dim"]) -> Float[Tensor, "dim dim"]:
    values, vectors = torch.linalg.eigh(rows.T @ rows / len(rows))
    return (vectors / (values + WHITENING * values.mean()).sqrt()) @ vectors.T


def _ridge(given: Float[Tensor, "pairs dim"], wanted: Float[Tensor, "pairs other"]) -> Float[Tensor, "dim other"]:
    """Weights that predict ``wanted``, with the penalty that predicts a quarter of the pairs best from the others."""
    held = torch.arange(len(given)) % 4 == 0
    values, vectors = torch.linalg.eigh(given[~held].T @ given[~held])
    turned = vectors.T @ (given[~held].T @ wanted[~held])
    found = [vectors @ (turned / (values + share * values.mean())[:, None]) for share in PENALTIES]
    errors = [(wanted[held] - given[held] @ weights).square().sum() for weights in found]
    return found[int(torch.stack(errors).argmin())]


def _pass(
    views: Mapping[str, SampledTokens],
    links: Sequence[TranslationLink],
    chosen: dict[str, Int[Tensor, " tokens"]],
    readers: dict[str, TokenReader],
    count: int,
) -> None:
    """Every view learns from the one it is linked to, in place."""
    for link in links:
        known, view = views[link.known], views[link.new]
        use = known.use(chosen[link.known], count)
        rarity = (use.mean(0) + NEVER).log()
        allowed = torch.zeros(len(view.rows), count)
        allowed[link.new_places] = (use[link.known_places] + NEVER).log() - COMMON * rarity
        reader = readers[link.new]
        parts = zip(view.vectors.split(BLOCK), view.item.split(BLOCK), strict=True)
        own = torch.cat([(reader.fit(part) + allowed[item]).argmax(1) for part, item in parts])
        paired = torch.zeros(len(view.rows), dtype=torch.bool)
        paired[link.new_places] = True
        learned = paired[view.item]
        chosen[link.new] = own
        readers[link.new] = _reader(view.of(learned), own[learned], count)


def _code_means(
    view: SampledTokens, codes: Int[Tensor, " tokens"], count: int
) -> tuple[Float[Tensor, "codes dim"], Float[Tensor, " codes"]]:
    """Each code's mean token, less that of the view and drawn towards it, and each code's number of tokens."""
    number = torch.bincount(codes, minlength=count).float()
    sums = torch.zeros(count, len(view.mean)).index_add_(0, codes, view.vectors) - number[:, None] * view.mean
    return sums / (number + PSEUDO_TOKENS)[:, None], number


def _within(
    view: SampledTokens, means: Float[Tensor, "codes dim"], number: Float[Tensor, " codes"]
) -> Float[Tensor, "dim dim"]:
    """The covariance of tokens around the means of their codes, drawn towards a sphere."""
    within = view.covariance - (means.T * (number / number.sum())) @ means
    return within + SHRINKAGE * within.trace() / len(within) * torch.eye(len(within))


def _reader(view: SampledTokens, codes: Int[Tensor, " tokens"], count: int) -> TokenReader:
    """Linear discriminants of tokens with known codes."""
    means, number = _code_means(view, codes, count)
    weights = torch.linalg.solve(_within(view, means, number), means.T)
    offset = -0.5 * (means * weights.T).sum(1) - view.mean @ weights
    prior = ((number + 1) / (number + 1).sum()).log()
    return TokenReader(SHARPNESS * weights, SHARPNESS * offset + FREQUENCY * prior)


def _merged(
    views: Mapping[str, SampledTokens],
    anchor: str,
    chosen: Mapping[str, Int[Tensor, " tokens"]],
    count: int,
    codes: int,
) -> Int[Tensor, " cells"]:
    """The new code of each cell: cells whose tokens look alike in the views that learned them become one.

    Two forms of a word, or two words that always come together, differ in the anchor only. What the other views do not
    show at all is no meaning that they could share: it gets one code.
    """
    others = [name for name in chosen if name != anchor]
    known = torch.stack([torch.bincount(chosen[name], minlength=count) for name in others]).sum(0) >= KNOWN
    if known.sum() < 2:
        return torch.zeros(count, dtype=torch.int64)
    apart = (1 - _likeness([(views[name], chosen[name]) for name in others], count)[known][:, known]).clamp(min=0)
    tree = linkage(squareform(apart.fill_diagonal_(0).double().numpy(), checks=False), "average")
    left = max(1, codes - int(not known.all()))
    found = fcluster(tree, left, "maxclust") if codes else fcluster(tree, 1 - LEAST_LIKENESS, "distance")
    merged = torch.full((count,), int(found.max()), dtype=torch.int64)
    merged[known] = torch.from_numpy(found).long() - 1
    return merged


def _likeness(
    learned: Sequence[tuple[SampledTokens, Int[Tensor, " tokens"]]], count: int
) -> Float[Tensor, "cells cells"]:
    """The cosine of each two cells' mean tokens, whitened within cells: the mean over views."""
    alike = torch.zeros(count, count)
    for view, codes in learned:
        means, number = _code_means(view, codes, count)
        values, vectors = torch.linalg.eigh(_within(view, means, number))
        seen = functional.normalize(means @ vectors / values.clamp(min=values.max() * 1e-6).sqrt(), dim=1)
        alike += seen @ seen.T / len(learned)
    return alike
