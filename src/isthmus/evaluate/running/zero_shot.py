"""Zero-shot classification: items against the means of their classes' prompts."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from isthmus.base.errors import IsthmusError
from isthmus.base.space_names import shared_space
from isthmus.evaluate.annotations.data import DataItem, Labelled
from isthmus.evaluate.running.figures import Subset, intervals_of
from isthmus.evaluate.running.sources import Found
from isthmus.evaluate.running.views import SpacePair
from isthmus.metrics.classification import average_precisions, top_k_hits

KS = (1, 3, 5)


def prompt_entries(data: Labelled) -> list[DataItem]:
    """Every prompt of every class, class by class."""
    return [
        DataItem(f"{place}#{number}", str(place), text=template.format(name))
        for place, name in enumerate(data.classes)
        for number, template in enumerate(data.templates)
    ]


def zero_shot_subset(data: Labelled, view: SpacePair, items: Found, prompts: Found) -> Subset:
    """The figures of one view: top-k accuracy, or mean average precision over classes if items have several."""
    kept = [place for place, own in enumerate(data.entries) if own.id in items.row_of]
    rows, space = view.rows(items, [data.entries[own].id for own in kept])
    classes, other = _class_rows(data, view, prompts)
    if shared_space(space, other) is None:
        raise IsthmusError(f"items are in {space!r}, classes in {other!r}: give a connector of both")
    scores = rows @ classes.T
    labels = [data.labels[own] for own in kept]
    facts = {"items": len(kept), "classes": len(classes), "prompts_per_class": len(data.templates)}
    if all(len(own) == 1 for own in data.labels):
        hits = top_k_hits(scores, np.array([own[0] for own in labels]), KS)
        each = {f"top{k}": own.astype(np.float64) for k, own in hits.items()}
        figures = {name: float(own.mean()) for name, own in each.items()}
        figures |= {f"chance.top{k}": min(1.0, k / len(classes)) for k in KS}
        return Subset(view.name, figures, intervals_of(each), facts)
    return _several(view.name, scores, labels, facts)


def _several(
    name: str, scores: Float[np.ndarray, "items classes"], labels: list[tuple[int, ...]], facts: dict[str, int]
) -> Subset:
    """Items with several classes: mAP over the classes that have items, and whether the best class is one of them."""
    relevant: Bool[np.ndarray, "items classes"] = np.zeros(scores.shape, dtype=bool)
    for row, own in enumerate(labels):
        relevant[row, list(own)] = True
    shown = relevant.any(0)
    precisions = average_precisions(scores.T[shown], relevant.T[shown])
    best = np.where(relevant, scores, -np.inf).max(1)
    others = np.where(relevant, -np.inf, scores).max(1)
    top = {"top1": (best > others).astype(np.float64)}
    figures = {"map": float(precisions.mean()), "top1": float(top["top1"].mean())}
    intervals = intervals_of({"map": precisions}) | intervals_of(top)
    return Subset(name, figures, intervals, facts | {"classes_with_items": int(shown.sum())})


def _class_rows(data: Labelled, view: SpacePair, prompts: Found) -> tuple[Float[np.ndarray, "classes dim"], str]:
    """One unit row per class: the normalized mean of its projected prompts."""
    texts = prompt_entries(data)
    lacking = next((own.text for own in texts if own.id not in prompts.row_of), None)
    if lacking is not None:
        raise IsthmusError(f"no vector of the prompt {lacking!r}: a class needs all of its prompts, so embed it")
    rows, space = view.rows(prompts, [own.id for own in texts])
    means = rows.reshape(len(data.classes), len(data.templates), -1).mean(1)
    return means / np.linalg.norm(means, axis=1, keepdims=True), space
