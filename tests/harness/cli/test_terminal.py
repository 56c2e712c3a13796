"""What a run says of its time when it has ended."""

import pytest

from soundproof.cli.terminal import accounted
from soundproof.engine.events import Spent, Stage


def spent(wall, places=1):
    stages = (Stage("clips", 0.2, 0.0), Stage("bounded", 3.0, 2.0), Stage("trained", 6.0, 4.0))
    return Spent(wall, places, stages, (("one cell", 2.5), ("another", 1.0)))


def test_a_short_run_says_it_in_one_line():
    (line,) = accounted(spent(12.0))
    assert line == "50% of 12 s were passes through networks at their bare speed; trained 6 s, bounded 3 s"


def test_a_long_run_names_its_dearest_cells():
    first, *dearest = accounted(spent(1200.0, places=2))
    assert first.startswith("0% of 20 min 00 s at 2 places were")
    assert dearest == ["  2.5 s one cell", "  1.0 s another"]


@pytest.mark.parametrize(("wall", "places", "share"), [(12.0, 1, 0.5), (12.0, 2, 0.25), (0.0, 1, 0.0)])
def test_efficiency_is_of_the_time_of_all_places(wall, places, share):
    assert spent(wall, places).efficiency == pytest.approx(share)
