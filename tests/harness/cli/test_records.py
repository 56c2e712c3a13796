"""Commands that read finished results: `bench compare` and `bench site`."""

import shutil
from pathlib import Path

import pytest

from soundproof.cli import main

QUICK = Path(__file__).parents[3] / "leaderboards" / "quick"
pytestmark = pytest.mark.slow


def test_a_run_compared_with_itself_has_not_changed(capsys):
    assert main(["compare", str(QUICK), str(QUICK)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("numbers in both, 0 with an interval that leaves out zero")
    assert main(["compare", str(QUICK), str(QUICK), "--all"]) == 0
    assert any(each.startswith("Robust accuracy: ") for each in capsys.readouterr().out.splitlines())


def test_what_is_no_run_is_told(capsys, tmp_path):
    assert main(["compare", str(QUICK), str(tmp_path)]) == 2
    assert "is missing" in capsys.readouterr().err


def test_the_site_is_drawn_where_the_records_are(capsys, tmp_path):
    shutil.copytree(QUICK, tmp_path / "quick")
    assert main(["site", str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "index.html")
    assert "quick/index.html" in (tmp_path / "index.html").read_text("utf-8")
    assert main(["site", str(tmp_path / "quick")]) == 2
