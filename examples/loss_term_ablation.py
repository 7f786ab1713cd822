"""C-MCR with a loss term of your own, ablated over three seeds: does it help retrieval between unpaired modalities?

The term asks that projected overlap rows keep their native cosines. Run: python examples/loss_term_ablation.py
"""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

import isthmus

SEEDS, WEIGHTS = (0, 1, 2), (0.0, 10.0, 100.0)


@dataclass
class KeptCosines:
    """Mean squared difference between the cosines of overlap rows before and after projection."""

    weight: float
    name: str = "kept_cosines"

    def __call__(self, batch: isthmus.CmcrBatch) -> Tensor:
        """The term of one batch."""
        pairs = zip(batch.overlap, batch.native_overlap, strict=True)
        return sum((joint @ joint.T - native @ native.T).square().mean() for joint, native in pairs)


def two_spaces(seed: int) -> tuple[list[dict], dict]:
    """Random projections of one latent space, with a modality gap; and 200 true pairs to test on."""
    draw = np.random.default_rng(seed)
    texts, images, sounds, true = (draw.standard_normal((rows, 24)) for rows in (800, 800, 800, 200))
    sides, pairs = [], {}
    for space, modality, memory, dim in (("clip", "image", images, 64), ("clap", "audio", sounds, 48)):
        mixing, gap = draw.standard_normal((24, dim)), 2 * draw.standard_normal(dim)
        sets = {}
        for name, latent, shift in (("text", texts, 0), (modality, memory, gap), ("true", true, gap)):
            vectors = latent @ mixing + shift + 2 * draw.standard_normal((len(latent), dim))
            sets[name] = isthmus.Embeddings.from_array(
                vectors, modality=modality if name == "true" else name, space=space, ids=range(len(latent))
            )
        pairs[modality] = sets.pop("true")
        sides.append(sets)
    return sides, pairs


def recall_at_1(seed: int, weight: float) -> float:
    """R@1 of images by audio, in percent, with the term at this weight."""
    sides, pairs = two_spaces(seed)
    options = {"loss_terms": [KeptCosines(weight)] if weight else [], "optimisation": {"epochs": 4, "min_steps": 100}}
    connector = isthmus.connect(*sides, method="cmcr", seed=seed, **options)
    return 100 * isthmus.metrics.retrieval(*map(connector.project, (pairs["audio"], pairs["image"]))).recall[1]


if __name__ == "__main__":
    print("| weight | " + " | ".join(f"seed {seed}" for seed in SEEDS) + " | mean ± std |\n" + "|---" * 5 + "|")
    for weight in WEIGHTS:
        rates = [recall_at_1(seed, weight) for seed in SEEDS]
        cells = " | ".join(f"{rate:.1f}" for rate in rates)
        print(f"| {weight:g} | {cells} | {np.mean(rates):.1f} ± {np.std(rates, ddof=1):.1f} |")
