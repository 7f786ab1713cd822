"""A code model on disk: a model of version 0.1 stays the same when it is saved again."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from isthmus.base.errors import IsthmusError
from isthmus.codes.model.model import CodeModel
from isthmus.embeddings.token_files import open_tokens

SAVED = Path(__file__).parents[1] / "saved_by_0_1"


@pytest.mark.parametrize(("folder", "floor"), [("codes", 0.0), ("codes-literal", 1e-7)])
def test_a_model_of_0_1_is_saved_again_without_loss(folder: str, floor: float, tmp_path: Path) -> None:
    tokens = open_tokens(SAVED / "set-clap", "audio")
    model = CodeModel.load(SAVED / folder)
    again = CodeModel.from_pretrained(model.save_pretrained(tmp_path))
    assert again.floor == model.floor == floor
    assert again.config == model.config
    np.testing.assert_array_equal(again.assign(tokens), model.assign(tokens))
    np.testing.assert_array_equal(again.item_codes(tokens), model.item_codes(tokens))
    saved, original = (json.loads((own / "config.json").read_text()) for own in (tmp_path, SAVED / folder))
    assert saved["config"]["optimisation"].pop("precision") == "auto"
    assert saved["config"].pop("tokens_per_item") == 64
    assert saved["config"].items() <= original["config"].items()
    assert saved["config"]["normalisation"] == model.config.normalization


def test_a_floored_model_floors_the_probabilities_of_items() -> None:
    tokens = open_tokens(SAVED / "set-clap", "audio")
    model = CodeModel.load(SAVED / "codes-literal")
    floored = model.item_codes(tokens)
    model.floor = 0.0
    exact = model.item_codes(tokens).astype(np.float64)
    assert not np.array_equal(floored, exact)
    np.testing.assert_allclose(floored, np.log(np.exp(exact) + 1e-7), atol=1e-5)


@pytest.mark.parametrize("change", [{"codes": 7}, {"normalisation": "some"}, {"distance": "plain"}])
def test_an_altered_config_is_refused(change: dict[str, object], tmp_path: Path) -> None:
    CodeModel.load(SAVED / "codes").save(tmp_path)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    config["config"] |= change
    path.write_text(json.dumps(config))
    with pytest.raises(IsthmusError, match=r"config\.json: altered \(its hash differs"):
        CodeModel.load(tmp_path)


@pytest.mark.parametrize("change", [{"codes": 7}, {"codes": 10**9}, {"code_dim": 10**12}, {"normalisation": "some"}])
def test_a_config_without_a_hash_that_does_not_describe_the_weights_is_named(
    change: dict[str, object], tmp_path: Path
) -> None:
    shutil.copytree(SAVED / "codes", tmp_path / "codes")
    path = tmp_path / "codes" / "config.json"
    config = json.loads(path.read_text())
    config["config"] |= change
    path.write_text(json.dumps(config))
    with pytest.raises(IsthmusError, match=r"config\.json: damaged"):
        CodeModel.load(tmp_path / "codes")
