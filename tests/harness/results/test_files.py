"""Results files: the documented format, round trips, and damage named file by file."""

import json
from dataclasses import replace

import numpy as np
import pytest

from soundproof.errors import ResultsError
from soundproof.measuring.metrics.intervals import Metric
from soundproof.results.files import Results, Row, canonical_row, groups_name, read, write
from soundproof.types import Status

FIELDS = [
    "schema", "key", "status", "reason", "protocol", "dataset", "representation", "model", "defense", "attack",
    "target", "fold", "seed", "reached", "metrics", "reports", "flags",
]  # fmt: skip


def row(key="k1", attack=None, fold=0, **rest):
    protocol = "clean" if attack is None else "bounded"
    return Row(
        key=key,
        status=rest.pop("status", Status.OK),
        reason=rest.pop("reason", None),
        protocol=protocol,
        dataset={"id": "esc10"},
        representation={"id": "stft", "n_fft": 2048},
        model={"id": "resnet18"},
        defense={"id": "none"},
        attack=attack,
        target=None,
        fold=fold,
        seed=7,
        **rest,
    )


def results(*rows):
    samples = {"k1/clip": np.arange(3), groups_name({"id": "esc10"}): np.arange(5)}
    return Results(rows, samples, {"schema": 1, "suite": {"name": "x"}})


def test_a_row_has_exactly_the_documented_fields():
    metrics = {"fooling_auc": Metric(0.9834567891, 0.97, 0.99, 67)}
    written = json.loads(canonical_row(row(attack={"id": "bim-b"}, metrics=metrics)))
    assert list(written) == FIELDS
    assert written["metrics"] == {"fooling_auc": {"value": 0.983457, "low": 0.97, "high": 0.99, "n": 67}}
    assert (written["status"], written["protocol"], written["attack"]) == ("ok", "bounded", {"id": "bim-b"})
    assert written["representation"] == {"id": "stft", "n_fft": 2048}


def test_round_trip_in_the_order_of_coordinates(tmp_path):
    rows = [row("k3", {"id": "fgsm"}, fold=1), row("k2", {"id": "fgsm"}), row(reason="line\u2028separator")]
    write(results(*rows), tmp_path)
    found = read(tmp_path)
    assert [r.key for r in found.rows] == ["k1", "k2", "k3"]
    assert found.rows[0].reason == "line\u2028separator"
    np.testing.assert_array_equal(found.fields(found.rows[0])["clip"], np.arange(3))
    np.testing.assert_array_equal(found.groups({"id": "esc10"}), np.arange(5))
    assert found.fields(found.rows[1]) == {}
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    write(found, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_everything_missing_is_named(tmp_path):
    with pytest.raises(ResultsError) as caught:
        read(tmp_path)
    assert len(caught.value.problems) == 3


def test_damage_is_named_line_by_line(tmp_path):
    write(results(row()), tmp_path)
    good = (tmp_path / "results.jsonl").read_text()
    future = good.replace('"schema": 1', '"schema": 2')
    (tmp_path / "results.jsonl").write_text(good + "{\n" + future + '{"schema": 1}\n')
    (tmp_path / "run.json").write_text("{")
    samples = tmp_path / "samples.safetensors"
    samples.write_bytes(samples.read_bytes()[:-4])
    with pytest.raises(ResultsError) as caught:
        read(tmp_path)
    text = "\n".join(caught.value.problems)
    for expected in (
        "results.jsonl:2:",
        "results.jsonl:3:",
        "schema 2",
        "results.jsonl:4:",
        "run.json is damaged",
        "samples",
    ):
        assert expected in text
    assert len(caught.value.problems) == 5


def test_a_long_reason_is_cut_when_it_is_made_and_when_it_is_read():
    long = row(status=Status.FAILED, reason="x" * 20_000_000)
    assert len(long.reason) == 400
    assert long.reason.endswith("x…")
    read_back = Row.from_json({**row().to_json(), "reason": "y" * 1_000_000})
    assert read_back.reason == "y" * 399 + "…"


def test_a_reason_that_is_no_unicode_can_be_written(tmp_path):
    write(results(row(status=Status.FAILED, reason="lone \ud800 surrogate")), tmp_path)
    assert read(tmp_path).rows[0].reason == "lone ? surrogate"


def test_clips_are_found_however_a_data_sets_parameters_are_ordered(bench):
    """`run.json` sorts them, rows do not; names in the samples follow the rows."""
    written = {"id": "synth", "takes": 2, "classes": 3}
    bench.clean([0, 1], [0, 1], dataset=written)
    found = bench.results()
    samples = dict(found.samples)
    samples["clips/synth(takes=2, classes=3)/group"] = np.array([4, 4])
    found = replace(found, samples=samples)
    assert found.groups({"id": "synth", "classes": 3, "takes": 2}).tolist() == [4, 4]
