"""The checkpoints that C-MCR's and Ex-MCR's authors released: reading them, and writing members in their layout.

Their files are state dicts: two heads (C-MCR), or a layer and two MLPs for one leaf (Ex-MCR, base CLIP). The names of
the weights tell them apart. Only weights are unpickled.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from isthmus.base.atomic import atomic_path
from isthmus.base.errors import IsthmusError, reading
from isthmus.connectors.member import Head, Member
from isthmus.connectors.methods.projectors import folded
from isthmus.spaces.checkpoint import read_weights_only

SUFFIXES = (".pt", ".pth", ".bin")
MEMORIES = {"clap": "audio", "ulip": "points"}
OVERLAPS = {"clap": "text", "ulip": "image"}
State = Mapping[str, Tensor]
REMEDY = "download the official file again"


@dataclass(frozen=True)
class OfficialCheckpoint:
    """One member, and the spaces and the overlap that it connects; ``exported`` if `write_official` made the file."""

    left_space: str
    right_space: str
    overlap: str
    member: Member
    exported: bool = False


@dataclass(frozen=True)
class Layout:
    """Which head belongs to which space, and the names of its ``parts``, each a Linear and a BatchNorm."""

    heads: Mapping[str, str]
    parts: tuple[str, ...]
    closing_relu: bool
    leaf: str


ULIP_CLIP = Layout({"clip": "Head_A", "ulip": "Head_B"}, ("net",), True, "ulip")
CLAP_CLIP = Layout({"clap": "Head_A", "clip": "Head_B"}, ("net1", "net2"), False, "clap")
EXMCR_PARTS = ("Head2.mlp1.net1", "Head2.mlp1.net2", "Head2.mlp2.net1", "Head2.mlp2.net2")


def read_official(path: Path) -> OfficialCheckpoint:
    """The member in an official file; it connects ``clip`` with ``ulip`` or ``clap``.

    The leaf of an Ex-MCR file is taken from the file's name. Raises `IsthmusError` for any other file.
    """
    state = _read(path)
    with reading(path, REMEDY):
        _require_stored(state)
        checkpoint = _checkpoint(path, state)
        _require_fit(checkpoint)
    return replace(checkpoint, exported=_never_trained(state))


def _checkpoint(path: Path, state: State) -> OfficialCheckpoint:
    names = set(state)
    if "Head_A.net.0.weight" in names:
        return _cmcr(path, ULIP_CLIP, state)
    if "Head_A.net1.0.weight" in names:
        return _cmcr(path, CLAP_CLIP, state)
    if {"Head1.weight", "Head2.mlp1.net1.0.weight"} <= names:
        return _exmcr(path, state)
    known = "ulip_clip.pt and clap_clip.pt of C-MCR, ex_clap.pt and ex_ulip.pt of Ex-MCR"
    raise IsthmusError(f"{path}: not a known checkpoint; isthmus reads {known}")


def _never_trained(state: State) -> bool:
    """Whether no batch norm has seen a batch: `write_official` folds them away, and writes the identity instead."""
    return not any(bool((value != 0).any()) for name, value in state.items() if name.endswith("num_batches_tracked"))


def _require_stored(state: State) -> None:
    """Raise `ValueError` for a tensor that claims more numbers than the file has, as one with strides of 0 does."""
    for name, tensor in state.items():
        if tensor.is_complex() or tensor.is_quantized:
            raise ValueError(f"{name} has numbers of type {tensor.dtype}")
        if tensor.layout != torch.strided or tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}, for which the file has too few numbers")


def _require_fit(checkpoint: OfficialCheckpoint) -> None:
    """Raise `ValueError` unless all weights are finite and each layer takes what the one before it gives."""
    widths = set()
    for head in (checkpoint.member.left, checkpoint.member.right):
        modules = [head.projector, *head.adapters.values()]
        if not all(value.isfinite().all() for module in modules for value in module.state_dict().values()):
            raise ValueError("has weights that are NaN or infinite")
        for adapter in head.adapters.values():
            adapter(torch.zeros(1, adapter.in_features))
        if len(head.projector):
            first = head.projector[0]
            assert isinstance(first, nn.Linear)
            widths.add(head.projector(torch.zeros(1, first.in_features)).shape[1])
    if len(widths) > 1:
        raise ValueError(f"its heads end in {' and '.join(map(str, sorted(widths)))} dimensions")


def write_official(checkpoint: OfficialCheckpoint, path: Path) -> Path:
    """Write a member in the layout of C-MCR's or Ex-MCR's files; returns ``path``.

    Raises `IsthmusError` if their layout has no place for it: centring, other spaces, another projector.
    """
    state = _state_of(checkpoint)
    content = io.BytesIO()
    torch.save(state, content)
    with atomic_path(path) as part:  # on a full disk this raises OSError, torch.save something else
        part.write_bytes(content.getvalue())
    return path


def _read(path: Path) -> dict[str, Tensor]:
    state = read_weights_only(path)
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise IsthmusError(f"{path}: not a state dict: {REMEDY}")
    return state


def _cmcr(path: Path, layout: Layout, state: State) -> OfficialCheckpoint:
    heads = {
        space: Head(_projector(path, state, [f"{head}.{part}" for part in layout.parts], layout.closing_relu), {})
        for space, head in layout.heads.items()
    }
    member = Member(left=heads["clip"], right=heads[layout.leaf], method="cmcr", source="official")
    return OfficialCheckpoint("clip", layout.leaf, OVERLAPS[layout.leaf], member)


def _exmcr(path: Path, state: State) -> OfficialCheckpoint:
    leaf = next((name for name in MEMORIES if name in path.stem.lower()), None)
    if leaf is None:
        raise IsthmusError(f"{path}: the name of an Ex-MCR file must say its leaf: call it ex_clap.pt or ex_ulip.pt")
    adapter = _linear(path, state, "Head1")
    projector = _projector(path, state, EXMCR_PARTS, False)
    right = Head(projector, {}, {MEMORIES[leaf]: adapter})
    member = Member(left=Head(nn.Sequential(), {}), right=right, method="exmcr", source="official")
    return OfficialCheckpoint("clip", leaf, OVERLAPS[leaf], member)


def _projector(path: Path, state: State, parts: list[str] | tuple[str, ...], closing_relu: bool) -> nn.Sequential:
    """Linear and BatchNorm of every part; a ReLU after each first half of an MLP, at the end only if closing."""
    layers: list[nn.Module] = []
    for number, part in enumerate(parts):
        layers += [_linear(path, state, f"{part}.0"), _batch_norm(path, state, f"{part}.1")]
        if number % 2 == 0 and (closing_relu or number + 1 < len(parts)):
            layers.append(nn.ReLU())
    return nn.Sequential(*layers).eval().requires_grad_(False)


def _linear(path: Path, state: State, name: str) -> nn.Linear:
    weight = _taken(path, state, f"{name}.weight")
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.load_state_dict({"weight": weight, "bias": _taken(path, state, f"{name}.bias")})
    return layer.requires_grad_(False)


def _batch_norm(path: Path, state: State, name: str) -> nn.BatchNorm1d:
    layer = nn.BatchNorm1d(len(_taken(path, state, f"{name}.weight")))
    kept = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    layer.load_state_dict({key: _taken(path, state, f"{name}.{key}") for key in kept})
    return layer.eval()


def _taken(path: Path, state: State, name: str) -> Tensor:
    if name not in state:
        raise IsthmusError(f"{path}: has no {name}: {REMEDY}")
    return state[name]


def _state_of(checkpoint: OfficialCheckpoint) -> dict[str, Tensor]:
    heads = _heads_by_family(checkpoint)
    if any(head.centres for head in heads.values()):
        raise IsthmusError("a connector with centring cannot be exported: connect with --centring none")
    leaf = next(name for name in heads if name != "clip")
    if len(heads["clip"].projector) == 0:
        return _exmcr_state(heads[leaf])
    layout, family = (ULIP_CLIP, "ulip-clip") if leaf == "ulip" else (CLAP_CLIP, "clap-clip")
    state: dict[str, Tensor] = {}
    for space, head in layout.heads.items():
        layers = _layers(heads[space].projector)
        closing = bool(len(heads[space].projector)) and isinstance(heads[space].projector[-1], nn.ReLU)
        if len(layers) != len(layout.parts) or closing != layout.closing_relu:
            raise IsthmusError(
                f"the authors' layout of clip and {leaf} has another projector: connect with --projector {family}"
            )
        for part, layer in zip(layout.parts, layers, strict=True):
            state |= _with_identity_norm(f"{head}.{part}", layer.weight, layer.bias)
    return state


def _heads_by_family(checkpoint: OfficialCheckpoint) -> dict[str, Head]:
    """Both heads by the family of their space. Raises `IsthmusError` for spaces that the authors did not connect."""
    left, right = checkpoint.left_space, checkpoint.right_space
    heads = {left.partition(":")[0]: checkpoint.member.left, right.partition(":")[0]: checkpoint.member.right}
    leaf = next((name for name in heads if name in OVERLAPS), None)
    if "clip" not in heads or leaf is None or checkpoint.overlap != OVERLAPS[leaf]:
        raise IsthmusError(
            f"{left!r} and {right!r} connected through {checkpoint.overlap} cannot be exported: the authors' layout "
            "has clip and clap through text, clip and ulip through image"
        )
    return heads


def _exmcr_state(leaf: Head) -> dict[str, Tensor]:
    layers = _layers(leaf.projector)
    if len(layers) not in (3, 4):
        raise IsthmusError("Ex-MCR's layout has a projector of two MLPs: connect with --projector two-mlps")
    if len(layers) == 3:
        layers = [layers[0], *_split(layers[1], layers[2].out_features), layers[2]]
    adapter = next(iter(leaf.adapters.values()), None)
    width = layers[0].in_features
    state = {
        "Head1.weight": torch.eye(width) if adapter is None else adapter.weight.detach().clone(),
        "Head1.bias": torch.zeros(width) if adapter is None else adapter.bias.detach().clone(),
    }
    for part, layer in zip(EXMCR_PARTS, layers, strict=True):
        state |= _with_identity_norm(part, layer.weight, layer.bias)
    return state


def _layers(projector: nn.Sequential) -> list[nn.Linear]:
    """The linear layers with their batch norms folded in."""
    return [layer for layer in folded(projector) if isinstance(layer, nn.Linear)]


def _split(layer: nn.Linear, width: int) -> tuple[nn.Linear, nn.Linear]:
    """One layer as two with ``width`` dimensions between them; exact, because folding two layers gave that rank."""
    left, values, right = torch.linalg.svd(layer.weight.double(), full_matrices=False)
    roots = values[:width].sqrt()
    first = nn.Linear(layer.in_features, width)
    second = nn.Linear(width, layer.out_features)
    with torch.no_grad():
        first.weight.copy_(roots[:, None] * right[:width])
        first.bias.zero_()
        second.weight.copy_(left[:, :width] * roots)
        second.bias.copy_(layer.bias)
    return first, second


def _with_identity_norm(name: str, weight: Tensor, bias: Tensor) -> dict[str, Tensor]:
    """A linear layer followed by a batch norm that is the identity."""
    width = len(bias)
    eps = nn.BatchNorm1d(1).eps
    return {
        f"{name}.0.weight": weight.detach().clone(),
        f"{name}.0.bias": bias.detach().clone(),
        f"{name}.1.weight": torch.ones(width),
        f"{name}.1.bias": torch.zeros(width),
        f"{name}.1.running_mean": torch.zeros(width),
        f"{name}.1.running_var": torch.full((width,), 1 - eps),
        f"{name}.1.num_batches_tracked": torch.tensor(0),
    }
