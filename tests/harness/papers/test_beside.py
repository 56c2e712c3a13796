"""Our numbers beside the printed ones, on results that were made up so that every answer is known."""

import numpy as np
import pytest

from soundproof.boards import papers
from soundproof.papers.beside import Comparison
from soundproof.papers.published import tables
from soundproof.results.files import groups_name
from workbench import Workbench

ESC50, NONE = {"id": "esc50"}, {"id": "none"}
TRAINED = {"id": "adversarial-training", "attack": {"id": "fgsm"}, "radius": 3.0}
CLIPS = 40


def bench():
    made = Workbench()
    made.samples[groups_name(ESC50)] = np.arange(CLIPS) // 2
    made.run["datasets"] = [{"dataset": ESC50, "checksum": "f00d", "clips": CLIPS, "classes": ["a", "b"]}]
    made.run["inputs"] = [
        {"dataset": ESC50, "representation": {"id": "stft"}, "shape": [1, 8, 8], "dimension": 64}
    ]
    return made


def clean(made, right, defense=NONE, model="resnet18", representation="stft"):
    labels = np.zeros(CLIPS, dtype=int)
    predictions = np.where(np.arange(CLIPS) < right, 0, 1)
    return made.clean(
        labels, predictions, dataset=ESC50, defense=defense, model=model, representation=representation
    )


def beside(made, paper, name):
    (table,) = (each for each in tables() if (each.paper, each.name) == (paper, name))
    return list(Comparison(made.results()).beside(table))


def test_accuracy_stands_beside_the_same_network_representation_and_data():
    made = bench()
    row = clean(made, 30)
    clean(made, 20, model={"id": "resnet56", "depth": 14})  # a smaller sister is none of the paper's networks
    clean(made, 10, representation="mel")
    (found,) = beside(made, "001", "Table I")
    assert (found.printed.where["representation"], found.printed.where["model"]) == ("STFT", "ResNet-18")
    assert found.ours.value == 0.75
    assert found.difference == pytest.approx(0.75 - 0.6685)
    assert [each.key for each in found.rows] == [row.key]
    assert any("84.49" in doubt for doubt in found.printed.doubts)


def test_of_several_settings_the_nearest_is_taken_and_the_rest_is_told():
    made = bench()
    clean(made, 10, representation={"id": "stft", "n_fft": 512, "window_scale": 0.5})
    clean(made, 20, representation={"id": "stft", "n_fft": 512})
    (found,) = beside(made, "002", "Table II")
    assert found.printed.where["n_fft"] == "512"
    assert (found.ours.value, found.differs) == (0.5, {})
    # Table I of 001 asks for 2048 points, which is nobody's here; the nearest is told with what differs.
    (other,) = beside(made, "001", "Table I")
    assert other.differs == {"representation": {"n_fft": 512}}


def test_a_parameter_that_rows_do_not_name_has_its_default():
    made = bench()
    clean(made, 20)
    (found,) = beside(made, "002", "Table II")
    assert found.printed.where["n_fft"] == "2048"


def test_means_are_over_the_papers_attacks_on_trained_classifiers():
    made = bench()
    for attack, fooled in (("bim-a", 10), ("bim-b", 20), ("fgsm", 40), ("noise", 0)):
        turned = np.arange(CLIPS) < fooled
        made.bounded(
            np.arange(CLIPS), turned, CLIPS, attack=attack, dataset=ESC50, defense=TRAINED, model="resnet18"
        )
        made.bounded(np.arange(CLIPS), ~turned, CLIPS, attack=attack, dataset=ESC50, model="resnet18")
    (found,) = beside(made, "001", "Table II")
    rows = {row.attack["id"]: row for row in made.rows if row.defense == TRAINED}
    expected = np.mean([rows[name].metrics["fooling_auc"].value for name in ("bim-a", "bim-b")])
    assert found.ours.value == pytest.approx(expected, abs=1e-5)
    assert found.attacks == (2, 6)


def test_the_nearest_of_two_settings_of_an_attack_is_the_papers():
    made = bench()
    clips, all_fooled = np.arange(CLIPS), np.ones(CLIPS, dtype=bool)
    for attack, gradients in (({"id": "bim-a"}, 7.0), ({"id": "bim-a", "norm": "linf"}, 9.0)):
        made.reach(clips, attack=attack, gradients=gradients, fooled=all_fooled, dataset=ESC50, model="resnet18")
    found = {each.printed.measure: each for each in beside(made, "002", "Table II")}
    assert found["gradients"].ours.value == 9
    assert found["gradients"].rows[0].attack["norm"] == "linf"


def test_what_did_not_reach_stands_beside_nothing():
    made = bench()
    made.reach(np.arange(CLIPS), attack="fgsm", reached=False, dataset=ESC50, model="resnet18")
    assert beside(made, "002", "Table II") == []


def test_a_network_is_not_compared_with_itself_as_a_target():
    made = bench()
    for target in ("resnet18", "alexnet", {"id": "alexnet", "defense": TRAINED}):
        made.transfer(
            np.arange(CLIPS), np.arange(CLIPS) < 10, {"id": target} if isinstance(target, str) else target,
            attack="fgsm", dataset=ESC50, model="resnet18",
        )  # fmt: skip
    (found,) = beside(made, "002", "Table V")
    assert found.printed.where["target"] == "AlexNet"
    assert found.ours.value == 0.25


def test_pages_are_made_only_where_something_can_be_compared():
    made = bench()
    clean(made, 30)
    pages = papers.pages(made.results())
    assert set(pages) == {"papers.md", "papers.html", "papers.csv"}
    assert "| ESC-50 · STFT · ResNet-18 |" in " ".join(pages["papers.md"].split())
    assert "+8.2" in pages["papers.md"]
    assert "66.85" in pages["papers.md"]
    other = Workbench()
    other.clean(np.zeros(40, int), np.zeros(40, int))
    assert papers.pages(other.results()) == {}


def test_hostile_names_stay_text():
    made = bench()
    clean(made, 30, representation={"id": "stft", "note": "<script>alert(1)</script>|"})
    made.run["suite"] = {"name": "=cmd()<b>", "labels": {}}
    pages = papers.pages(made.results())
    assert "<script>alert" not in pages["papers.html"]
    assert "<b>" not in pages["papers.html"].replace("<body>", "")
    line = next(line for line in pages["papers.md"].splitlines() if "alert" in line)
    assert "\\<script\\>" in line
    assert "\\|" in line
