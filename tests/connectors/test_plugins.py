"""Plug-ins: own loss terms, projectors and methods reach the fit, are recorded, and are refused in one line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import isthmus
from isthmus import CmcrBatch, CmcrConfig, Connector, Head, IsthmusError, Materials, Member
from isthmus.connectors.methods.cmcr import CmcrObjective, fit_cmcr
from isthmus.connectors.methods.plugins import Plugins
from two_sides import two_spaces
from two_views import draw

QUICK = isthmus.OptimisationConfig(epochs=1, min_steps=5)


class Recorder:
    """A term that keeps the batches it gets."""

    def __init__(self, weight: float = 1.0) -> None:
        self.name, self.weight = "recorder", weight
        self.batches: list[CmcrBatch] = []

    def __call__(self, batch: CmcrBatch) -> Tensor:
        self.batches.append(batch)
        return batch.overlap[0].sum()


class LearnedShift(nn.Module):
    """A term with a parameter, which it draws towards 3."""

    def __init__(self) -> None:
        super().__init__()
        self.name, self.weight = "learned_shift", 1.0
        self.shift = nn.Parameter(torch.zeros(()))

    def forward(self, batch: CmcrBatch) -> Tensor:
        return (self.shift - 3).square()


def gelu_mlp(inputs: int, outputs: int, generator: torch.Generator) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(inputs), nn.Linear(inputs, 16, bias=False), nn.BatchNorm1d(16), nn.GELU(), nn.Linear(16, outputs)
    )


class Padded:
    """A method that pads both spaces with zeros."""

    name = "padded"

    def __init__(self) -> None:
        self.seen: Materials | None = None

    def fit(self, materials: Materials, **run: Any) -> Member:
        self.seen = materials
        heads = []
        for side in (materials.left, materials.right):
            layer = nn.Linear(side.overlap.dim, 24, bias=False)
            nn.init.eye_(layer.weight)
            heads.append(Head(nn.Sequential(layer.requires_grad_(False)), {}))
        return Member(heads[0], heads[1], method=self.name, source="overlap")


def test_a_loss_term_is_added_with_its_weight() -> None:
    rows = torch.nn.functional.normalize(torch.randn(2, 30, 6, generator=torch.Generator().manual_seed(0)), dim=-1)
    projectors = nn.Sequential(nn.Identity()), nn.Sequential(nn.Identity())
    config = CmcrConfig(noise_variance=0.0)
    batch, noise = torch.arange(10), torch.Generator().manual_seed(0)
    term = Recorder(weight=0.25)
    plain = CmcrObjective(rows, rows.flip(2), projectors, config)(batch, noise)
    found = CmcrObjective(rows, rows.flip(2), projectors, config, [term])(batch, noise)
    torch.testing.assert_close(found, plain + 0.25 * rows[0, :10].sum())
    (seen,) = term.batches
    torch.testing.assert_close(seen.native_overlap[0], rows[0, :10])
    assert seen.pseudo is not None
    assert seen.native_pseudo is not None
    torch.testing.assert_close(seen.pseudo[1], rows.flip(2)[1, :10])
    torch.testing.assert_close(seen.native_pseudo[1], rows.flip(2)[1, :10])


def test_without_a_memory_a_term_gets_no_pseudo_pairs() -> None:
    left, right = two_spaces()
    term = Recorder()
    with pytest.warns(UserWarning, match="the right side has no memory"):
        isthmus.connect(left, {"text": right["text"]}, method="cmcr", loss_terms=[term], optimisation=QUICK)
    assert term.batches[0].pseudo is None
    assert term.batches[0].native_pseudo is None


def test_parameters_of_a_term_are_trained() -> None:
    term = LearnedShift()
    fit_cmcr(draw().materials, CmcrConfig(optimisation=QUICK), seed=0, plugins=Plugins([term]))
    assert term.shift.item() > 0


def test_no_loss_terms_leave_every_weight_as_it_is() -> None:
    left, right = two_spaces()
    plain = isthmus.connect(left, right, method="cmcr", optimisation=QUICK)
    assert isthmus.connect(left, right, method="cmcr", optimisation=QUICK, loss_terms=[]).space == plain.space


def test_a_checkpoint_belongs_to_its_loss_terms(tmp_path: Path) -> None:
    left, right = two_spaces()
    options = {"method": "cmcr", "optimisation": QUICK, "checkpoint": tmp_path / "run"}
    isthmus.connect(left, right, **options)
    with pytest.raises(IsthmusError, match="checkpoint of another run"):
        isthmus.connect(left, right, loss_terms=[Recorder()], **options)


@pytest.mark.parametrize("method", ["cmcr", "exmcr"])
def test_an_own_projector_is_trained_saved_and_named(method: str, tmp_path: Path) -> None:
    left, right = two_spaces()
    first, second = (
        isthmus.connect(left, right, method=method, projector=gelu_mlp, optimisation=QUICK, seed=1) for _ in range(2)
    )
    assert first.space == second.space
    loaded = Connector.load(first.save(tmp_path / "joined"))
    assert loaded.config["projector"] == "gelu_mlp"
    np.testing.assert_array_equal(loaded.project(right["audio"]).vectors, first.project(right["audio"]).vectors)
    assert any(isinstance(layer, nn.GELU) for layer in loaded.members[0].right.projector)


def test_names_of_plug_ins_are_saved(tmp_path: Path) -> None:
    left, right = two_spaces()
    config = CmcrConfig(optimisation=QUICK)
    connector = isthmus.connect(left, right, config=config, loss_terms=[Recorder(0.5)])
    saved = json.loads((connector.save(tmp_path / "joined") / "config.json").read_text())
    assert saved["config"]["loss_terms"] == [{"name": "recorder", "weight": 0.5}]


def test_an_own_method_sees_no_held_out_row_and_is_measured(tmp_path: Path) -> None:
    left, right = two_spaces()
    method = Padded()
    connector = isthmus.connect(left, right, method=method)
    assert method.seen is not None
    assert connector.report is not None
    assert len(method.seen.left.overlap) == 300 - connector.report.held_out
    loaded = Connector.load(connector.save(tmp_path / "joined"))
    assert loaded.config == {"method": "padded", "seed": 0}
    expected = np.pad(left["image"].vectors, ((0, 0), (0, 24 - left["image"].dim)))
    np.testing.assert_allclose(loaded.project(left["image"]).vectors, expected, atol=1e-6)


def dropout(inputs: int, outputs: int, generator: torch.Generator) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, outputs), nn.Dropout())


def narrow(inputs: int, outputs: int, generator: torch.Generator) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 3))


def bare(inputs: int, outputs: int, generator: torch.Generator) -> nn.Module:
    return nn.Linear(inputs, outputs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "cmcr", "loss_terms": [len]}, "give an object with name, weight and __call__"),
        ({"method": "cca", "loss_terms": [Recorder()]}, "method cca takes no loss_terms: use method cmcr"),
        ({"method": "exmcr", "loss_terms": [Recorder()]}, "method exmcr takes no loss_terms"),
        ({"method": "ridge", "projector": gelu_mlp}, "method ridge takes no projector: use method cmcr or exmcr"),
        ({"method": "cmcr", "projector": dropout}, "a projector with a Dropout layer cannot be saved"),
        ({"method": "cmcr", "projector": narrow}, "the projector has 3 outputs: make it 20 to 20 dimensions"),
        ({"method": "cmcr", "projector": bare}, "the projector is a Linear: return an nn.Sequential"),
        ({"method": Padded(), "penalty": 1.0}, "method 'padded' is an object: set its options in the object itself"),
        ({"method": "cmcr", "config": isthmus.CcaConfig()}, "CcaConfig is the config of method cca, not cmcr"),
    ],
)
def test_plug_ins_that_cannot_be_used_are_refused(options: dict[str, Any], message: str) -> None:
    left, right = two_spaces()
    with pytest.raises(IsthmusError, match=message):
        isthmus.connect(left, right, **options)
