"""docs/results.md and the README say what the records say."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_figure_is_that_of_the_records():
    """Made again by `python scripts/results.py` whenever a record changes."""
    spec = importlib.util.spec_from_file_location("results_page", ROOT / "scripts" / "results.py")
    results = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(results)
    for path, text in results.pages().items():
        assert path.read_text("utf-8") == text, path
