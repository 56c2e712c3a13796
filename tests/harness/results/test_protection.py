"""A results folder is never overwritten by less."""

import json

import pytest

from soundproof.errors import ResultsError
from soundproof.results.protection import protect


def results(out, name="mine", rows=14):
    out.mkdir()
    (out / "run.json").write_text(json.dumps({"suite": {"name": name}}))
    (out / "results.jsonl").write_text("{}\n" * rows)
    (out / "index.html").write_text("")
    return out


@pytest.mark.parametrize("rows", [14, 15])
def test_as_much_or_more_may_be_written(tmp_path, rows):
    protect(results(tmp_path / "out"), "mine", rows)


@pytest.mark.parametrize(
    ("suite", "rows", "words"),
    [
        ("mine", 8, "holds 14 rows of the suite 'mine', and this run would leave 8"),
        ("mine", 0, "holds 14 rows of the suite 'mine', and this run would leave 0"),
        ("other", 100, "holds results of the suite 'mine', and this is 'other'"),
    ],
)
def test_less_and_something_else_are_refused(tmp_path, suite, rows, words):
    out = results(tmp_path / "out")
    with pytest.raises(ResultsError) as caught:
        protect(out, suite, rows)
    (problem,) = caught.value.problems
    assert problem == f"{out}: {words}; name another folder with --out, or remove this one"


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"suite": 5}', "[" * 100_000])
def test_what_is_damaged_is_not_protected(tmp_path, content):
    out = results(tmp_path / "out")
    (out / "run.json").write_text(content)
    protect(out, "mine", 1)


@pytest.mark.parametrize("left", [[], ["events.jsonl"], ["suite.toml"], ["run.json", "index.html"]])
def test_a_folder_without_results_may_be_written(tmp_path, left):
    protect(tmp_path / "new" / "out", "mine", 1)
    for name in left:
        (tmp_path / name).write_text("")
    protect(tmp_path, "mine", 1)


def test_pages_that_no_run_wrote_are_kept(tmp_path):
    (tmp_path / "README.md").write_text("my project")
    with pytest.raises(ResultsError, match=r"holds README\.md, but no results: what no run wrote is not"):
        protect(tmp_path, "mine", 1)


@pytest.mark.parametrize("what", ["file", "below", "dangling", "circle", "long"])
def test_a_name_that_no_folder_can_have_is_refused(tmp_path, what):
    out = tmp_path / ("x" * 300 if what == "long" else "out")
    if what == "file":
        out.write_text("")
    elif what == "below":
        out.write_text("")
        out = out / "deeper" / "out"
    elif what in {"dangling", "circle"}:
        out.symlink_to(tmp_path / "nowhere" if what == "dangling" else out)
    with pytest.raises(ResultsError) as caught:
        protect(out, "mine", 1)
    (problem,) = caught.value.problems
    assert problem.startswith(f"{out}: ")
    assert "--out" in problem
