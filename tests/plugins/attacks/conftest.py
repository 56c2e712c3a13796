"""What tests of attacks share."""

from __future__ import annotations

import pytest

from classifiers import train_on_digits


@pytest.fixture(scope="session")
def digits():
    """A trained classifier, 64 images that it gets right, their labels."""
    return train_on_digits()
