"""The page as a file: whole, self-contained, safe, and saying what it has to without its script."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from soundproof.boards import draw
from soundproof.boards.collect import collect
from workbench import HOSTILE

pytestmark = pytest.mark.slow

VOID = {"meta", "link", "input", "br", "img", "path", "circle", "rect"}


class Reader(HTMLParser):
    """Collects tags, the text of cells and of scripts, and checks that tags are balanced."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.scripts, self.cells = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append("")
        if tag in {"td", "th"}:
            self.cells.append((tag, attributes, []))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["script"]:
            self.scripts[-1] += data
        elif self.cells and ("td" in self.open or "th" in self.open) and data.strip():
            self.cells[-1][2].append(data.strip())

    @property
    def payload(self):
        return json.loads(next(script for script in self.scripts if script.startswith("{")))


def page(bench):
    return draw(bench.results()).pages["index.html"]


@pytest.fixture
def text(crowded):
    return page(crowded)


@pytest.fixture
def reader(text):
    return Reader(text)


def test_the_page_is_whole_and_balanced(reader):
    assert reader.open == []
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_every_reference_leads_somewhere(reader):
    ids = {attributes.get("id") for _, attributes in reader.tags}
    for tag, attributes in reader.tags:
        for name in ("aria-describedby", "aria-labelledby", "for"):
            # The title of a row is made when the row is opened.
            assert attributes.get(name, None) in ids | {None, "row-title"}
        if tag == "a" and attributes["href"].startswith("#"):
            assert attributes["href"][1:] in ids


def test_nothing_is_fetched(text, reader):
    assert not re.search(r"(?:https?:)?//(?:cdn|fonts|\w+\.\w+/)", text.replace("http://evil.test", ""))
    for tag, attributes in reader.tags:
        assert tag not in {"img", "iframe", "object", "embed", "base"}
        assert "src" not in attributes
        if "href" in attributes:
            assert re.fullmatch(r"#\w+|\w+\.(csv|md)|data:,", attributes["href"])
    assert "@import" not in text
    assert "url(" not in text


def test_a_page_without_hostile_names_names_no_address(bench):
    bench.clean([0, 1], [0, 1])
    named = page(bench).replace("http://www.w3.org/2000/svg", "")
    assert "http://" not in named
    assert "https://" not in named


def test_hostile_names_are_text(text, reader):
    assert "<img" not in text
    assert "onerror=alert(1)>" not in text.replace("onerror=alert(1)&gt;", "")
    assert not any(name.startswith("on") for _, attributes in reader.tags for name in attributes)
    assert len(reader.scripts) == 3
    assert HOSTILE in {name for name, _, _ in reader.payload["names"]["model"]}


def test_only_the_scripts_of_the_page_may_run(reader):
    (policy,) = (a["content"] for tag, a in reader.tags if a.get("http-equiv") == "Content-Security-Policy")
    allowed = re.findall(r"'sha256-([^']+)'", policy)
    actual = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in reader.scripts
        if not script.startswith("{")
    ]
    assert sorted(allowed) == sorted(actual)
    assert "default-src 'none'" in policy


def test_without_the_script_the_ranking_stands_with_intervals(reader):
    numbers = [
        parts
        for tag, attributes, parts in reader.cells
        if tag == "td" and attributes.get("class") == "number" and parts
    ]
    assert len(numbers) >= 12
    for figure, *interval in numbers:
        assert re.fullmatch(r"-?[\d.,]+", figure)
        # Where all draws agree there is none, as for gradients that every clip costs alike.
        assert all(re.fullmatch(r"-?[\d.,]+(–| to )[\d.,]+", each) for each in interval)
    assert sum(len(parts) == 2 for parts in numbers) >= 8


def test_clips_are_counted_once_and_kept_for_every_number(text, reader):
    assert "n = 40 test clips, 28–35 of them attacked." in text
    board = reader.payload["tables"]["classifiers"]
    for values in board["numbers"].values():
        assert [n is None for n in values[3]] == [value is None for value in values[0]]
        assert all(n is None or n > 0 for n in values[3])


def test_numbers_for_the_script_are_those_of_the_boards(crowded, reader):
    (table,) = (reader.payload["tables"][name] for name in ("classifiers",))
    entries = {entry.name: entry for entry in collect(crowded.results()).robustness}
    shown = dict(zip((entry.full for entry in entries), table["numbers"]["robust_accuracy"][0], strict=False))
    for name, entry in entries.items():
        assert shown[name.full] == pytest.approx(entry.metrics["robust_accuracy"].value, rel=1e-3)


def test_losses_are_never_among_the_scores(reader):
    content = reader.payload
    (lost,) = (group for group in content["unscored"] if group[2] == "@needs an image")
    yamnet = [name for name, _, _ in content["names"]["model"]].index("yamnet")
    assert lost[3][0][0][2] == yamnet
    assert yamnet not in {who[2] for table in content["tables"].values() for who in table["who"]}


def test_flags_are_badges_with_their_meaning(text, reader):
    titles = [title for title, _, _ in reader.payload["flags"]]
    assert "leaky" in titles
    assert "Clips of one recording are in the training and in the test part" in text
    assert '<span class="badge red">leaky</span>' in text


def test_a_row_keeps_what_its_section_needs(reader):
    content = reader.payload
    for section in content["sections"]:
        if not section.get("confusions"):
            continue
        (attack, cells), *_ = section["confusions"]
        clean = [cells[at : at + 3] for at in range(0, len(cells), 3)]
        assert attack == -1
        assert sum(count for _, _, count in clean) == sum(row[0] for row in section["classes"])
        # What survives was right, and what was right was a clip.
        assert all(row == sorted(row, reverse=True) for row in section["classes"])


def test_learning_curves_of_a_model_stand_at_each_of_its_defenses(reader):
    phases = [{run[0] for run in section["training"]} for section in reader.payload["sections"]]
    assert {"model"} in phases
    assert {"model", "defense"} in phases


def test_reports_of_a_defense_have_a_heading_that_explains_them(reader):
    columns = {column[0]: column for column in reader.payload["tables"]["classifiers"]["columns"]}
    assert all(re.fullmatch(r"\w+", name) for name in columns)
    assert columns["report__gain_db"][1] == "=gain dB"


def test_the_two_attackers_are_told_apart_where_there_are_two(text, bench):
    assert "A defense faces two attackers." in text
    bench.clean([0, 1], [0, 1])
    bench.bounded([0, 1], [True, False], tested=2)
    assert "Grey-box" not in page(bench)


def test_a_network_from_random_weights_says_so_and_keeps_its_rank(bench):
    bench.clean([0, 1], [0, 1], flags=("random-start",))
    assert collect(bench.results()).accuracy[0].rank.place == 1
    assert "No published weights were given" in page(bench)


def test_means_say_when_not_every_attack_reached(bench):
    bench.clean([0] * 4, [0] * 4)
    for attack in ("fgsm", "cwa"):
        bench.bounded(range(4), [True] * 4, tested=4, attack=attack)
        bench.reach(range(4), attack=attack, reached=attack == "cwa")
    assert Reader(page(bench)).payload["tables"]["classifiers"]["note"] == ["1 of 2 attacks reached"]


def test_an_empty_run_is_still_a_page(bench):
    bench.run = {}
    text = page(bench)
    assert "Nothing was measured." in text
    assert Reader(text).open == []
