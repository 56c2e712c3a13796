import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from soundproof.boards.collect import collect
from soundproof.boards.page import page
from soundproof.boards.provenance import provenance

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


def draw(bench):
    return page(collect(bench.results()), provenance(bench.run))


@pytest.fixture
def text(crowded):
    return draw(crowded)


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
            assert attributes.get(name, None) in ids | {None}
        if tag == "a" and attributes["href"].startswith("#"):
            assert attributes["href"][1:] in ids


def test_nothing_is_fetched(text, reader):
    assert not re.search(r"(?:https?:)?//(?:cdn|fonts|www|\w+\.\w+/)", text.replace("http://evil.test", ""))
    for tag, attributes in reader.tags:
        assert tag not in {"img", "iframe", "object", "embed", "base"}
        assert "src" not in attributes
        if "href" in attributes:
            assert re.fullmatch(r"#\w+|\w+\.(csv|md)|data:,", attributes["href"])
    assert "@import" not in text
    assert "url(" not in text


def test_a_page_without_hostile_names_names_no_address(bench):
    bench.clean([0, 1], [0, 1])
    text = draw(bench)
    assert "http://" not in text
    assert "https://" not in text


def test_hostile_names_are_text(text, reader):
    assert "<img" not in text
    assert "onerror=alert(1)>" not in text.replace("onerror=alert(1)&gt;", "")
    assert not any(name.startswith("on") for _, attributes in reader.tags for name in attributes)
    assert len(reader.scripts) == 3


def test_only_the_scripts_of_the_page_may_run(reader):
    (policy,) = (a["content"] for tag, a in reader.tags if a.get("http-equiv") == "Content-Security-Policy")
    allowed = re.findall(r"'sha256-([^']+)'", policy)
    actual = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in reader.scripts
        if not script.lstrip().startswith("[")
    ]
    assert sorted(allowed) == sorted(actual)
    assert "default-src 'none'" in policy


def test_every_number_stands_with_its_interval_and_n(reader):
    numbers = [
        parts
        for tag, a, parts in reader.cells
        if tag == "td" and a.get("class", "").split()[:1] == ["number"] and parts
    ]
    measured = [parts for parts in numbers if parts[0].startswith("n ")]
    assert len(measured) > 50
    for count, figure, *interval in measured:
        assert re.fullmatch(r"n [\d,]+", count)
        assert re.fullmatch(r"-?[\d.,]+", figure)
        # Where all draws agree there is none, as for gradients that every clip costs alike.
        assert all(re.fullmatch(r"(mean )?-?[\d.,]+(–| to )[\d.,]+", each) for each in interval)
    assert sum(len(parts) == 3 for parts in measured) > 50
    # What has none is no estimate: D.
    assert {parts[0] for parts in numbers if len(parts) == 1} <= {"64"}
    heat = [
        parts for _, attributes, parts in reader.cells if "--t" in attributes.get("style", "") and parts != ["–"]
    ]
    assert heat
    assert all(len(parts) == 3 and parts[0].startswith("n ") for parts in heat)


def test_sort_values_are_raw(bench):
    row = bench.clean([0, 1, 1], [0, 1, 0])
    cells = Reader(draw(bench)).cells
    assert str(row.metrics["precision"].value) in {attributes.get("data-v") for _, attributes, _ in cells}


def test_losses_are_never_among_the_scores(text):
    boards, losses = text.split('<section id="unscored"')
    assert "yamnet" not in boards.split("<main>")[1]
    assert "yamnet" in losses
    assert "@needs an image" in losses


def test_flags_are_badges_with_their_meaning(reader):
    badges = [attributes for _, attributes in reader.tags if "badge" in attributes.get("class", "")]
    red = [badge["title"] for badge in badges if "red" in badge["class"] and "title" in badge]
    assert any(title.startswith("Clips of one recording") for title in red)


def test_matrices_for_the_script_match_the_page(reader):
    (grids,) = (json.loads(script) for script in reader.scripts if script.lstrip().startswith("["))
    (matrix,) = grids
    assert set(matrix) == {"mean over attacks", "fgsm", next(key for key in matrix if key.startswith("cwa"))}
    shown = [parts for _, attributes, parts in reader.cells if "--t" in attributes.get("style", "")]
    given = [cell for row in matrix["mean over attacks"] for cell in row if cell]
    assert [parts[-2] if len(parts) == 3 else parts[0] for parts in shown] == [cell[0] for cell in given]


def test_headings_can_be_sorted_by_keyboard(reader):
    headings = [attributes for tag, attributes in reader.tags if tag == "th" and "data-column" in attributes]
    assert headings
    assert all(attributes["aria-sort"] == "none" for attributes in headings)
    assert sum(tag == "button" and "data-first" in attributes for tag, attributes in reader.tags) == len(headings)


def test_pictures_have_words(reader):
    pictures = [attributes for tag, attributes in reader.tags if tag == "svg" and attributes.get("role") == "img"]
    assert len(pictures) == 2 + 5  # an overview; three models, and two defenses on top of them
    assert all(len(attributes["aria-label"]) > 40 for attributes in pictures)


def test_learning_curves_are_folded_up_and_failures_labelled(text, reader):
    section = text.split('<section id="training"')[1].split("</section>")[0]
    assert section.count("<details>") == 1  # closed until it is asked for
    assert section.count("<summary>") == 1
    assert section.count('class="thread"') == 2 * 2 * (2 + 2)  # two frames, folds, models and their defenses
    assert section.count('class="thread failed"') == 2
    assert section.count("1 failed</span>") == 2
    assert '<small class="reason">&lt;/script&gt;' in section
    assert not re.search(r"[^ML\d .h-]", "".join(re.findall(r'class="thread[^>]* d="([^"]*)"', section)))


def test_results_without_learning_curves_have_no_such_section(bench):
    bench.clean([0, 1], [0, 1])
    text = draw(bench)
    assert 'id="training"' not in text
    assert '#training"' not in text


def test_reports_of_a_defense_have_a_heading_that_explains_them(text, reader):
    heads = {a["data-column"] for tag, a in reader.tags if tag == "th" and a.get("data-column")}
    assert "report__gain_db" in heads
    assert all(re.fullmatch(r"\w+", name) for name in heads)
    assert "1.50" in {
        parts[1]
        for _, a, parts in reader.cells
        if a.get("class", "").split()[:1] == ["number"] and len(parts) == 3
    }


def test_the_two_attackers_are_told_apart_where_there_are_two(text, bench):
    assert "A defense faces two attackers." in text
    bench.clean([0, 1], [0, 1])
    bench.bounded([0, 1], [True, False], tested=2)
    assert "rey-box" not in draw(bench)


def test_a_network_from_random_weights_says_so_and_keeps_its_rank(bench):
    bench.clean([0, 1], [0, 1], flags=("random-start",))
    assert collect(bench.results()).accuracy[0].rank.place == 1
    assert "No published weights were given" in draw(bench)


def test_an_empty_run_is_still_a_page(bench):
    bench.run = {}
    text = draw(bench)
    assert text.count("Nothing was measured for this board.") == 4
    assert Reader(text).open == []
