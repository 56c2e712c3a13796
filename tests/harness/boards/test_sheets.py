import csv
import io

import pandas as pd
import pytest

from soundproof.boards.collect import collect
from soundproof.boards.sheets import WORST_CASE, sheets


def read(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def found(crowded):
    return sheets(collect(crowded.results()))


def test_numbers_come_back_as_they_are(bench):
    row = bench.clean([0, 1, 0, 1], [0, 1, 1, 1])
    table = pd.read_csv(io.StringIO(sheets(collect(bench.results()))["accuracy"]))
    metric = row.metrics["f1"]
    assert table.loc[0, ["f1", "f1_low", "f1_high", "f1_n"]].tolist() == [
        metric.value,
        metric.low,
        metric.high,
        metric.n,
    ]
    assert table["eer"].isna().all()


def test_no_text_starts_a_formula(found):
    for text in found.values():
        for line in csv.reader(io.StringIO(text, newline="")):
            for cell in line:
                assert not cell.startswith(("=", "+", "@", "\t", "\r"))
                assert not cell.startswith("-") or float(cell) < 0
    assert any(line["flags"] == "'-odd flag" for line in read(found["transferability"]))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝"])
def test_a_hostile_name_is_quoted(bench, start):
    bench.clean([0, 1], [0, 1], model=f"{start}cmd()")
    (line,) = read(sheets(collect(bench.results()))["accuracy"])
    assert line["model"] == f"'{start}cmd()"


def test_further_columns_stand_only_where_something_has_them(bench, found):
    bench.clean([0, 1], [0, 1])
    bench.bounded([0, 1], [True, False], tested=2)
    plain = {name: text.splitlines()[0] for name, text in sheets(collect(bench.results())).items()}
    assert "grey" not in plain["robustness"]
    assert "training_gradients" not in plain["accuracy"]
    for line in read(found["robustness"]):
        worst = line["attack"] == WORST_CASE
        assert bool(line["grey_robust_accuracy"]) == (line["defense"] != "none")
        assert bool(line["mean_grey_fooling_auc"]) == (worst and line["defense"] != "none")
    for line in read(found["accuracy"]):
        assert line["training_gradients"] == ("" if line["defense"] == "none" else "3.0")
        assert line["report_=gain_db"] == ("" if line["defense"] == "none" else "1.5")


@pytest.mark.parametrize("name", ["model", "rank", "flags", "cells", "accuracy_n"])
def test_a_report_cannot_take_the_place_of_another_column(bench, name):
    bench.clean([0, 1], [0, 1], reports={name: (0.5, 9)})
    text = sheets(collect(bench.results()))["accuracy"]
    columns = next(csv.reader(io.StringIO(text, newline="")))
    assert len(columns) == len(set(columns))
    (line,) = read(text)
    assert (line["model"], line["rank"], line["flags"], line["cells"]) == ("resnet", "1", "", "1")


def test_negative_numbers_stay_numbers(bench):
    row = bench.reach([0, 1], ratio=(-0.25, 2))
    (line,) = read(sheets(collect(bench.results()))["cost"])
    assert float(line["epsilon_ratio"]) == row.metrics["epsilon_ratio"].value == -0.25


def test_robustness_has_the_worst_case_before_its_attacks(found):
    lines = read(found["robustness"])
    assert [line["attack"] == WORST_CASE for line in lines[:3]] == [True, False, False]
    for line in lines:
        worst = line["attack"] == WORST_CASE
        assert bool(line["mean_fooling_auc"]) == worst
        assert bool(line["fooling_auc"]) != worst
        assert bool(line["rank"]) <= worst


def test_transfers_are_all_listed(found):
    lines = read(found["transferability"])
    assert len(lines) == (4 + 2) * 3  # two attacks and their mean, each over two folds; two pairs are grey-box
    assert {line["cells"] for line in lines} == {"2", "4"}


def test_an_empty_board_still_has_its_heading(bench):
    assert all(text.count("\n") == 1 and "dataset" in text for text in sheets(collect(bench.results())).values())
