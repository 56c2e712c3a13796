"""Prints what benchmarks compared, after the timings."""

from __future__ import annotations

import pytest

ROWS = pytest.StashKey[list[str]]()


@pytest.fixture
def table(request):
    """Takes lines of Markdown, printed when all benchmarks are done."""
    return request.config.stash.setdefault(ROWS, [])


def pytest_terminal_summary(terminalreporter, config):
    """Print the lines."""
    for line in config.stash.get(ROWS, []):
        terminalreporter.write_line(line)
