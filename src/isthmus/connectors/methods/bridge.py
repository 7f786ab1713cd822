"""Bridge: no map is learned, items are carried into the other space by the overlap's texts that they are like."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from isthmus.base.progress import begin
from isthmus.connectors.config import BridgeConfig
from isthmus.connectors.member import Head, Member
from isthmus.connectors.overlap.materials import Materials
from isthmus.connectors.overlap.rows import TensorRows, evenly_spaced
from isthmus.connectors.pseudo.centred import CentredMaterials, centred_materials
from isthmus.connectors.text_bridge import TextBridge

MOST_TEXTS = 20_000
"""Texts that are kept: every row is compared with each of them."""
ITEMS = 3000
"""Items of a memory on which similarities and the frequency of texts are measured."""
EVERY = 0.01
"""Share of additional items that choose all texts alike, so that no frequency is 0."""
Sides = tuple[Tensor, Tensor]


def fit_bridge(materials: Materials, config: BridgeConfig) -> Member:
    """A bridge over at most 20 000 rows of the overlap, evenly spaced."""
    count = len(materials.left.overlap)
    rows = torch.linspace(0, count - 1, min(count, MOST_TEXTS), dtype=torch.float64).long()
    view = centred_materials(materials, config.centring, rows, pseudo=False)
    begin("fitting")
    return bridge_member(view, torch.arange(len(rows)), config)


def bridge_member(view: CentredMaterials, rows: Int[Tensor, " rows"], config: BridgeConfig) -> Member:
    """A bridge over some texts of a view.

    Both heads give ``[left space, right space]``: a left item keeps its vector and is carried to the right, a right one
    is carried to the left and keeps its vector.
    """
    texts = view.texts[0][rows], view.texts[1][rows]
    heads = [Head(nn.Sequential(_layer(view, texts, side, config)), view.centres[side]) for side in (0, 1)]
    return Member(heads[0], heads[1], "bridge", "overlap")


def _layer(view: CentredMaterials, texts: Sides, side: int, config: BridgeConfig) -> TextBridge:
    own, other = texts[side], texts[1 - side]
    memory = view.memories[side]
    items = own if memory is None else evenly_spaced(TensorRows(memory), ITEMS, own.device)
    cosines = items @ own.T
    sharpness = 1 / (config.temperature * cosines.std())
    layer = TextBridge(len(own), own.shape[1], other.shape[1], own_first=side == 0)
    linear = _strongly_penalised(own, other, config.penalty)
    layer.load_state_dict(
        {
            "own": own.half(),
            "counterparts": (other - own @ linear).half(),
            "bias": -_log_frequency(sharpness * cosines),
            "sharpness": sharpness[None],
            "linear.weight": linear.T,
        }
    )
    return layer.eval().requires_grad_(False)


def _log_frequency(logits: Float[Tensor, "items texts"]) -> Float[Tensor, " texts"]:
    """The log of how often each text is chosen, for each as if there were a few more items that choose all alike.

    Without it, the few texts that are near everything would be chosen for every item.
    """
    used = torch.softmax(logits, 1).mean(0)
    return (used + EVERY / len(used)).log()


def _strongly_penalised(
    own: Float[Tensor, "texts dim"], other: Float[Tensor, "texts other"], penalty: float
) -> Float[Tensor, "dim other"]:
    """Ridge regression: what texts do not say about a row is carried by a map that shrinks it."""
    moment = own.T @ own / len(own)
    ridge = moment + penalty * moment.diagonal().mean() * torch.eye(len(moment))
    return torch.linalg.solve(ridge, own.T @ other / len(own))
