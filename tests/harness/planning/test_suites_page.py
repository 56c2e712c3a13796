"""docs/suites.md names every key of a suite with its default, and its examples load."""

import dataclasses
import json
import re
import tomllib
from enum import Enum
from pathlib import Path

import pytest

from soundproof import Budget, Recipe
from soundproof.contract.discovery import discover
from soundproof.planning.form import ChecksTable, File, SettingsTable, SplitTable
from soundproof.planning.suite import load_suite

PAGE = (Path(__file__).parents[3] / "docs" / "suites.md").read_text()
# A table of the file, and the heading under which its keys stand.
HEADINGS = {"": "Keys of the file", "split": "`[split]`", "budget": "`[budget]`", "training": "`[training]`"}
HEADINGS |= {"settings": "`[[settings]]`", "gate": "`[gate]`", "limits": "`[limits]`", "checks": "`[checks]`"}


def keys(schema, shared, way=""):
    """Every key that pydantic accepts, as (table, key); tables inside settings repeat those outside."""
    for name, form in schema["properties"].items():
        yield way, name
        form = form.get("items", form)
        form = shared[form["$ref"].rpartition("/")[2]] if "$ref" in form else form
        if "properties" in form and way == "":
            yield from keys(form, shared, name)


def rows():
    """The rows of the page's tables: (heading, key) to (type, default, meaning)."""
    found = {}
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        heading = section.partition("\n")[0]
        if heading not in HEADINGS.values():
            continue
        for line in section.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            for key in re.findall(r"`(\w+)`", cells[0]) if line.startswith("| `") else ():
                found[heading, key] = cells[1:]
    return found


def accepted():
    schema = File.model_json_schema()
    return set(keys(schema, schema["$defs"]))


def test_the_page_names_exactly_the_keys_that_there_are():
    known = accepted()
    assert {
        ("", "gate"),
        ("budget", "epsilon"),
        ("settings", "parameters"),
        ("gate", "grey_fooling_rate"),
    } <= known
    assert {(HEADINGS[table], key) for table, key in known} == set(rows())


DEFAULTS = {
    **{("split", name): field.default for name, field in SplitTable.model_fields.items()},
    **{("checks", name): field.default for name, field in ChecksTable.model_fields.items()},
    **{("budget", name): value for name, value in vars(Budget()).items()},
    **{("training", field.name): field.default for field in dataclasses.fields(Recipe)},
    **{("settings", name): field.default for name, field in SettingsTable.model_fields.items()},
    **{
        ("", name): field.default
        for name, field in File.model_fields.items()
        if name not in {"split", "budget", "protocols", "limits", "checks"}
    },
}


@pytest.mark.parametrize(("table", "key"), DEFAULTS, ids=lambda word: word or "file")
def test_every_row_gives_the_default_and_a_meaning(table, key):
    _, told, meaning = rows()[HEADINGS[table], key]
    default = DEFAULTS[table, key]
    if default is None:
        assert told in {"no limit", "all", "none"}
    elif File.model_fields.get(key) is not None and table == "" and File.model_fields[key].is_required():
        assert told == "required"
    else:
        assert told.strip("`") == (default.value if isinstance(default, Enum) else json.dumps(default))
    assert len(meaning) > 10


EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
REST = {
    "name": "x",
    "datasets": ["synth"],
    "representations": ["stft"],
    "models": ["mel-cnn"],
    "attacks": ["fgsm"],
}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.partition("\n")[0])
def test_every_example_loads(example):
    load_suite({**REST, **tomllib.loads(example)}, discover())


def test_the_example_of_settings_does_what_the_page_says():
    (example,) = [each for each in EXAMPLES if "[[settings]]" in each]
    suite = load_suite(tomllib.loads(example), discover())
    esc10, esc50, urban = suite.datasets
    (dwt,) = suite.representations
    vgg, resnet = suite.models
    assert [suite.representation_of(dwt, data).rate for data in suite.datasets] == [8000, 16000, 8000]
    assert [suite.recipe(vgg, data).epochs for data in suite.datasets] == [60, 60, 20]
    assert suite.recipe(resnet, urban) == resnet.recipe
    assert [suite.budget_of(data).epsilon for data in (esc10, esc50, urban)] == [3.0, 3.0, 2.0]
