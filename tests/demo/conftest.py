"""A small synthetic world, and one short run of every method on it."""

import pytest
from short_runs import Run, run_on, shortened, small_world

from isthmus.demo import methods
from isthmus.demo.plan import RunPlan
from isthmus.worlds.world import World


@pytest.fixture(scope="session")
def world() -> World:
    return small_world()


@pytest.fixture(scope="session")
def whole_run(world: World, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Every method, oracle and variant, with short training."""
    tables = (methods.METHODS, methods.ORACLES, methods.ABLATION)
    plan = RunPlan(*map(shortened, tables), {})
    return run_on(world, plan, tmp_path_factory.mktemp("demo"))
