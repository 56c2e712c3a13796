"""No plugin changes a number that is not its own, and no mistake costs a run."""

import json

import numpy as np
import pytest
import torch

from hostile import attacks, classifiers
from soundproof.contract.registry import Registered
from soundproof.engine.environment import Environment
from soundproof.engine.runner import Runner
from soundproof.engine.store import Store
from soundproof.errors import SuiteError
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof.results import files
from soundproof.types import Status
from toys import toy_registry, toy_suite

pytestmark = pytest.mark.slow

REGISTRY = toy_registry()
ZOO = [
    *(
        each
        for each in vars(attacks).values()
        if isinstance(each, type) and hasattr(each, "kind") and "id" in vars(each)
    ),
    *(classifiers.Careless, classifiers.Unwrapped, classifiers.Shapeless),
]
for animal in ZOO:
    REGISTRY.components[animal.kind, animal.id] = Registered(animal, "zoo", "1")
HERE = Environment("cpu", "", threads=1)


def run(folder, tell=lambda event: None, **changes):
    suite = load_suite(toy_suite(**changes), REGISTRY)
    plan = make_plan(suite, folder)
    return Runner(REGISTRY, HERE, Store(folder / "cache"), folder, tell).run(plan)


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """The rows of a run without the zoo, by key."""
    found = run(tmp_path_factory.mktemp("honest"), attacks=["fgsm", "bim-b"])
    return {row.key: row for row in found.rows}


def lines(rows):
    return {row.key: files.canonical_row(row) for row in rows}


def of(found, **ids):
    return [
        row
        for row in found.rows
        if all((getattr(row, name) or {}).get("id") == value for name, value in ids.items())
    ]


INVALID = [
    ("hostile-in-place", "changed victim.clean in place"),
    ("hostile-assigning", "changed victim.clean in place"),
    ("hostile-training", "changed the classifier: its weights"),
    ("hostile-hooking", "changed the classifier: its module"),
    ("hostile-moding", "changed the classifier: its module"),
    ("hostile-subclass", "left the box"),
]
FAILED = [
    ("hostile-ruining", "after me the flood"),
    ("hostile-billing", "read-only"),
    ("hostile-vmapping", "cannot be counted"),
    ("hostile-spoiling", "so it seems"),
    *(({"id": "hostile-global", "setting": name}, f"changed {what}") for name, what in [
        ("dtype", "torch's default dtype"), ("gradients", "torch's gradient mode"),
        ("threads", "torch's number of threads"), ("precision", "torch's matmul precision"),
        ("autocast", "torch's autocast on CPU"), ("folder", "the working folder"),
    ]),
    *(({"id": "hostile-leaving", "way": way}, what) for way, what in [
        ("exit", "SystemExit"), ("interrupt", "KeyboardInterrupt"), ("recursion", "RecursionError"),
        ("silent", "its message raises RuntimeError"), ("surrogate", r"half a character: \udcff"), ("long", "…"),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "status", "reason"),
    [
        *((*case[:1], Status.INVALID, case[1]) for case in INVALID),
        *((*case[:1], Status.FAILED, case[1]) for case in FAILED),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else str(value),
)
def test_a_hostile_attack_is_a_row_with_a_reason_and_changes_no_other(tmp_path, honest, entry, status, reason):
    found = run(tmp_path, attacks=["fgsm", entry, "bim-b"])
    name = entry if isinstance(entry, str) else entry["id"]
    rows = of(found, attack=name)
    bounded = [row for row in rows if row.protocol == "bounded"]
    assert [row.status for row in bounded] == [status]
    assert reason in bounded[0].reason
    assert len(bounded[0].reason) < 600
    assert not any(row.metrics for row in rows if row.status is not Status.OK)
    others = [row for row in found.rows if row not in rows]
    assert lines(others) == lines(honest.values()), "every other row is byte-identical"
    again = run(tmp_path, attacks=["fgsm", "bim-b"])
    assert lines(again.rows) == lines(honest.values()), "and so is what stays in the cache"
    files.write(found, tmp_path / "out")
    assert len(files.read(tmp_path / "out").rows) == len(found.rows)


@pytest.mark.parametrize("name", ["hostile-doubling", "hostile-reseeding", "hostile-copying"])
def test_what_harms_nobody_is_no_fault(tmp_path, honest, name):
    found = run(tmp_path, attacks=["fgsm", name, "bim-b"])
    rows = of(found, attack=name)
    assert {row.status for row in rows} == {Status.OK}
    assert lines(row for row in found.rows if row not in rows) == lines(honest.values())


def test_passes_of_a_deep_copy_count(tmp_path):
    (row,) = [
        row
        for row in of(run(tmp_path, attacks=["hostile-copying"]), attack="hostile-copying")
        if row.protocol == "bounded"
    ]
    assert row.metrics["gradients"].value == 5


def test_returned_tensors_are_copied(tmp_path, monkeypatch):
    """An attack that overwrites what it returned for the batch before."""
    monkeypatch.setattr("soundproof.measuring.subject.BATCH", 4)
    monkeypatch.setattr("soundproof.measuring.subject.Subject.batch", 4, raising=False)
    attacks.Buffer.kept.clear()
    found = run(tmp_path, attacks=["hostile-buffer"])
    (row,) = [row for row in of(found, attack="hostile-buffer") if row.protocol == "bounded"]
    assert row.status is Status.OK
    assert found.fields(row)["l2"].max() <= 0.5 + 1e-6


def test_a_climb_that_ends_early_says_so(tmp_path):
    found = run(tmp_path, attacks=["hostile-early"])
    (row,) = [row for row in found.rows if row.protocol == "reach"]
    assert row.status is Status.FAILED
    assert "the climb ended before radius" in row.reason


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("forward", "RuntimeError: not today (classifiers.py:"),
        ("build", "SystemExit: 0 (classifiers.py:"),
        ("nothing", "hostile-model: build returned NoneType"),
        ("wide", "hostile-model makes (2, 6) of 2 inputs"),
        ("narrow", "hostile-model makes (2, 2) of 2 inputs"),
        ("reason_to_skip", "RuntimeError: do not ask (classifiers.py:"),
    ],
)
def test_a_broken_model_is_its_own_rows(tmp_path, honest, where, reason):
    found = run(
        tmp_path, models=["toy-linear", {"id": "hostile-model", "where": where}], attacks=["fgsm", "bim-b"]
    )
    rows = [row for row in of(found, model="hostile-model") if row.protocol != "transfer"]
    assert {row.status for row in rows} == {Status.FAILED}
    assert all(reason in row.reason for row in rows)
    others = [row for row in of(found, model="toy-linear") if row.protocol != "transfer"]
    assert lines(others) == lines(honest.values())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"attacks": ["hostile-unplanned"]},
            "hostile-unplanned: planned_gradients raised RuntimeError",
        ),
        ({"models": [{"id": "hostile-model", "where": "flags"}]}, "hostile-model: flags raised RuntimeError"),
        (
            {"defenses": [{"id": "hostile-defense", "where": "draws"}]},
            "defense: draws raised RuntimeError",
        ),
    ],
)
def test_what_cannot_tell_of_itself_is_refused_before_anything_runs(change, reason):
    with pytest.raises(SuiteError, match=reason):
        load_suite(toy_suite(**change), REGISTRY)


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("wrap", "hostile-defense: wrap returned NoneType"),
        ("fit", "SystemExit: 0"),
        ("global", "changed torch's default dtype"),
    ],
)
def test_a_broken_defense_is_its_own_rows(tmp_path, honest, where, reason):
    defenses = ["none", {"id": "hostile-defense", "where": where}]
    found = run(tmp_path, defenses=defenses, attacks=["fgsm", "bim-b"])
    rows = [row for row in of(found, defense="hostile-defense") if row.protocol != "transfer"]
    assert {row.status for row in rows} == {Status.FAILED}
    assert all(reason in row.reason for row in rows)
    others = [row for row in of(found, defense="none") if row.protocol != "transfer"]
    assert lines(others) == lines(honest.values())


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("shape", "RuntimeError: no form"),
        ("outside", "hostile-representation made values outside of [0, 1]"),
        ("nan", "hostile-representation made values outside of [0, 1]"),
        ("wrong", "hostile-representation made inputs (60, 1, 2, 5) where it promised (60, 1, 4, 5)"),
    ],
)
def test_a_broken_representation_is_its_own_rows(tmp_path, honest, where, reason):
    entries = ["toy-picture", {"id": "hostile-representation", "where": where}]
    found = run(tmp_path, representations=entries, attacks=["fgsm", "bim-b"])
    rows = of(found, representation="hostile-representation")
    assert {row.status for row in rows} == {Status.FAILED}
    assert all(reason in row.reason for row in rows)
    assert lines(of(found, representation="toy-picture")) == lines(honest.values())


def test_nan_on_attacked_inputs_is_no_score(tmp_path):
    found = run(
        tmp_path,
        models=[{"id": "hostile-model", "where": "nan when attacked"}],
        attacks=["bim-b"],
        budget={"epsilon": 9.0},
    )
    (row,) = [row for row in found.rows if row.protocol == "bounded"]
    assert row.status is Status.FAILED
    assert not row.metrics


def random_state():
    return np.random.get_state()[1][0]  # noqa: NPY002


def test_the_process_is_as_before(tmp_path):
    torch.set_num_threads(HERE.threads)  # what a run asks for, so that it has nothing to change
    before = torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads(), random_state()
    settings = [{"id": "hostile-global", "setting": name} for name in ("dtype", "gradients", "threads")]
    run(tmp_path, attacks=[*settings, "hostile-reseeding"])
    after = torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads(), random_state()
    assert after == before


def test_a_run_computes_with_the_threads_it_says(tmp_path):
    """Also the second one, whatever became of them in between."""
    run(tmp_path / "first", attacks=["fgsm"])
    torch.set_num_threads(2)
    run(tmp_path / "second", attacks=["fgsm"])
    assert torch.get_num_threads() == HERE.threads


def test_representations_that_are_not_fitted_get_no_clips(tmp_path, monkeypatch):
    from toys import ToyPicture

    seen = []
    fit = ToyPicture.fit
    monkeypatch.setattr(
        ToyPicture, "fit", lambda self, waveforms: seen.append(waveforms.shape) or fit(self, waveforms)
    )
    run(tmp_path, attacks=["fgsm"])
    assert {len(shape) for shape in seen} == {2}
    assert {shape[0] for shape in seen} == {0}
    assert {shape[1] for shape in seen} == {20}


def test_ctrl_c_of_the_user_ends_the_run(tmp_path):
    import os
    import signal

    from soundproof.engine.events import Finished

    def interrupt(event):
        if isinstance(event, Finished):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, interrupt, attacks=["fgsm"])
    found = run(tmp_path, attacks=["fgsm"])
    assert {row.status for row in found.rows} == {Status.OK}
