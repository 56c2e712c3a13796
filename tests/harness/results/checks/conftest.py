"""Runs suites of toys with the zoo of planted failures."""

import pytest

from failures import RADIUS, registry
from soundproof.engine.environment import Environment
from soundproof.engine.runner import Runner
from soundproof.engine.store import Store
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from toys import toy_suite

REGISTRY = registry()


def run_toys(folder, **changes):
    suite = load_suite(toy_suite(**{"budget": {"epsilon": RADIUS}, **changes}), REGISTRY)
    plan = make_plan(suite, folder)
    return Runner(REGISTRY, Environment("cpu", "", threads=1), Store(folder / "cache"), folder).run(plan)


@pytest.fixture
def run(tmp_path):
    return lambda **changes: run_toys(tmp_path, **changes)
