"""The stopwatch: time counts for the innermost stage, and the trace is what browsers read."""

import json

from soundproof.engine.events import Spent, Stage
from soundproof.engine.stopwatch import Stopwatch


def timed():
    now = [100.0]
    watch = Stopwatch(lambda: now[0])
    here, there = watch.at("here"), watch.at("there")
    for tell, stage, after in (
        (here, "cell", 1.0),
        (there, "other", 0.5),
        (here, "trained", 2.0),
        (here, "cell", 4.0),
        (here, "", 0.0),
        (there, "", 0.0),
    ):
        tell(stage)
        now[0] += after
    return watch


def test_time_counts_for_the_innermost_stage():
    assert timed().by_stage() == {"cell": 1.0 + 0.5 + 4.0, "trained": 2.0, "other": 6.5}


def test_the_trace_has_a_lane_a_place(tmp_path):
    timed().write(tmp_path / "trace.json", str.upper)
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    lanes = {event["tid"]: event["args"]["name"] for event in events if event["ph"] == "M"}
    spans = [(lanes[e["tid"]], e["name"], e["ts"], e["dur"]) for e in events if e["ph"] == "X"]
    assert spans == [
        ("place here", "CELL", 0, 1_500_000),
        ("place here", "TRAINED", 1_500_000, 2_000_000),
        ("place here", "CELL", 3_500_000, 4_000_000),
        ("place there", "OTHER", 1_000_000, 6_500_000),
    ]


def test_the_efficiency_is_a_share_of_the_time_of_all_places():
    spent = Spent(10.0, 2, (Stage("trained", 8.0, 6.0), Stage("bounded", 9.0, 4.0)), ())
    assert spent.efficiency == 0.5
