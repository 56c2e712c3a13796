"""The log of a run: what is noted, and that it costs no run."""

import json
from pathlib import Path

import pytest

from soundproof.engine.events import Begun, Ended, EventLog, Started, Warned


def noted(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_warnings_are_noted_and_passed_on(tmp_path):
    with EventLog(tmp_path / "out" / "events.jsonl") as log:
        log(Warned("the cache cannot be written"))
    (entry,) = noted(tmp_path / "out" / "events.jsonl")
    assert (entry["event"], entry["message"]) == ("warning", "the cache cannot be written")


def test_a_lone_surrogate_is_noted(tmp_path):
    with EventLog(tmp_path / "events.jsonl") as log:
        log(Started("bad \udcff name"))
    assert noted(tmp_path / "events.jsonl")[0]["cell"] == "bad \udcff name"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
def test_a_full_disk_ends_the_log_and_not_the_run():
    with EventLog(Path("/dev/full")) as log:
        log(Begun(1, 0, 0.0))
        log(Ended())
