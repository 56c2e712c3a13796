import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundproof.boards import charts
from soundproof.boards.collect import collect
from soundproof.boards.formats import Scale, heading, interval, written
from soundproof.boards.measures import Unit
from soundproof.measuring.metrics.intervals import Metric


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.8625, Unit.SHARE, "86.2"),
        (1.0, Unit.SHARE, "100.0"),
        (0.98765, Unit.AREA, "0.988"),
        (2.9958, Unit.LENGTH, "3.00"),
        (0.0123456, Unit.LENGTH, "0.0123"),
        (0.0, Unit.LENGTH, "0"),
        (1.0, Unit.COUNT, "1.0"),
        (4879.4, Unit.COUNT, "4,879"),
        (1.993, Unit.RATIO, "1.99"),
    ],
)
def test_numbers_are_written_in_their_unit(value, unit, text):
    assert written(value, unit) == text


def test_intervals_and_headings():
    assert interval(Metric(0.5, 0.4, 0.65, 9), Unit.SHARE) == "40.0–65.0"
    assert heading("Accuracy", Unit.SHARE) == "Accuracy\u00a0%"
    assert heading("RMS", Unit.LENGTH) == "RMS"


@given(st.sampled_from(list(Unit)), st.lists(st.floats(0, 1e6), min_size=2, max_size=6))
def test_scales_keep_order_and_stay_inside(unit, values):
    scale = Scale(unit, [Metric(value, value, value, 1) for value in values])
    places = [scale(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(0 <= place <= 100 for place in places)


def many(bench, models=12):
    for number in range(models):
        model = f"resnet{number}"
        right = 20 + number % 7
        bench.clean([0] * 40, [0] * right + [1] * (40 - right), model=model)
        bench.bounded(range(right), [i >= number % 5 for i in range(right)], tested=40, model=model)
    return bench


def test_labels_cover_neither_each_other_nor_the_dots(bench):
    (picture,) = charts.scatters(collect(many(bench).results()))
    boxes = [charts._box(dot.label) for dot in picture.dots if dot.label]
    boxes += [
        (dot.x - 5, dot.y - 5, dot.x + 5, dot.y + 5) for dot in {(d.x, d.y): d for d in picture.dots}.values()
    ]
    assert any(dot.label for dot in picture.dots)
    assert not any(
        charts._overlap(a, b)
        for i, a in enumerate(boxes)
        for b in boxes[:i]
        if max(i, 0) and a != b and not _both_dots(a, b)
    )


def _both_dots(a, b):
    return all(box[2] - box[0] == 10 and box[3] - box[1] == 10 for box in (a, b))


def test_dots_and_intervals_lie_in_the_frame(bench):
    (picture,) = charts.scatters(collect(many(bench).results()))
    for dot in picture.dots:
        assert charts.LEFT <= dot.across[0] <= dot.x <= dot.across[1] <= charts.RIGHT
        assert charts.TOP <= dot.upright[1] <= dot.y <= dot.upright[0] <= charts.BOTTOM


def test_where_all_fall_the_picture_shows_what_that_takes(bench):
    for model, size in (("a", 1.0), ("b", 4.0)):
        bench.clean([0] * 4, [0] * 4, model=model)
        bench.bounded(range(4), [True] * 4, tested=4, model=model)
        bench.reach(range(4), l2=size, model=model)
    (picture,) = charts.scatters(collect(bench.results()))
    heights = {dot.title.split()[0]: dot.y for dot in picture.dots}
    assert charts.TOP <= heights["b"] < heights["a"] < charts.BOTTOM
    assert (charts.BOTTOM - heights["b"]) / (charts.BOTTOM - heights["a"]) == pytest.approx(4, rel=0.01)
    assert picture.rows[0] == (charts.BOTTOM, "0")
    assert "‖ε‖₂ at reach" in picture.upwards


@given(st.floats(1e-3, 1e3))
def test_lengths_have_round_marks_up_to_the_largest(high):
    axis = charts.LengthAxis([Metric(high, high, high, 1)], charts.BOTTOM, charts.TOP)
    assert charts.TOP <= axis(high) <= charts.BOTTOM
    assert 2 <= len(axis.ticks) <= 6
    assert axis.ticks[-1][0] == charts.TOP


def _with_queries(bench, row):
    from dataclasses import replace

    metrics = {**row.metrics, "queries": Metric(400.0, 300.0, 500.0, 2)}
    bench.rows[bench.rows.index(row)] = replace(row, metrics=metrics)
    return collect(bench.results())
