"""The suite that a row's section gives makes the same row again."""

import tomllib
from pathlib import Path

import pytest

from soundproof.boards import recipe
from soundproof.contract.discovery import discover
from soundproof.planning.plan import row_of
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof.results.files import read
from soundproof.types import Status

RECORD = Path(__file__).parents[3] / "leaderboards" / "quick"


def test_the_same_row_is_planned(tmp_path):
    found = read(RECORD)
    rows = [row for row in found.rows if row.protocol == "reach" and row.defense["id"] != "none"]
    for row in rows[:: len(rows) // 3]:
        lists = {
            "datasets": [row.dataset],
            "representations": [row.representation],
            "models": [row.model],
            "defenses": [{"id": "none"}, row.defense],
            "attacks": [row.attack],
        }
        file = tmp_path / "row.toml"
        file.write_text(recipe.suite(found.run["suite"], lists), "utf-8")
        plan = make_plan(load_suite(file, discover()), tmp_path)
        assert row.key in {row_of(cell, plan.budget(cell), Status.OK).key for cell in plan.cells}


@pytest.mark.parametrize(
    "value", [True, 3, 0.1, 1e-07, 'a"b\\c\n\x7fé', [1, [2.5]], {"a": {"b c": "x"}}, {}, [], "=cmd()"]
)
def test_values_survive_toml(value):
    assert tomllib.loads(f"x = {recipe.inline(value)}")["x"] == value


def test_nothing_stands_for_a_default():
    text = recipe.rest(
        {"budget": {"epsilon": 3.0, "max_gradients": None}, "labels": {"model": {}}, "settings": []}
    )
    assert tomllib.loads(text) == {"budget": {"epsilon": 3.0}}
