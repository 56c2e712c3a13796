"""Code of a run and of its workers: what differs is named, with where it comes from on both sides."""

import copy

import pytest

from soundproof.engine.code import code_of, unlike
from soundproof.planning.suite import load_suite
from toys import toy_registry, toy_suite


@pytest.fixture
def code():
    registry = toy_registry()
    return copy.deepcopy(code_of(load_suite(toy_suite(), registry), registry))


def test_the_same_code_is_alike(code):
    assert list(unlike(code, toy_registry())) == []


def test_a_plugin_that_is_missing_is_named(code):
    registry = toy_registry()
    del registry.components["model", "toy-linear"]
    (line,) = unlike(code, registry)
    assert line.startswith("the worker has no model 'toy-linear' from toys 1")


def test_a_plugin_of_another_version_is_named(code):
    code["components"]["model toy-linear"] = "toys 2 (2)"
    (line,) = unlike(code, toy_registry())
    assert line == "model 'toy-linear' comes from toys 1 (1) in the worker and from toys 2 (2) in the run"


def test_another_library_is_named(code):
    code["libraries"]["torch"] = "1.0"
    (line,) = unlike(code, toy_registry())
    assert "torch is" in line
    assert "1.0 in the run" in line
