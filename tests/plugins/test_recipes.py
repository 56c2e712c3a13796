"""The recipes for other libraries in docs/writing-a-plugin.md, run as they are written."""

import contextlib
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from soundproof.conformance import checks_of, promised
from soundproof.conformance.promises import InapplicableError
from soundproof.contract.admission import flaw
from soundproof.contract.components import KINDS, Component
from soundproof.contract.discovery import discover
from soundproof.contract.registry import BUILT_IN, Registered

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "writing-a-plugin.md").read_text()
RECIPES = re.findall(r"```python\n(@dataclass.*?)```", PAGE.partition("## Other libraries")[2], flags=re.DOTALL)
LINES = 15
HEAD = """
import math
from dataclasses import dataclass
from typing import Annotated
import torch
from pydantic import Field
from sklearn.linear_model import RidgeClassifier
from soundproof import BoundedAttack, Model, Norm
"""
LIBRARIES = {"foolbox-pgd": "foolbox", "torchattacks-pgd": "torchattacks", "ridge": "sklearn", "resnet10t": "timm"}


def component(code, folder, monkeypatch):
    """The class that a recipe defines, in a module of its own, as the file of a plugin would be."""
    needs_timm = "import timm\n" if "timm." in code else ""
    (folder / "recipe.py").write_text(HEAD + needs_timm + code)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(__import__("sys").modules, "recipe", raising=False)
    module = __import__("recipe")
    return next(
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Component) and each.__module__ == "recipe"
    )


def test_there_is_one_for_each_library():
    found = {re.search(r'id = "([^"]+)"', code).group(1): code for code in RECIPES}
    assert found.keys() == LIBRARIES.keys()
    for name, code in found.items():
        body = [line for line in code.splitlines() if line.strip()]
        assert len(body) <= LINES, f"{name} takes {len(body)} lines"


@pytest.mark.parametrize("code", RECIPES, ids=lambda code: re.search(r"class (\w+)", code).group(1))
@pytest.mark.filterwarnings("ignore")
def test_it_keeps_the_promises_of_its_kind(code, tmp_path, monkeypatch):
    library = LIBRARIES[re.search(r'id = "([^"]+)"', code).group(1)]
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    cls = component(code, tmp_path, monkeypatch)
    assert flaw(cls) is None
    kind = next(base.kind for base in KINDS if issubclass(cls, base))
    registry = discover()
    registry.components[kind, cls.id] = Registered(cls, BUILT_IN, "0")
    checks = {check.name: check for check in checks_of(cls(), registry=registry)}
    assert set(promised(kind)) <= set(checks)
    for check in checks.values():
        with contextlib.suppress(InapplicableError):
            check()
