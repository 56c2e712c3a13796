"""Results in pandas: they answer what the boards answer, and no column hides behind a name of pandas' own."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import soundproof
from soundproof.boards.collect import collect
from soundproof.results.files import read, write


@pytest.fixture
def folder(crowded, tmp_path):
    crowded.run["datasets"] = [{"dataset": {"id": "synth"}, "budget": {"epsilon": 2.5}}]
    for row in crowded.rows:
        if row.protocol == "reach":
            count = len(crowded.samples[f"{row.key}/clip"])
            crowded.samples[f"{row.key}/smallest"] = np.linspace(0.5, 2, count)
    write(crowded.results(), tmp_path)
    return tmp_path


def test_cells_have_their_parameters_and_radius(folder):
    frame = soundproof.load(str(folder))
    assert len(frame) == len(read(folder).rows)
    assert set(frame.loc[frame.protocol == "bounded", "radius"]) == {2.5}
    assert frame.loc[frame.protocol == "reach", "radius"].isna().all()
    assert "fgsm(note==cmd())" in set(frame.defense_attack)
    assert {"model_name", "attack_note"} <= set(frame)


def test_no_column_is_hidden_by_pandas(folder):
    for frame in (soundproof.load(folder), soundproof.classifiers(folder), soundproof.curves(folder)):
        assert len(frame)
        assert not [column for column in frame if hasattr(pd.DataFrame, column)]
    assert any("leaky" in flags for flags in soundproof.load(folder).warnings)


def test_classifiers_have_the_worst_case_and_their_place(folder):
    frame = soundproof.classifiers(folder).set_index(["model", "defense"])
    for entry in collect(read(folder)).robustness:
        row = frame.loc[(entry.name.model.full, entry.name.defense.full)]
        assert row.robust_accuracy == entry.metrics["robust_accuracy"].value
        assert row.robust_accuracy_low == entry.metrics["robust_accuracy"].low
        assert row.place == entry.rank.place if entry.rank else np.isnan(row.place)


def test_curves_rise_to_what_the_search_found(folder):
    frame = soundproof.curves(folder)
    assert set(frame.over) == {"l2"}
    assert "worst case" in set(frame.attack)
    for _, curve in frame.groupby(["model", "defense", "attack"]):
        assert (np.diff(curve.along) > 0).all()
        assert (np.diff(curve.fooling_rate) > 0).all()
        assert curve.fooling_rate.iloc[-1] == pytest.approx(1)
        assert curve.fooling_auc.iloc[-1] == pytest.approx(1)


def test_verdicts_name_the_rows_that_they_rest_on():
    """The record of ESC-10, whose FGSM training lowers the AUC."""
    folder = Path(__file__).parents[2] / "leaderboards" / "esc10"
    frame, keys = soundproof.verdicts(folder), set(soundproof.load(folder).key)
    assert set(frame.verdict) <= {"holds", "does not", "undecided"}
    assert frame.loc[frame.verdict != "undecided", "rows"].map(len).min() > 0
    assert {key for rows in frame.rows for key in rows} <= keys
    (lowered,) = frame[frame.statement == "FGSM training lowers the AUC within the ball"].to_dict("records")
    assert (lowered["paper"], lowered["verdict"]) == ("001", "holds")
