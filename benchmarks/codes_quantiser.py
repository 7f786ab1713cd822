"""Our quantiser against vector-quantize-pytorch: speed and fit on the same real tokens and moving averages.

    pip install vector-quantize-pytorch
    python benchmarks/codes_quantiser.py --images mnist_8k.npz --speech fsdd_8k.npz

Image and audio tokens of the digits world, each modality standardised, in batches of 4096; k-means start, decay .99,
Euclidean. For each number of codes: milliseconds of a training step (assign and update, best of three runs of 100) and
of assignment alone, mean squared distance of held-out tokens to their codes, perplexity, and share of codes in use.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from isthmus.codes.model.codebook import Codebook
from isthmus.codes.reading.use import perplexity, use_shares
from isthmus.demo.code_data import audio_items, image_items
from isthmus.demo.digits import DigitsDemo
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.world import Sizes
from real_digits import real_digits

BATCH, STEPS = 4096, 300
Step = Callable[[torch.Tensor], None]
Assign = Callable[[torch.Tensor], torch.Tensor]


def standardised_tokens(digits: DigitsWorld) -> torch.Tensor:
    """Equally many image and audio tokens, in random order."""
    world = digits.world("dev", Sizes(texts=10, memory=3000, pairs=0, gallery=10))
    items = image_items(DigitsDemo(digits), world.left["image"]), audio_items(DigitsDemo(digits), world.right["audio"])
    vectors = [own.tokens.vectors[:100_000] for own in items]
    fewest = min(map(len, vectors))
    both = np.concatenate([(own[:fewest] - own.mean(0)) / own.std(0) for own in vectors])
    return torch.from_numpy(both)[torch.randperm(len(both), generator=torch.Generator().manual_seed(0))]


def ours(tokens: torch.Tensor, codes: int) -> tuple[Step, Assign]:
    """A training step and assignment of our codebook."""
    draw = torch.Generator().manual_seed(0)
    book = Codebook(codes, tokens.shape[1]).train()
    book.start_from(tokens[:BATCH], draw)
    return lambda batch: book.update(book.gathered(batch, book.assign(batch)), draw), book.assign


def theirs(tokens: torch.Tensor, codes: int) -> tuple[Step, Assign]:
    """A training step and assignment of vector-quantize-pytorch, with its own remedy for dead codes."""
    from vector_quantize_pytorch import VectorQuantize

    torch.manual_seed(0)
    quantiser = VectorQuantize(
        dim=tokens.shape[1], codebook_size=codes, decay=0.99, kmeans_init=True, threshold_ema_dead_code=1
    ).train()
    quantiser(tokens[None, :BATCH])

    def assign(batch: torch.Tensor) -> torch.Tensor:
        quantiser.eval()
        with torch.no_grad():
            found = quantiser(batch[None])[1][0]
        quantiser.train()
        return found

    return lambda batch: quantiser(batch[None]) and None, assign


def milliseconds(work: Callable[[], object], calls: int) -> float:
    """The time of one call, best of three runs."""
    best = np.inf
    for _ in range(3):
        started = time.perf_counter()
        for _ in range(calls):
            work()
        best = min(best, (time.perf_counter() - started) / calls)
    return 1000 * best


def main() -> None:
    tokens = standardised_tokens(real_digits(__doc__).world_of(0))
    training, held = tokens[BATCH:], tokens[:BATCH]
    batches = training.split(BATCH)[:-1]
    print("| codes | quantiser | step, ms | assignment, ms | squared distance | perplexity | in use |")
    for codes in (64, 256, 1024):
        for name, make in (("isthmus", ours), ("vector-quantize-pytorch", theirs)):
            step, assign = make(training, codes)
            for number in range(STEPS):
                step(batches[number % len(batches)])
            chosen = assign(training)
            means = torch.zeros(codes, tokens.shape[1]).index_add_(0, chosen, training)
            means /= torch.bincount(chosen, minlength=codes).clamp(min=1)[:, None]
            error = (held - means[assign(held)]).square().sum(1).mean()
            shares = use_shares({"all": chosen.numpy()}, codes)
            print(
                f"| {codes} | {name} | {milliseconds(lambda: step(batches[0]), 100):.1f} "  # noqa: B023
                f"| {milliseconds(lambda: assign(held), 50):.1f} | {error:.2f} "  # noqa: B023
                f"| {perplexity(shares)[0]:.0f} | {(shares > 0).mean():.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
