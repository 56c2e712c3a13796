"""What goes wrong around a command: one line, the right exit code, and nothing lost."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from soundproof import api
from soundproof.cli import main
from soundproof.cli.output import explain, printable
from soundproof.errors import SoundproofError

pytestmark = pytest.mark.slow

SUITE = """
name = "small"
datasets = [{ id = "synth", takes = 1, seconds = 0.25, classes = 3 }]
representations = [{ id = "stft", n_fft = 512, size = [16, 16] }]
models = [{ id = "resnet56", depth = 8, width = 2 }]
attacks = ["fgsm"]
protocols = ["clean", "bounded"]
[training]
epochs = 1
"""


@pytest.fixture
def places(tmp_path):
    """A suite of a second, and where its run takes place."""
    suite = tmp_path / "small.toml"
    suite.write_text(SUITE)
    return ["--suite", str(suite), "--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]


def bench(*arguments, **environment):
    """A process of its own."""
    code = "import sys; from soundproof.cli import main; sys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_reader_that_has_seen_enough_does_not_end_the_run(places, tmp_path):
    process = bench("run", "--device", "cpu", *places)
    # As `bench run 2>&1 | head -1` does.
    process.stdout.close()
    assert process.stderr.readline()
    process.stderr.close()
    assert process.wait() == 0
    assert len((tmp_path / "out" / "results.jsonl").read_text().splitlines()) == 2
    assert (tmp_path / "out" / "index.html").exists()


def test_the_code_is_the_commands_own_when_nobody_reads(tmp_path):
    process = bench("render", str(tmp_path / "nowhere"))
    process.stdout.close()
    process.stderr.close()
    assert process.wait() == 2


def test_a_list_may_be_left_in_the_middle():
    process = bench("ls")
    assert process.stdout.readline()
    process.stdout.close()
    told = process.stderr.read()
    assert (process.wait(), told) == (0, b"")
    process.stderr.close()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("arguments", [["ls"], ["ls", "--json"], ["data", "list", "--json"]])
def test_lists_are_printed_in_any_encoding(encoding, arguments):
    said, told = (process := bench(*arguments, PYTHONIOENCODING=encoding)).communicate()
    assert (process.returncode, told) == (0, b"")
    text = said.decode(encoding)
    assert "fsdd" in text
    if "--json" in arguments:
        assert json.loads(text)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
def test_output_that_cannot_be_written_is_an_error():
    code = "import sys; from soundproof.cli import main; sys.exit(main())"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code, "ls"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def raising(monkeypatch, error):
    """Make the next run raise."""

    def execute(*_, **__):
        raise error

    monkeypatch.setattr(api, "execute", execute)


@pytest.mark.parametrize("code", [0, None, 1, "bye", 130])
def test_a_plugin_that_exits_does_not_choose_the_exit_code(monkeypatch, capsys, code):
    raising(monkeypatch, SystemExit(code))
    assert main(["run"]) == 1
    told = capsys.readouterr().err
    assert f"sys.exit({code!r}) at test_faults.py:" in told
    assert "ended this early" in told


ERRORS = [
    (
        PermissionError(13, "Permission denied", "/x/cache"),
        "/x/cache: Permission denied; make it readable",
    ),
    (
        OSError(28, "No space left on device", "/x/out"),
        "/x/out: No space left on device; make room",
    ),
    (OSError(30, "Read-only file system", "/x"), "/x: Read-only file system; name a folder that can be written"),
    (NotADirectoryError(20, "Not a directory", "/x/y"), "/x/y: Not a directory; a file stands where a folder is"),
    (FileExistsError(17, "File exists", "/x"), "/x: File exists; a file stands where a folder is needed"),
    (OSError(36, "File name too long", "/x"), "/x: File name too long; choose a shorter name"),
    (
        OSError(40, "Too many levels of symbolic links", "/x"),
        "/x: Too many levels of symbolic links; a link",
    ),
    (OSError(5, "Input/output error"), "input or output: Input/output error; see that it can be used"),
    (OSError("strange"), "input or output: strange; see that it can be used"),
    (OSError(18, "Invalid cross-device link", "/x", None, "/y"), "/x and /y: Invalid cross-device link; see"),
]


@pytest.mark.parametrize(("error", "words"), ERRORS, ids=str)
def test_errors_of_the_system_are_one_line(monkeypatch, capsys, error, words):
    assert words in explain(error)
    raising(monkeypatch, error)
    assert main(["run"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("bench: 1 problem:\n  ")
    assert words in told
    assert "Traceback" not in told
    assert main(["run", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\rb\x08c\x00d\x9b1m", r"a\rb\x08c\x00d\x9b1m"),
        ("abc\u202efed", r"abc\u202efed"),
        ("lone \udcff half", r"lone \udcff half"),
        ("two\u2028lines", r"two\u2028lines"),
        ("a\ttab", r"a\ttab"),
        ("two\nlines · ü × 语", "two\nlines · ü × 语"),
    ],
)
def test_nothing_printed_moves_the_terminal(monkeypatch, capsys, text, shown):
    assert printable(text) == shown
    raising(monkeypatch, SoundproofError(text))
    assert main(["run"]) == 2
    assert capsys.readouterr().err == f"bench: 1 problem:\n  {shown}\n"


def spoiled(tmp_path, what):
    """A name that no folder can have."""
    path = tmp_path / ("x" * 300 if what == "too long" else "spoiled")
    if what == "a dangling link":
        path.symlink_to(tmp_path / "nowhere")
    elif what != "too long":
        path.write_text("")
    return path / "deeper" if what == "below a file" else path


@pytest.mark.parametrize("option", ["--out", "--cache"])
@pytest.mark.parametrize("what", ["a file", "below a file", "a dangling link", "too long"])
def test_a_place_that_cannot_be_is_one_line_before_anything_runs(places, tmp_path, capsys, option, what):
    path = spoiled(tmp_path, what)
    assert main(["run", "--device", "cpu", *places, option, str(path)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"bench: 1 problem:\n  {path}: ")
    assert option in told
    assert len(told.splitlines()) == 2


@pytest.mark.parametrize("command", [["render"], ["plan", "--suite"], ["data", "check", "--data"]])
@pytest.mark.parametrize("what", ["a file", "below a file", "a dangling link", "too long"])
def test_other_commands_say_it_in_lines_too(tmp_path, capsys, command, what):
    path = spoiled(tmp_path, what)
    path = path.with_name(f"{path.name}.toml") if "--suite" in command else path
    assert main([*command, str(path)]) == 2
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert str(path) in told


def test_results_are_not_overwritten_by_less(places, tmp_path, capsys):
    assert main(["run", "--device", "cpu", *places]) == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    (tmp_path / "other.toml").write_text(SUITE.replace('"small"', '"other"'))
    (tmp_path / "small.toml").write_text(SUITE.replace(', "bounded"', ""))
    for suite, words in (
        ("small", "holds 2 rows of the suite 'small'"),
        ("other", "results of the suite 'small'"),
    ):
        capsys.readouterr()
        assert main(["run", "--device", "cpu", *places, "--suite", str(tmp_path / f"{suite}.toml")]) == 2
        assert words in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_a_cache_that_cannot_be_written_costs_no_result(places, tmp_path, capsys):
    assert main(["run", "--device", "cpu", *places]) == 0
    before = (tmp_path / "out" / "results.jsonl").read_bytes()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "tmp").write_text("in the way, as a full disk would be")
    capsys.readouterr()
    assert main(["run", "--device", "cpu", *places, "--cache", str(tmp_path / "full")]) == 0
    told = capsys.readouterr().err
    assert told.count("warning: ") == 1
    assert f"{tmp_path / 'full'}: the cache cannot be written (" in told
    assert (tmp_path / "out" / "results.jsonl").read_bytes() == before
    assert '"event": "warning"' in (tmp_path / "out" / "events.jsonl").read_text()
