"""Tests of plugins get every installed component of a kind by the names of their arguments."""

from installed import parametrise as pytest_generate_tests

__all__ = ["pytest_generate_tests"]
