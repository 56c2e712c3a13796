"""The door by which tests bring plugins in."""

import pytest

from doors import plugin


@pytest.fixture
def door(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.plugin_folder = tmp_path
    return lambda name, source, distribution="third-party": plugin(monkeypatch, name, source, distribution)
