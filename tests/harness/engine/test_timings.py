"""What earlier cells took corrects forecasts of the next ones."""

from types import SimpleNamespace

import pytest

from soundproof.engine.environment import Environment
from soundproof.engine.events import Finished
from soundproof.engine.timings import Timings
from soundproof.types import Status

HERE = Environment("cpu", "", 1)


def finished(protocol, attack, defense, seconds, forecast, status=Status.OK):
    row = SimpleNamespace(
        protocol=protocol, attack=attack and {"id": attack}, defense={"id": defense}, status=status
    )
    return Finished(row, seconds, cached=False, done=1, total=1, left=0.0, forecast=forecast)


def cell(protocol, attack, defense):
    return SimpleNamespace(
        protocol=SimpleNamespace(id=protocol),
        attack=attack and SimpleNamespace(id=attack),
        classifier=SimpleNamespace(defense=SimpleNamespace(id=defense)),
    )


def test_the_most_alike_cells_count(tmp_path):
    timings = Timings(tmp_path, HERE)
    assert not timings.known
    assert timings.share(cell("reach", "cwa", "none")) == 1
    timings(finished("reach", "cwa", "none", 1.0, 10.0))
    timings(finished("reach", "cwa", "none", 3.0, 10.0))
    timings(finished("reach", "cwa", "distillation", 8.0, 10.0))
    timings(finished("bounded", "fgsm", "none", 2.0, 1.0))
    again = Timings(tmp_path, HERE)
    assert again.known
    assert again.share(cell("reach", "cwa", "none")) == pytest.approx(0.2)
    assert again.share(cell("reach", "cwa", "thermometer")) == pytest.approx(12 / 30)
    assert again.share(cell("reach", "pia", "none")) == pytest.approx(12 / 30)
    assert again.share(cell("clean", None, "none")) == pytest.approx(14 / 31)


def test_other_machines_failures_and_cached_cells_teach_nothing(tmp_path):
    timings = Timings(tmp_path, HERE)
    timings(finished("clean", None, "none", 9.0, 1.0, Status.FAILED))
    timings(finished("clean", None, "none", 0.0, 0.0))
    assert not timings.known
    timings(finished("clean", None, "none", 9.0, 1.0))
    assert not Timings(tmp_path, Environment("cpu", "", 8)).known


def test_a_damaged_file_is_no_obstacle(tmp_path):
    (tmp_path / "timings.json").write_text("{ damaged")
    timings = Timings(tmp_path, HERE)
    timings(finished("clean", None, "none", 2.0, 1.0))
    assert Timings(tmp_path, HERE).share(cell("clean", None, "none")) == 2
