"""Damage to a results folder: every byte that changes is noticed, and told by file and line."""

import json

import numpy as np
import pytest

from soundproof.errors import ResultsError
from soundproof.measuring.metrics.intervals import Metric
from soundproof.results.files import Results, Row, groups_name, read, write
from soundproof.types import Status

ROWS = 3


@pytest.fixture
def folder(tmp_path):
    one = {"id": "x"}
    rows = [
        Row(
            key=f"key{number}",
            status=Status.OK,
            reason=None,
            protocol="clean",
            dataset={"id": "esc10"},
            **dict.fromkeys(("representation", "model", "defense"), one),
            attack=None,
            target=None,
            fold=number,
            seed=0,
            metrics={"accuracy": Metric(0.5, 0.4, 0.6, 7)},
            flags=("leaky",),
        )
        for number in range(ROWS)
    ]
    samples = {"key0/clip": np.arange(3), groups_name({"id": "esc10"}): np.arange(5)}
    write(Results(rows, samples, {"schema": 1, "suite": {"name": "x"}}), tmp_path)
    return tmp_path


def problems(folder):
    with pytest.raises(ResultsError) as caught:
        read(folder)
    return caught.value.problems


def change(folder, number, **fields):
    """Write other fields into a row, as if by hand."""
    file = folder / "results.jsonl"
    lines = file.read_text().splitlines()
    lines[number - 1] = json.dumps({**json.loads(lines[number - 1]), **fields})
    file.write_text("\n".join(lines) + "\n")


def metric(**ends):
    return {"metrics": {"accuracy": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 7, **ends}}}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"key": ""}, "key must be a string"),
        ({"key": 5}, "key must be a string, not 5"),
        ({"status": "good"}, "status must be one of ok, "),
        ({"status": ["ok"]}, "status must be one of ok, "),
        ({"reason": 5}, "reason must be a string or null"),
        ({"protocol": "fast"}, "protocol must be one of clean, "),
        ({"dataset": "esc10"}, "dataset must be a component with an id, not 'esc10'"),
        ({"model": {}}, "model must be a component with an id"),
        ({"model": {"id": 5}}, "model must be a component with an id"),
        ({"defense": None}, "defense must be a component with an id, not None"),
        ({"attack": []}, "attack must be a component with an id, or null"),
        ({"fold": -1}, "fold must be a whole number from 0 on"),
        ({"fold": 1.5}, "fold must be a whole number from 0 on"),
        ({"seed": True}, "seed must be a whole number from 0 on"),
        ({"flags": "leaky"}, "flags must be a list of strings, not 'leaky'"),
        ({"flags": [5]}, "flags must be a list of strings"),
        ({"metrics": []}, "metrics must be an object"),
        ({"metrics": {"accuracy": 0.5}}, "metric 'accuracy': it takes value, low, high and n"),
        (metric(value=float("nan")), "NaN is no number"),
        (metric(high=float("inf")), "Infinity is no number"),
        (metric(value="0.5"), "low, value and high must be finite numbers"),
        (metric(low=0.7), "low ≤ value ≤ high does not hold for [0.7, 0.5, 0.6]"),
        (metric(low=0.8, high=0.7, value=0.9), "low ≤ value ≤ high does not hold"),
        (metric(n=-1), "n must be a whole number from 0 on"),
        (metric(extra=1), "it takes value, low, high and n"),
        ({"schema": 2}, "schema 2, and this version reads 1"),
        ({"key": "key0"}, "the same row as line 1; remove one of them"),
    ],
)
def test_a_row_that_cannot_be_is_named_by_file_and_line(folder, fields, words):
    change(folder, 2, **fields)
    (problem,) = problems(folder)
    assert problem.startswith(f"{folder / 'results.jsonl'}:2: ")
    assert words in problem


def cut_at_a_line(content):
    return content[: content.rindex(b"\n", 0, -1) + 1]


@pytest.mark.parametrize(
    ("file", "damage", "words"),
    [
        ("results.jsonl", cut_at_a_line, "results.jsonl is damaged: its content is not what run.json tells of"),
        ("results.jsonl", lambda content: b"", "results.jsonl:1: not a row"),
        ("results.jsonl", lambda content: b"\xff" + content, "results.jsonl:1: not a row"),
        (
            "results.jsonl",
            lambda content: b"[" * 100_000,
            "results.jsonl:1: not a row of schema 1: it is nested too",
        ),
        ("results.jsonl", lambda content: content.replace(b"0.5", b"0.51"), "results.jsonl is damaged"),
        ("samples.safetensors", lambda content: content[:-1] + b"\1", "samples.safetensors is damaged"),
        ("samples.safetensors", lambda content: b"", "samples.safetensors is damaged"),
        ("run.json", lambda content: content.replace(b'"x"', b'"y"'), "run.json is damaged: its content is not"),
        ("run.json", lambda content: b"[]", "run.json is damaged: it is no JSON object"),
        ("run.json", lambda content: b"{}", "run.json is damaged: it does not tell which files belong to it"),
        ("run.json", lambda content: b"\xff", "run.json is damaged"),
        ("run.json", lambda content: b"[" * 100_000, "run.json is damaged: it is nested too deep"),
    ],
)
def test_damage_is_named_by_file(folder, file, damage, words):
    path = folder / file
    content = path.read_bytes()
    path.write_bytes(damage(content))
    assert path.read_bytes() != content
    (problem,) = problems(folder)
    assert words in problem
    assert "\n" not in problem


def test_files_of_two_runs_do_not_mix(folder, tmp_path):
    found = read(folder)
    write(Results(found.rows[:2], found.samples, found.run), tmp_path / "other")
    (folder / "results.jsonl").write_bytes((tmp_path / "other" / "results.jsonl").read_bytes())
    assert "results.jsonl is damaged" in problems(folder)[0]


def test_every_byte_that_is_flipped_is_noticed(folder):
    random = np.random.default_rng(0)
    for name in ("results.jsonl", "samples.safetensors", "run.json"):
        whole = (folder / name).read_bytes()
        for place in random.integers(0, len(whole), 60):
            content = bytearray(whole)
            content[place] ^= 1 << int(random.integers(8))
            if name == "run.json" and json_equal(bytes(content), whole):
                continue
            (folder / name).write_bytes(bytes(content))
            assert problems(folder)
        (folder / name).write_bytes(whole)
    assert len(read(folder).rows) == ROWS


def json_equal(content, other):
    """Whether two files say the same: white space may change."""
    try:
        return json.loads(content) == json.loads(other)
    except ValueError:
        return False
