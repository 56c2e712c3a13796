"""Where suites come from: whatever the file is, one clear line."""

import os

import pytest

from soundproof import SuiteError
from soundproof.cli import main
from soundproof.planning.documents import LARGEST, read, suite_names, suite_summary
from soundproof.planning.suite import load_suite
from toys import toy_registry

SUITE = """
name = "mine"
datasets = ["toy-data"]
representations = ["toy-picture"]
models = ["toy-linear"]
attacks = ["fgsm"]
"""


def test_files_and_names(tmp_path):
    registry = toy_registry()
    file = tmp_path / "mine.toml"
    file.write_text(SUITE)
    assert load_suite(file, registry).name == "mine"
    assert load_suite(str(file), registry).digest == load_suite(file, registry).digest
    with pytest.raises(SuiteError, match="unknown suite 'quik': did you mean 'quick'"):
        read("quik")


def test_every_built_in_suite_says_what_it_is():
    assert {"quick", "esc10"} <= set(suite_names())
    assert all(len(suite_summary(name)) > 20 for name in suite_names())


def fifo(path):
    os.mkfifo(path)


def loop(path):
    path.symlink_to(path)


HOSTILE = {
    "lists": (lambda path: path.write_text("x = " + "[" * 5000 + "]" * 5000), "nested too deeply"),
    "tables": (lambda path: path.write_text("x = " + "{a = " * 5000 + "1" + "}" * 5000), "nested too deeply"),
    "digits": (lambda path: path.write_text("x = " + "9" * 5000), "is not TOML: Exceeds the limit"),
    "more digits": (lambda path: path.write_text(f"{SUITE}[budget]\nepsilon = {'9' * 4000}"), "finite number"),
    "nul": (lambda path: path.write_bytes(b'name = "\0"'), "is not TOML: Illegal character"),
    "latin-1": (lambda path: path.write_bytes(b'name = "\xe9"'), "is not TOML: 'utf-8' codec"),
    "half": (lambda path: path.write_text("name = "), "is not TOML"),
    "empty": (lambda path: path.write_text(""), "name: required"),
    "large": (lambda path: path.write_text("#" * (LARGEST + 1)), "so it is no suite"),
    "folder": (lambda path: path.mkdir(), "Is a directory"),
    "pipe": (fifo, "not a regular file"),
    "loop": (loop, "symbolic links"),
    "nothing": (lambda path: None, "No such file"),
}


@pytest.mark.parametrize(("make", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_suite_is_one_clear_line(make, reason, tmp_path, capsys):
    path = tmp_path / "mine.toml"
    make(path)
    assert main(["plan", "--suite", str(path)]) == 2
    told = capsys.readouterr().err
    assert reason in told
    assert "mine.toml" in told
    assert "Traceback" not in told
    assert all(len(line) < 400 for line in told.splitlines())


def test_names_that_no_file_can_have():
    for name in ("a\0b.toml", "x" * 5000 + ".toml"):
        with pytest.raises(SuiteError):
            read(name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(SUITE)
    path.chmod(0)
    with pytest.raises(SuiteError, match="Permission denied"):
        read(path)


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "change",
    [
        {"models": [nested(5000)]},
        {"models": [{"id": "toy-linear", "scale": nested(5000)}]},
        {"models": [{"id": "toy-linear", "scale": 10**5000}]},
        {"budget": {"epsilon": 10**5000}},
        {"training": nested(5000)},
        {"name": "\ud800"},
        {1: 2},
    ],
    ids=["entry", "parameter", "huge parameter", "huge budget", "table", "surrogate", "key"],
)
def test_mappings_that_are_no_suite(change):
    from toys import toy_suite

    with pytest.raises(SuiteError) as caught:
        load_suite({**toy_suite(), **change}, toy_registry())
    assert all(len(problem) < 300 for problem in caught.value.problems)
