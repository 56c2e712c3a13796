"""The printed numbers, held against sums that the transcription does not know."""

import pytest

from soundproof.contract.discovery import discover
from soundproof.papers.published import default, meaning, tables
from soundproof.planning.suite import load_suite

REGISTRY = discover()


def table(paper, name):
    (found,) = (each for each in tables() if (each.paper, each.name) == (paper, name))
    return found


def cell(of, measure, **where):
    (found,) = (each for each in of.cells if each.measure == measure and where.items() <= each.where.items())
    return found


def test_every_table_has_its_numbers():
    counts = {(each.paper, each.name): len(each.cells) for each in tables()}
    # Data sets × representations × networks (× accuracy and drop); settings × (accuracy, and two of six attacks).
    assert counts == {
        ("001", "Table I"): 2 * 4 * 6 * 2,
        ("001", "Table II"): 2 * 4 * 6,
        ("001", "Table III"): 2 * 4 * 6,
        ("002", "Table I"): 3 * 4 * 13,
        ("002", "Table II"): 3 * 3 * 13,
        ("002", "Table III"): 3 * 2 * 13,
        ("002", "Table IV"): 3 * 3 * 2,
        ("002", "Table V"): 3 * 3 * 9,
        ("003", "Final comparison"): 7 * 2,
        ("003", "Logs"): 10,
        ("000", "Notebook"): 2 * 3 * 2,
    }


def test_means_that_the_papers_texts_give():
    """Means that were computed from the papers apart from this transcription."""
    areas = [each.value for each in table("001", "Table II").cells]
    assert (min(areas), max(areas)) == (0.4933, 0.5898)
    assert sum(areas) / len(areas) == pytest.approx(0.5376, abs=5e-5)
    ratios = [each.value for each in table("001", "Table III").cells]
    assert (min(ratios), max(ratios)) == (1.372, 2.892)
    assert sum(ratios) / len(ratios) == pytest.approx(1.993, abs=5e-4)
    drops = [each.value for each in table("001", "Table I").cells if each.measure == "drop"]
    assert (min(drops), max(drops)) == (0.0689, 0.2912)
    for name, accuracy, area, gradients in (
        ("I", 70.49, 0.947, 671),
        ("II", 85.86, 0.964, 715),
        ("III", 86.76, 0.930, 1401),
    ):
        cells = table("002", f"Table {name}").cells
        assert mean(cells, "accuracy") == pytest.approx(accuracy / 100, abs=5e-5)
        assert mean(cells, "fooling_auc") == pytest.approx(area, abs=1e-3)
        assert mean([each for each in cells if each.where.get("attack") != "FGSM"], "gradients") == pytest.approx(
            gradients, abs=1
        )
    sources = {
        name: [
            each.value
            for each in table("002", "Table V").cells
            if each.where["model"] == name != each.where["target"]
        ]
        for name in ("ResNet-18", "GoogLeNet", "AlexNet")
    }
    assert {name: sum(each) / len(each) for name, each in sources.items()} == pytest.approx(
        {"ResNet-18": 0.672, "GoogLeNet": 0.610, "AlexNet": 0.609}, abs=6e-4
    )


def mean(cells, measure):
    values = [each.value for each in cells if each.measure == measure]
    return sum(values) / len(values)


def test_single_numbers_and_their_places():
    assert (
        cell(table("001", "Table I"), "drop", dataset="ESC-50", representation="STFT", model="GoogLeNet").text
        == "06.89"
    )
    best = cell(table("002", "Table III"), "accuracy", dataset="UrbanSound8K", sr="8000")
    assert (best.value, best.where["model"], best.where["representation"]) == (0.9470, "ResNet-18", "DWT")
    moved = cell(
        table("002", "Table V"),
        "transfer_ratio",
        dataset="ESC-10",
        model="AlexNet",
        representation="DWT",
        target="GoogLeNet",
    )
    assert moved.value == 0.701
    assert cell(
        table("000", "Notebook"), "eer", part="eval", model="DenseNet121 (epoch 740)"
    ).value == pytest.approx(0.0443, abs=1e-4)


def test_doubts_stand_beside_what_they_doubt():
    misprint = cell(table("002", "Table II"), "fooling_auc", dataset="ESC-10", n_fft="2048", attack="CWA")
    assert misprint.value == 0.8731
    assert any("0.9731" in doubt for doubt in misprint.doubts)
    neighbour = cell(table("002", "Table II"), "fooling_auc", dataset="ESC-10", n_fft="1024", attack="CWA")
    assert neighbour.doubts == ()
    disputed = cell(
        table("001", "Table I"), "accuracy", dataset="ESC-50", representation="STFT", model="ResNet-18"
    )
    assert any("84.49" in doubt for doubt in disputed.doubts)
    assert cell(table("002", "Table II"), "accuracy", dataset="ESC-50", n_fft="1024").value == 0.8449


def test_every_word_means_a_component_that_exists():
    from soundproof.types import Kind

    for each in tables():
        for printed in each.cells:
            for kind, word in printed.where.items():
                if kind in ("sr", "n_fft", "part"):
                    continue
                found = meaning(each.paper, "model" if kind == "target" else kind, word)
                if found is None:  # trainings of 003 that nobody here has
                    assert each.paper == "003", f"{each.name}: nothing is known as {word}"
                    continue
                REGISTRY.find(Kind("model" if kind == "target" else kind), found["id"])


def test_defaults_are_the_components():
    from soundproof.types import Kind, Ref

    for name, parameter in (("mfcc", "sr"), ("stft", "n_fft"), ("dwt-morlet", "sr")):
        assert default(name, parameter) == getattr(REGISTRY.build(Ref(Kind.REPRESENTATION, name)), parameter)


@pytest.mark.parametrize("name", ["paper", "sweeps"])
def test_the_suites_attacks_are_those_that_the_papers_name(name):
    """A paper's word means the parameters that its suite gives the attack of that label."""
    from soundproof.contract.identity import coordinate

    suite = load_suite(name, REGISTRY)
    for attack in suite.attacks:
        word, _, rest = suite.label(attack).partition(" (")
        paper = rest.removesuffix(")") or "002"
        meant = meaning(paper, "attack", word)
        if word != "L-BFGS":  # described and never evaluated
            assert meant.items() <= coordinate(attack).items()
