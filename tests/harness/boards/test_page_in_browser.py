"""The page in Chromium: what a reader asks for is what the reader gets, by mouse, keyboard, link and printer."""

import csv
import io
import re
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe

from soundproof.boards import draw
from soundproof.boards.collect import collect
from soundproof.boards.examinations import Examination
from soundproof.boards.page import page as whole_page
from soundproof.boards.provenance import provenance
from workbench import HOSTILE

pytestmark = pytest.mark.slow


def test_the_ranking_stands_as_written(small, visit):
    page = visit(small)
    assert page.column("name") == ["resnet", "vgg", "alexnet", "leaks"]
    assert page.inner_text("#count") == "4 rows"


def test_readers_without_a_script_see_the_same_numbers(small, visit):
    plain = visit(small, java_script_enabled=False)
    scripted = visit(small)
    cells = "table#board tbody tr"
    texts = [
        [re.sub(r"\s+", " ", row.inner_text()).strip() for row in page.query_selector_all(cells)]
        for page in (plain, scripted)
    ]
    assert texts[0] == texts[1]
    assert len(texts[0]) == 4
    assert not plain.query_selector("#search").is_visible()


def test_headings_sort_by_value_and_back(small, visit):
    page = visit(small)
    ranked = page.column("name")
    page.click('#board [data-column="accuracy"]')
    assert page.column("accuracy") == ["100.0", "90.0", "80.0", "60.0"]
    assert page.get_attribute("#board th:has([data-column=accuracy])", "aria-sort") == "descending"
    page.click('#board [data-column="accuracy"]')
    assert page.column("accuracy") == ["60.0", "80.0", "90.0", "100.0"]
    page.click('#board [data-column="accuracy"]')
    assert page.column("name") == ranked


def test_what_has_no_number_comes_last_either_way(small, visit):
    for direction in ("up", "down"):
        page = visit(small, f"#sort-classifiers=robust_accuracy:{direction}")
        assert page.column("name")[-1] == "leaks"


def test_search_and_filters_combine(small, visit):
    page = visit(small)
    page.fill("#search", "SYNTH alex")
    assert page.column("name") == ["alexnet"]
    page.click("text=Attack by attack")
    assert page.column("attack") == ["cwa", "fgsm"]
    page.select_option("[data-facet=attack]", "cwa")
    assert page.column("attack") == ["cwa"]
    assert page.inner_text("#count") == "1 of 6 rows"
    page.click("#clear")
    assert page.inner_text("#count") == "6 rows"
    page.fill("#search", "nobody")
    assert page.is_visible("#nothing")
    assert not page.is_visible("#board")


def test_a_link_brings_back_everything(small, visit):
    page = visit(small)
    page.fill("#search", "net")
    page.click("text=Attack by attack")
    page.click('#board [data-column="fooling_rate"]')
    page.select_option("[data-facet=attack]", "cwa")
    page.click("[data-draw=auc]")
    again = visit(small, page.hash)
    assert again.column("name") == page.column("name") != []
    assert again.column("attack") == page.column("attack")
    assert again.input_value("#search") == "net"
    assert again.get_attribute("[data-draw=auc]", "aria-pressed") == "true"


def test_an_unknown_wish_is_ignored(small, visit):
    page = visit(
        small, "#model=nobody&sort-classifiers=__proto__:up&cols-classifiers=constructor&row=__proto__:1&heat=9"
    )
    assert page.inner_text("#count") == "4 rows"
    assert not page.is_visible("dialog")


def test_columns_are_chosen(small, visit):
    page = visit(small)
    before = page.heads()
    assert "precision" not in before
    page.click("#columns summary")
    page.check("#columns >> text=Precision")
    assert page.heads() == [*before, "precision"]
    page.uncheck("#columns >> text=ε ratio") if "epsilon_ratio" in before else None
    assert "precision" in visit(small, page.hash).heads()
    page.uncheck("#columns >> text=Precision")
    assert page.heads() == before
    assert "cols-" not in page.hash


def test_the_rows_shown_are_the_rows_saved(small, visit):
    page = visit(small, "#model=vgg")
    with page.expect_download() as saved:
        page.click("#csv")
    (line,) = csv.DictReader(io.StringIO(saved.value.path().read_text("utf-8")))
    assert (line["model"], line["dataset"]) == ("vgg", "synth")
    assert float(line["accuracy"]) == 0.8
    assert float(line["accuracy_n"]) == 10
    assert saved.value.suggested_filename == "bench-classifiers.csv"


def test_a_row_opens_with_everything_of_it(small, visit):
    page = visit(small)
    page.click("#board button.open >> text=alexnet")
    text = page.inner_text("dialog")
    titles = ["Numbers", "Security curves", "Confusions", "Class by class", "Training", "Get it again"]
    assert [title for title in titles if title in text] == titles
    assert 'models = ["alexnet"]' in text
    assert "bench run --suite row.toml" in text
    assert "row=classifiers" in page.hash
    assert visit(small, page.hash).is_visible("dialog")
    page.keyboard.press("Escape")
    assert not page.is_visible("dialog")
    assert "row=" not in page.hash
    assert page.evaluate("document.activeElement.textContent") == "alexnet"


def test_flags_are_explained_beside_the_row(small, visit):
    page = visit(small)
    page.click("#board button.open >> text=leaks")
    assert "Clips of one recording" in page.inner_text("dialog")


def test_what_speaks_for_a_flag_stands_under_it(bench, visit):
    bench.clean([0, 1], [0, 1], flags=("leaky",))
    boards = collect(bench.results())
    (entry,) = boards.accuracy
    said = Examination(
        "leak", "One side?", "flagged", "leaky", "clips <b>3</b> and 4 are one recording", "", ((0, 0),)
    )
    boards = replace(boards, examinations={entry.name: [said]})
    page = visit(whole_page(boards, provenance(bench.run), bench.run), "#row=classifiers:0")
    assert "One side? clips <b>3</b> and 4 are one recording" in page.inner_text("dialog .evidence")
    assert "1 flagged" in page.inner_text("dialog summary")


def test_the_keyboard_reaches_everything(small, visit):
    page = visit(small)
    page.focus('#board [data-column="accuracy"]')
    page.keyboard.press("Enter")
    assert page.column("accuracy")[0] == "100.0"
    assert page.evaluate("document.activeElement.dataset.column") == "accuracy"
    page.focus("#board button.open")
    page.keyboard.press("ArrowDown")
    second = page.evaluate("document.activeElement.textContent")
    assert second == page.column("name")[1]
    page.keyboard.press("Enter")
    assert second in page.inner_text("dialog h2")
    page.keyboard.press("Escape")
    page.focus(".skip")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "ranking"


def test_headings_explain_themselves(small, visit):
    page = visit(small)
    page.focus('#board [data-column="robust_accuracy"]')
    assert "survive every attack" in page.inner_text("#tip")
    page.keyboard.press("Escape")
    assert not page.is_visible("#tip")


def test_curves_are_steps_of_the_clips(small, visit):
    page = visit(small)
    lines = page.query_selector_all("#curves-drawn figure:first-child .line")
    assert len(lines) == 3
    # Nine clips that fall one after another.
    best = next(line for line in lines if "resnet" in line.query_selector("title").text_content())
    assert best.query_selector("path").get_attribute("d").count("H") == 8
    assert page.query_selector("#curves-drawn text.limit").text_content() == "budget 3"
    page.select_option("[data-facet=model]", "vgg")
    page.settle()
    assert page.eval_on_selector_all("#curves-drawn figure:first-child .line", "all => all.length") == 1


def test_transfers_follow_the_attack(small, visit):
    page = visit(small)
    cells = page.eval_on_selector_all("table.heat td b", "all => all.map(each => each.textContent)")
    assert cells == ["50.0"] * 3


def test_losses_are_told_with_their_reason(small, visit):
    page = visit(small)
    page.click("#unscored summary")
    assert "out of memory" in page.inner_text("#unscored")
    assert "huge" in page.inner_text("#unscored li")
    assert "huge" not in page.inner_text("#ranking")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("link", ["", "#view=attacks", "#row=classifiers:0"])
def test_no_rule_of_accessibility_is_broken(crowded, visit, scheme, link):
    page = visit(draw(crowded.results()).pages["index.html"], link, scheme=scheme)
    found = Axe().run(page.page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []


@pytest.mark.parametrize("link", ["", "#view=attacks", "#row=classifiers:0"])
@pytest.mark.parametrize("width", [320, 400, 1400])
def test_nothing_goes_sideways(crowded, visit, width, link):
    page = visit(draw(crowded.results()).pages["index.html"], link, width=width)
    assert page.evaluate("document.scrollingElement.scrollWidth") == width


def test_the_first_column_stays_and_words_stay_whole(small, visit):
    page = visit(small, width=400)
    name = page.query_selector("#board tbody th.name")
    page.evaluate("document.querySelector('#ranking .scroll').scrollLeft = 200")
    page.wait_for_timeout(50)
    assert page.evaluate("document.querySelector('#ranking .scroll').scrollLeft") > 100
    left = page.query_selector("#ranking .scroll").bounding_box()["x"]
    assert name.bounding_box()["x"] - left < 3
    # A word that was broken would be higher than a line.
    heights = page.eval_on_selector_all(
        "#board button.open", "all => all.map(each => each.getClientRects().length)"
    )
    assert set(heights) == {1}


def test_print_has_the_table_and_no_controls(small, visit):
    page = visit(small)
    page.emulate_media(media="print")
    assert page.is_visible("#board")
    for control in ("nav", ".tools", "#theme"):
        assert not page.is_visible(control)
    assert page.evaluate("getComputedStyle(document.querySelector('#ranking .scroll')).overflow") == "visible"
    page.emulate_media(media="screen")
    assert page.pdf()[:4] == b"%PDF"


def test_the_theme_is_switched_and_kept(small, visit):
    page = visit(small)
    page.click("#theme")
    assert page.get_attribute("html", "data-theme") == "dark"
    page.reload()
    assert page.get_attribute("html", "data-theme") == "dark"
    assert visit(small, "#theme=light", scheme="dark").get_attribute("html", "data-theme") == "light"


def test_hostile_names_stay_text(crowded, visit):
    text = draw(crowded.results()).pages["index.html"]
    page = visit(text, "#view=attacks")
    assert page.query_selector("img") is None
    assert any(HOSTILE in name for name in page.column("name"))
    page.click(
        f"#board button.open >> nth={next(i for i, name in enumerate(page.column('name')) if HOSTILE in name)}"
    )
    assert HOSTILE in page.inner_text("dialog h2")
    assert page.query_selector("img") is None
    with page.expect_download() as saved:
        page.keyboard.press("Escape")
        page.click("#csv")
    lines = list(csv.reader(io.StringIO(saved.value.path().read_text("utf-8"))))
    assert not [cell for line in lines for cell in line if cell.startswith(("=", "+", "@"))]


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "=cmd()", "a|b", "two\nlines", "\u202eright to left", "__proto__"]
)
def test_whatever_a_component_is_called(bench, visit, name):
    model = {"id": "net", "note": name}
    bench.run["suite"] = {"name": name, "labels": {}}
    bench.clean([0, 1], [0, 1], model=model)
    bench.clean([0, 1], [0, 0], model="net")
    bench.bounded([0, 1], [True, False], tested=2, model=model)
    drawn = draw(bench.results()).pages
    page = visit(drawn["index.html"])
    assert any(name in each for each in page.column("name"))
    page.click("#board button.open >> nth=0")
    assert "Get it again" in page.inner_text("dialog")
    for text in (drawn["accuracy.md"], drawn["README.md"]):
        assert "<script>" not in text
        assert not [line for line in text.splitlines() if line.startswith("lines")]
