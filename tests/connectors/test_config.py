"""Configs refuse values that mean nothing, naming the option, and stay light to import."""

import subprocess
import sys

import pytest

from isthmus.base.errors import IsthmusError
from isthmus.connectors.config import CmcrConfig, ConsistencyConfig, ExmcrConfig
from isthmus.training.config import OptimisationConfig


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: CmcrConfig(noise_variance=-0.1), "--noise-variance must be at least 0, got -0.1"),
        (lambda: CmcrConfig(temperature=0.0), "--temperature must be above 0, got 0.0"),
        (lambda: CmcrConfig(intra_weight=-1.0), "--intra-weight must be at least 0, got -1.0"),
        (
            lambda: CmcrConfig(overlap_weight=0.0, pseudo_weight=0.0),
            "overlap-weight plus pseudo-weight must be above 0",
        ),
        (lambda: CmcrConfig(joint_dim=0), "--joint-dim must be at least 1, got 0"),
        (lambda: ConsistencyConfig(temperature=-1.0), "--consistency.temperature must be above 0"),
        (lambda: OptimisationConfig(batch_size=1), "--batch-size must be at least 2, got 1"),
        (lambda: OptimisationConfig(epochs=0), "--epochs must be at least 1, got 0"),
        (lambda: ExmcrConfig(temperature=0.0), "--temperature must be above 0, got 0.0"),
    ],
)
def test_a_senseless_value_is_refused_by_name(build: object, message: str) -> None:
    with pytest.raises(IsthmusError, match=message):
        build()


def test_the_papers_constants_are_the_defaults() -> None:
    config = CmcrConfig()
    assert (config.noise_variance, config.intra_weight, config.consistency.temperature) == (0.004, 0.1, 0.01)
    assert (config.optimisation.epochs, config.optimisation.learning_rate) == (36, 1e-3)
    assert (config.contrast, config.intra, config.centring) == ("infonce", "squared", "none")


def test_the_configs_import_without_torch() -> None:
    script = "import sys, isthmus.connectors.config as c; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
