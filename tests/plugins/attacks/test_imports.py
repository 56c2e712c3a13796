"""No two modules of the package know each other, not even for types or inside functions."""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path

import soundproof_attacks

FOLDER = Path(soundproof_attacks.__file__).parent


def imported(path):
    """The package's modules that a file names in any import."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name.removeprefix("soundproof_attacks.") for name in found if name.startswith("soundproof_attacks.")}


def test_imports_run_in_no_circle():
    graph = {path.stem: imported(path) for path in FOLDER.glob("*.py")}
    assert graph["pia"] > {"_aim"}, "the imports are read"
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle
