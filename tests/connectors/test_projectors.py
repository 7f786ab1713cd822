"""Projectors are the published ones, and folding changes their form but not their function."""

from pathlib import Path

import pytest
import torch
from torch import nn

from isthmus.connectors.methods.projectors import FEW_OVERLAP_ROWS, clap_clip, folded, linear, projector, ulip_clip


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def shapes(built: nn.Sequential) -> list[str]:
    return [f"{type(layer).__name__.removeprefix('Shared')}{_size(layer)}" for layer in built]


def _size(layer: nn.Module) -> str:
    match layer:
        case nn.Linear():
            return f" {layer.in_features}-{layer.out_features}"
        case nn.BatchNorm1d():
            return f" {layer.num_features}"
    return ""


def test_architectures_at_512_dimensions_are_the_published_ones() -> None:
    assert shapes(clap_clip(512, 512, draw())) == [
        "Linear 512-1024",
        "BatchNorm 1024",
        "ReLU",
        "Linear 1024-512",
        "BatchNorm 512",
    ]
    assert shapes(ulip_clip(512, 512, draw())) == ["Linear 512-512", "BatchNorm 512", "ReLU"]


def test_the_released_ulip_heads_load_into_the_ulip_projector(shared_data: Path) -> None:
    released = torch.load(shared_data / "cmcr_official" / "ulip_clip.pt", weights_only=True)
    for head in ("Head_A", "Head_B"):
        built = ulip_clip(512, 512, draw())
        own = f"{head}.net."
        built.load_state_dict({name.removeprefix(own): t for name, t in released.items() if name.startswith(own)})
        outputs = folded(built.eval())(torch.randn(8, 512, generator=draw(1)) / 512**0.5)
        assert (outputs >= 0).all()
        assert outputs.max() > 0


@pytest.mark.parametrize("family", ["clap-clip", "ulip-clip", "linear"])
def test_any_dimensions_fit_every_family(family: str) -> None:
    built = projector(family, 12, 7, 100, draw()).eval()
    assert built(torch.randn(5, 12, generator=draw(1))).shape == (5, 7)


def test_auto_takes_linear_projectors_for_few_overlap_rows_and_mlps_for_many() -> None:
    assert len(projector("auto", 8, 8, FEW_OVERLAP_ROWS - 1, draw())) == 1
    assert shapes(projector("auto", 8, 8, FEW_OVERLAP_ROWS, draw())) == shapes(clap_clip(8, 8, draw()))


def test_the_same_generator_state_draws_the_same_weights() -> None:
    first, second = clap_clip(6, 4, draw(3)), clap_clip(6, 4, draw(3))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


@pytest.mark.parametrize("build", [clap_clip, ulip_clip, linear])
def test_folding_keeps_the_function_and_leaves_no_batch_norm(build: object) -> None:
    built = build(10, 6, draw(4))
    rows = torch.randn(300, 10, generator=draw(5))
    for batch in rows.split(50):
        built(3 * batch + 1)
    plain = folded(built.eval())
    torch.testing.assert_close(plain(rows), built(rows), rtol=1e-5, atol=1e-5)
    assert not any(isinstance(layer, nn.BatchNorm1d) for layer in plain)
    assert not any(parameter.requires_grad for parameter in plain.parameters())


def test_folding_merges_linear_layers_that_follow_one_another() -> None:
    first, second = clap_clip(5, 4, draw(6)), linear(4, 3, draw(7))
    chained = nn.Sequential(*first, *second)
    chained(torch.randn(64, 5, generator=draw(8)))
    plain = folded(chained.eval())
    assert shapes(plain) == ["Linear 5-8", "ReLU", "Linear 8-3"]
    rows = torch.randn(20, 5, generator=draw(9))
    torch.testing.assert_close(plain(rows), chained(rows), rtol=1e-5, atol=1e-5)
