"""The index of all boards: from results folders alone, with what they keep of before."""

import pytest

from soundproof.boards.site import site
from soundproof.errors import ResultsError
from soundproof.results.files import write
from workbench import Workbench


def record(folder, right, name="suite"):
    bench = Workbench()
    bench.run["suite"] = {"name": name}
    bench.clean([0] * 10, [0] * right + [1] * (10 - right))
    folder.mkdir(parents=True)
    write(bench.results(), folder)


def test_every_folder_and_its_earlier_records_are_there(tmp_path):
    record(tmp_path / "one", 9, "<script>one")
    record(tmp_path / "one" / "earlier" / "2026-01", 7)
    record(tmp_path / "two words", 8, "two")
    (tmp_path / "notes").mkdir()
    text = site(tmp_path).read_text("utf-8")
    assert '<a href="one/index.html">&lt;script&gt;one</a>' in text
    assert '<a href="two%20words/index.html">two</a>' in text
    assert '<a href="one/earlier/2026-01/index.html">2026-01</a>' in text
    assert text.index("90.0 %") < text.index("70.0 %") < text.index("80.0 %")
    assert "<script" not in text
    assert site(tmp_path).read_text("utf-8") == text


def test_a_folder_without_results_is_told_what_makes_one(tmp_path):
    with pytest.raises(ResultsError, match="bench run --out"):
        site(tmp_path)
