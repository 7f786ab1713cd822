"""Do discrete codes help retrieval? Search without codes, and with its best hits re-ranked by codes in several ways.

    python benchmarks/codes_retrieval.py --images mnist_8k.npz --speech fsdd_8k.npz --out codes_retrieval.json

R@1 in percent, mean of both directions, galleries of 500, over seeds, on dev and test. The connector (auto) and the
codes are trained without pairs. The 20 best hits of each query are re-ranked by the sum of the standardised score and
the standardised similarity of codes: of bags of codes (code similarity S), by late interaction (each token's best
match), or by alignment. ``codes alone`` ranks the whole gallery by alignment. Last the paper's way, with true pairs:
retrieval by the summary, with and without its discrete part.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

from isthmus import connect
from isthmus.codes.learning.fit import fit_codes
from isthmus.codes.learning.pairs import CodeItems
from isthmus.codes.model.config import CodesConfig
from isthmus.codes.model.model import CodeModel
from isthmus.codes.reading.alignment import CodeSequences, alignment_scores
from isthmus.demo.code_data import audio_items, code_data, image_items
from isthmus.demo.digits import DigitsDemo
from isthmus.worlds.digits.digits_world import DigitsWorld
from isthmus.worlds.world import Gallery, Sizes
from real_digits import real_digits

SHORTLIST = 20


def recall(scores: np.ndarray, relevant: np.ndarray) -> float:
    """R@1 in percent of rows."""
    return 100 * float(np.take_along_axis(relevant, scores.argmax(1)[:, None], 1).mean())


def bag_likeness(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """S of all items (papers B.6)."""
    return np.exp(left) @ right.T + left @ np.exp(right).T


def late_interaction(left: CodeItems, right: CodeItems, log_codes: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Mean over a left item's tokens of their best agreement with a right item's, and the reverse, added."""
    agreement = np.exp(log_codes[0] / 2) @ np.exp(log_codes[1] / 2).T
    starts, others = left.tokens.offsets[:-1], right.tokens.offsets[:-1]
    there = np.add.reduceat(np.maximum.reduceat(agreement, others, axis=1), starts, axis=0)
    back = np.add.reduceat(np.maximum.reduceat(agreement, starts, axis=0), others, axis=1)
    return there / left.tokens.counts[:, None] + back / right.tokens.counts


def all_alignments(left: CodeItems, right: CodeItems, log_codes: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Alignment of every left item with every right one."""
    everything = np.tile(np.arange(len(right.tokens)), (len(left.tokens), 1))
    spelled = (CodeSequences.of(own, items.tokens.offsets) for own, items in zip(log_codes, (left, right), strict=True))
    return alignment_scores(*spelled, everything)


def reordered(scores: np.ndarray, likeness: np.ndarray, weight: float = 1.0) -> np.ndarray:
    """Scores of the best hits with standardised likeness added; all else far below."""
    best = np.argsort(-scores, axis=1)[:, :SHORTLIST]
    parts = [np.take_along_axis(own, best, 1) for own in (scores, likeness)]
    standard = [(own - own.mean(1, keepdims=True)) / own.std(1, keepdims=True) for own in parts]
    found = np.full(scores.shape, -np.inf)
    np.put_along_axis(found, best, standard[0] + weight * standard[1], 1)
    return found


def both_ways(gallery: Gallery, scores: np.ndarray, likeness: np.ndarray | None = None) -> float:
    """R@1, mean of both directions."""
    relevant = gallery.relevant()
    there = scores if likeness is None else reordered(scores, likeness)
    back = scores.T if likeness is None else reordered(scores.T, likeness.T)
    return (recall(there, relevant) + recall(back, relevant.T)) / 2


def by_summary(model: CodeModel, items: tuple[CodeItems, CodeItems], gallery: Gallery) -> float:
    """R@1 of the paper's summaries."""
    left, right = (model.summarise(own.tokens, own.pooled) for own in items)
    return both_ways(gallery, left @ right.T)


def figures(
    digits: DigitsWorld,
    galleries: Mapping[str, Gallery],
    joint: Mapping[str, np.ndarray],
    models: Mapping[str, CodeModel],
) -> dict[str, float]:
    """Every way of searching on every gallery; ``joint`` are the connector's scores."""
    found = {}
    for name, gallery in galleries.items():
        items = image_items(DigitsDemo(digits), gallery.left), audio_items(DigitsDemo(digits), gallery.right)
        writer = models["unpaired"]
        log_codes = writer.token_codes(items[0].tokens), writer.token_codes(items[1].tokens)
        bags = bag_likeness(writer.item_codes(items[0].tokens), writer.item_codes(items[1].tokens))
        aligned = all_alignments(*items, log_codes)
        found[f"without codes.{name}"] = both_ways(gallery, joint[name])
        found[f"+ bags of codes.{name}"] = both_ways(gallery, joint[name], bags)
        found[f"+ late interaction.{name}"] = both_ways(gallery, joint[name], late_interaction(*items, log_codes))
        found[f"+ alignment.{name}"] = both_ways(gallery, joint[name], aligned)
        found[f"codes alone.{name}"] = both_ways(gallery, aligned)
        found[f"paired summary.{name}"] = by_summary(models["paired"], items, gallery)
        found[f"paired summary, continuous part only.{name}"] = by_summary(models["continuous"], items, gallery)
    return found


def continuous_part(model: CodeModel) -> CodeModel:
    """The same model with the discrete part of its summaries taken away."""
    copy = CodeModel(model.views, model.config, model.facts, model.summary_dim)
    copy.load_state_dict({name: t * 0 if ".discrete." in name else t for name, t in model.state_dict().items()})
    return copy


def main() -> None:
    given = real_digits(__doc__, "codes_retrieval.json")
    found: list[dict[str, float]] = []
    for seed in range(given.seeds):
        digits = given.world_of(seed)
        sizes = Sizes(texts=5000, memory=4000, pairs=4000, gallery=500)
        worlds = {split: digits.world(split, sizes, seed=seed) for split in ("dev", "test")}
        joined = connect(worlds["dev"].left, worlds["dev"].right)
        known = code_data(DigitsDemo(digits), worlds["dev"], connector=joined)
        models = {
            name: fit_codes(own.items, own.sources, CodesConfig(), seed=seed, device="cpu")
            for name, own in (("unpaired", known.unpaired), ("paired", known.paired))
        }
        models["continuous"] = continuous_part(models["paired"])
        found.append({})
        for split, world in worlds.items():
            galleries = world.galleries
            joint = {
                n: joined.project(g.left).vectors @ joined.project(g.right).vectors.T for n, g in galleries.items()
            }
            own = figures(digits, galleries, joint, models)
            found[-1] |= {f"{split}.{name}": value for name, value in own.items()}
            print(f"seed {seed} {split}: " + ", ".join(f"{k} {v:.1f}" for k, v in own.items()), flush=True)
        given.out.write_text(json.dumps(found, indent=1))
    for name in found[0]:
        values = [own[name] for own in found]
        print(f"{name:50} {np.mean(values):5.1f} ± {np.std(values):.1f}")


if __name__ == "__main__":
    main()
