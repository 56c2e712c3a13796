"""The command line as a user meets it: exit codes, one clear message, nothing lost."""

import io
import json
import re
from dataclasses import replace

import pytest

from soundproof.cli import main
from soundproof.cli.terminal import Bar, Lines, duration, listener, remaining
from soundproof.engine.events import Begun, Ended, EpochDone, Finished, Started
from soundproof.errors import SoundproofError
from soundproof.results.files import Row
from soundproof.types import Status

pytestmark = pytest.mark.slow

SUITE = """
name = "small"
datasets = [{ id = "synth", takes = 1, seconds = 0.5 }]
representations = [{ id = "stft", n_fft = 512, size = [24, 24] }]
models = [{ id = "resnet56", depth = 8, width = 4 }]
attacks = ["fgsm"]
[training]
epochs = 1
"""


@pytest.fixture
def suite(tmp_path):
    file = tmp_path / "small.toml"
    file.write_text(SUITE)
    return file


def bench(capsys, *arguments):
    """Exit code, output and errors of a command."""
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def places(tmp_path):
    return ["--cache", tmp_path / "cache", "--device", "cpu"]


def test_run_writes_results_and_boards(capsys, suite, tmp_path):
    out = tmp_path / "out"
    code, said, told = bench(capsys, "run", "--suite", suite, "--out", out, *places(tmp_path))
    assert code == 0, told
    assert "3 ok" in said
    assert str(out / "index.html") in said
    assert "[4/4]" in told  # the checks are the fourth
    assert "left" in told
    names = {path.name for path in out.iterdir()}
    boards = {
        f"{board}.{kind}"
        for board in ("accuracy", "robustness", "cost", "transferability")
        for kind in ("md", "csv")
    }
    assert names == boards | {
        "results.jsonl",
        "checks.jsonl",
        "samples.safetensors",
        "pictures.safetensors",
        "run.json",
        "events.jsonl",
        "index.html",
        "README.md",
    }
    rows = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    assert {row["protocol"] for row in rows} == {"clean", "bounded", "reach"}
    events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events][:1] == ["begin"]
    assert sum(event["event"] == "finish" for event in events) == 4

    before = {path.name: path.read_bytes() for path in out.iterdir() if path.name != "events.jsonl"}
    code, _, told = bench(capsys, "run", "--suite", suite, "--out", out, *places(tmp_path))
    assert code == 0
    assert "4 cells, 4 cached" in told
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.name != "events.jsonl"} == before
    code, said, _ = bench(capsys, "render", out)
    assert code == 0
    assert str(out / "index.html") in said
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.name != "events.jsonl"} == before


def test_plan_tells_size_cache_and_time(capsys, suite, tmp_path):
    # Long enough to take more than the tenth of a second that the plan rounds to.
    suite.write_text(SUITE.replace("epochs = 1", "epochs = 1000"))
    code, said, _ = bench(capsys, "plan", "--suite", suite, "--json", *places(tmp_path))
    plan = json.loads(said)
    assert code == 0
    assert {"suite", "cells", "skipped", "cached", "gradients", "seconds", "reasons"} <= set(plan)
    assert (plan["suite"], plan["cells"], plan["cached"], plan["skipped"]) == ("small", 3, 0, 0)
    assert plan["gradients"] > 0
    assert plan["seconds"] > 0
    suite.write_text(SUITE)
    bench(capsys, "run", "--suite", suite, "--out", tmp_path / "out", *places(tmp_path))
    _, said, _ = bench(capsys, "plan", "--suite", suite, *places(tmp_path))
    assert "3 cells, 3 of them cached" in said
    assert "at most 0 gradients, about 0 s" in said


def test_a_failed_cell_exits_with_one_and_is_named(capsys, suite, tmp_path):
    suite.write_text(SUITE.replace("epochs = 1", "epochs = 1\nlearning_rate = 1e30"))
    code, said, told = bench(capsys, "run", "--suite", suite, "--out", tmp_path / "out", *places(tmp_path))
    assert code == 1
    assert "3 diverged" in said
    assert "diverged" in told
    assert "Traceback" not in said + told
    events = (tmp_path / "out" / "events.jsonl").read_text()
    assert "Traceback" in events


@pytest.mark.parametrize(
    ("arguments", "problems"),
    [
        (["run", "--suite", "quik"], ["did you mean 'quick'"]),
        (["run", "--suite", "nowhere.toml"], ["nowhere.toml: No such file"]),
        (["run", "--only", "attack"], ["--only attack: write KIND=ID"]),
        (["run", "--only", "attack=pgdd", "--only", "colour=blue"], ["no such attack", "kind must be one of"]),
        (["plan", "--suite", "quik"], ["did you mean 'quick'"]),
        (["ls", "colours"], ["'colours'"]),
        (
            ["render", "nowhere"],
            ["results.jsonl is missing", "samples.safetensors is missing", "run.json is missing"],
        ),
    ],
)
def test_bad_input_exits_with_two_and_lists_every_problem(capsys, arguments, problems):
    code, said, told = bench(capsys, *arguments)
    assert code == 2
    assert said == ""
    assert "Traceback" not in told
    assert f"{len(problems)} problem" in told
    for problem in problems:
        assert problem in told


def test_bad_suites_and_missing_data_lose_nothing(capsys, suite, tmp_path):
    out = tmp_path / "out"
    bench(capsys, "run", "--suite", suite, "--out", out, *places(tmp_path))
    before = (out / "results.jsonl").read_bytes()
    suite.write_text(SUITE.replace('"synth"', '"esc10"').replace(", takes = 1, seconds = 0.5", ""))
    code, _, told = bench(
        capsys, "run", "--suite", suite, "--out", out, "--data", tmp_path / "none", *places(tmp_path)
    )
    assert code == 2
    assert "ESC-50-master" in told
    assert (out / "results.jsonl").read_bytes() == before


def test_damaged_audio_is_named_file_by_file(capsys, suite, tmp_path):
    import numpy as np
    import soundfile

    for name in ("cat", "dog"):
        folder = tmp_path / "data" / "sounds" / name
        folder.mkdir(parents=True)
        for take in range(10):
            tone = np.sin(np.arange(8000) * (0.1 if name == "cat" else 0.2)) * (0.3 + take / 100)
            soundfile.write(folder / f"{take}.wav", tone, 8000, subtype="FLOAT")
    suite.write_text(
        SUITE.replace('{ id = "synth", takes = 1, seconds = 0.5 }', '{ id = "folder", path = "sounds" }')
    )
    out = tmp_path / "out"
    run = ["run", "--suite", suite, "--out", out, "--data", tmp_path / "data", *places(tmp_path)]
    assert bench(capsys, *run)[0] == 0
    before = (out / "results.jsonl").read_bytes()

    # Found while decoding: two clips whose samples are no numbers.
    for take in (3, 7):
        soundfile.write(
            tmp_path / "data" / "sounds" / "cat" / f"{take}.wav",
            np.full(8000 - take, np.nan),
            8000,
            subtype="FLOAT",
        )
    code, _, told = bench(capsys, *run)
    assert code == 2
    assert "2 problems" in told
    assert "cat/3.wav" in told
    assert "cat/7.wav" in told

    # Found from the headers: one clip cut short, one empty file.
    whole = tmp_path / "data" / "sounds" / "dog" / "1.wav"
    whole.write_bytes(whole.read_bytes()[:2000])
    (tmp_path / "data" / "sounds" / "dog" / "2.wav").write_bytes(b"")
    code, _, told = bench(capsys, *run)
    assert code == 2
    assert "dog/1.wav: truncated" in told
    assert "dog/2.wav: empty" in told
    assert "Traceback" not in told
    assert (out / "results.jsonl").read_bytes() == before


def test_debug_shows_the_traceback(capsys):
    code, _, told = bench(capsys, "run", "--suite", "quik", "--debug")
    assert code == 2
    assert "Traceback" in told


def test_interrupts_exit_with_130(capsys, monkeypatch):
    from soundproof import api

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "execute", interrupt)
    code, _, told = bench(capsys, "run")
    assert code == 130
    assert "the same command goes on" in told


@pytest.mark.parametrize("command", [[], ["run"], ["plan"], ["ls"], ["render"]])
def test_every_command_has_help_with_examples(capsys, command):
    with pytest.raises(SystemExit) as stopped:
        main([*command, "--help"])
    assert stopped.value.code == 0
    said = capsys.readouterr().out
    assert "example" in said
    assert f"bench {' '.join(command)}".strip() in said


def test_ls_lists_kinds_and_suites(capsys):
    _, said, _ = bench(capsys, "ls", "attacks")
    assert "fgsm" in said
    assert "resnet18" not in said
    _, said, _ = bench(capsys, "ls", "suites")
    assert "quick" in said.split()
    _, said, _ = bench(capsys, "ls", "model", "--json")
    assert {entry["kind"] for entry in json.loads(said)} == {"model"}
    assert {"kind", "id", "summary", "distribution", "version", "parameters", "capabilities", "error"} == set(
        json.loads(said)[0]
    )


def test_durations_read_well():
    assert [duration(s) for s in (0.4, 59.4, 61, 3599.4, 7500)] == [
        "0 s",
        "59 s",
        "1 min 01 s",
        "59 min 59 s",
        "2 h 05 min",
    ]


def row(status=Status.OK, reason=None):
    one = {"id": "x"}
    place = {"protocol": "clean", "dataset": one, "representation": one, "model": one, "defense": one}
    return Row(key="key", status=status, reason=reason, attack=None, target=None, fold=0, seed=0, **place)


def finished(row, *, cached, done, left):
    return Finished(row, 2.0, cached, done, 3, left)


def test_lines_tell_of_cells_that_were_computed_or_failed():
    stream = io.StringIO()
    lines = listener(stream)
    assert isinstance(lines, Lines)
    lines(Begun(3, 1, 90))
    lines(Started("a cell"))
    lines(finished(row(), cached=True, done=1, left=80))
    lines(finished(row(), cached=False, done=2, left=60))
    lines(finished(row(Status.FAILED, "Error: no"), cached=True, done=3, left=0))
    lines(Ended())
    said = stream.getvalue().splitlines()
    assert said[0] == "3 cells, 1 cached, at most 1 min 30 s"
    assert said[1].startswith("[2/3] ok x · x")
    assert said[1].endswith("2.0 s · 1 min 00 s left")
    assert "[3/3] failed (Error: no)" in said[2]
    assert len(said) == 3


def test_a_terminal_gets_a_bar():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    bar = listener(stream)
    assert isinstance(bar, Bar)
    bar(Begun(2, 0, 10))
    bar(Started("a cell"))
    bar(EpochDone())
    bar(finished(row(Status.INVALID, "left [the] ball"), cached=False, done=1, left=5))
    bar(Ended())
    assert "invalid" in stream.getvalue()
    assert "left [the] ball" in stream.getvalue()


def test_a_narrow_terminal_shows_bar_count_epoch_and_time(monkeypatch):
    """What was squeezed out at 80 columns: everything but the end of a long name."""
    monkeypatch.setenv("COLUMNS", "80")

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    bar = listener(stream)
    bar(Begun(168, 0, 7500))
    bar(Started("esc10 · stft · resnet56 · adversarial-training(attack=fgsm) · bim-a · bounded", 30))
    for _ in range(33):
        bar(EpochDone())
    bar._progress.refresh()
    plain = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())
    line = [each for each in re.split(r"[\r\n]|\x1b\[[^A-Za-z]*[A-Za-z]", plain) if "epoch 3 of 30" in each][
        -1
    ].strip()
    assert "━━━━" in line
    assert "0/168" in line
    assert "at most 2 h 05 min left" in line
    assert len(line) <= 80
    bar(Ended())


def test_time_left_is_an_upper_bound_until_some_work_is_done():
    event = Finished(row(), 2.0, cached=False, done=1, total=3, left=60, at_most=True)
    assert remaining(event) == "at most 1 min 00 s left"
    assert remaining(replace(event, at_most=False)) == "1 min 00 s left"


def test_errors_know_their_problems():
    assert SoundproofError("one").problems == ("one",)
    assert SoundproofError(["one", "two"]).problems == ("one", "two")
