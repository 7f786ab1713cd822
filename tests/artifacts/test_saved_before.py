"""Artifacts that version 0.1 saved still open and give the same results.

`saved_by_0_1` holds small artifacts of commit bdde6ac, the vectors it projected (`inputs.npz`) and its results for
them (`expected.npz`).
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

import isthmus
from isthmus import CodeModel, Connector, Embeddings, SpaceGraph
from isthmus.codes.reading.assignment import Assignment
from isthmus.embeddings import inspect_set
from isthmus.embeddings.token_files import open_tokens

SAVED = Path(__file__).parents[1] / "saved_by_0_1"
EXACT = {"rtol": 0, "atol": 2e-6}
"""Rounding of float32 products, whose order of summation may differ between processors."""


@pytest.fixture(scope="module")
def expected() -> Mapping[str, np.ndarray]:
    with np.load(SAVED / "expected.npz") as found:
        return dict(found)


@pytest.fixture(scope="module")
def inputs() -> dict[str, Embeddings]:
    with np.load(SAVED / "inputs.npz") as found:
        return {
            name: Embeddings.from_array(rows, space=name.split("-")[0], modality=name.split("-")[1])
            for name, rows in found.items()
        }


def projections(
    joint: Connector | SpaceGraph, folder: str, expected: Mapping[str, np.ndarray], inputs: Mapping[str, Embeddings]
) -> None:
    assert joint.space == str(expected[f"{folder}/space"])
    compared = 0
    for name, rows in inputs.items():
        if f"{folder}/{name}" in expected:
            np.testing.assert_allclose(joint.project(rows).vectors, expected[f"{folder}/{name}"], **EXACT)
            compared += 1
    assert compared >= 4


@pytest.mark.parametrize("method", ["auto", "cca", "cmcr", "exmcr"])
def test_a_connector_projects_as_it_did(
    method: str, expected: Mapping[str, np.ndarray], inputs: dict[str, Embeddings]
) -> None:
    connector = Connector.load(SAVED / f"connector-{method}")
    projections(connector, f"connector-{method}", expected, inputs)
    assert connector.report is not None
    assert connector.report.held_out == 12


@pytest.mark.parametrize("kind", ["star", "joint"])
def test_a_graph_of_spaces_projects_as_it_did(
    kind: str, expected: Mapping[str, np.ndarray], inputs: dict[str, Embeddings]
) -> None:
    projections(SpaceGraph.load(SAVED / f"graph-{kind}"), f"graph-{kind}", expected, inputs)


@pytest.mark.parametrize("folder", ["codes", "codes-literal"])
def test_a_code_model_assigns_as_it_did(folder: str, expected: Mapping[str, np.ndarray]) -> None:
    model = CodeModel.load(SAVED / folder)
    compared = 0
    for name in expected:
        if name.startswith(f"{folder}/") and name.endswith("/assign"):
            space, modality = name.split("/")[1].split("-")
            tokens = open_tokens(SAVED / f"set-{space}", modality)
            view = modality if modality in model.views else f"{modality} of {space}"
            own = name.removesuffix("assign")
            np.testing.assert_array_equal(model.assign(tokens, view), expected[name])
            np.testing.assert_allclose(model.item_codes(tokens, view)[:5], expected[f"{own}item_codes"], atol=1e-4)
            np.testing.assert_allclose(model.token_codes(tokens, view)[:5], expected[f"{own}token_codes"], atol=1e-4)
            compared += 1
    assert compared == 4


def test_a_set_and_its_tokens_open_and_verify() -> None:
    for space, modalities in (("clip", {"text": 60, "image": 40}), ("clap", {"text": 60, "audio": 40})):
        found = isthmus.open_set(SAVED / f"set-{space}")
        assert {name: len(rows) for name, rows in found.items()} == modalities
        for name, rows in found.items():
            assert (rows.space, rows.revision) == (space, "r1")
            assert open_tokens(SAVED / f"set-{space}", name).ids == rows.ids
        inspect_set(SAVED / f"set-{space}", verify=True)


def test_an_assignment_opens_as_it_was(expected: Mapping[str, np.ndarray]) -> None:
    found = Assignment.load(SAVED / "assignment")
    np.testing.assert_array_equal(found.codes, expected["codes/clip-image/assign"])
    assert (found.modality, found.unit, found.size, len(found)) == ("image", "pixels", 6, 40)
