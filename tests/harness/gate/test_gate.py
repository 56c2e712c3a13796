"""A gate from files to exit codes: what fails it, what does not, and what it tells."""

import json
import os
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from soundproof.cli import main
from soundproof.errors import ResultsError
from soundproof.gate import comparison, reports
from soundproof.gate.verdict import Finding, Report, Result
from soundproof.results.files import write
from soundproof.types import Status
from workbench import HOSTILE, RUN, Workbench

DEFENDED = {"id": "adversarial-training"}
LABELS = np.arange(40) % 2
# 20 recordings of two clips.
ALL = np.arange(40)


def run(folder, *, wrong=(), fooled=(), change=None, **of_run):
    """A results folder with one classifier: clips that it gets wrong, and clips that an attack fools."""
    bench = Workbench()
    bench.run = {**bench.run, **of_run}
    predictions = np.where(np.isin(ALL, wrong), 1 - LABELS, LABELS)
    bench.clean(LABELS, predictions)
    right = np.setdiff1d(ALL, wrong)
    bench.bounded(right, np.isin(right, fooled), ALL)
    if change is not None:
        change(bench)
    write(bench.results(), folder)
    return folder


def gate(capsys, *arguments):
    capsys.readouterr()
    code = main(["gate", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def before(tmp_path):
    return run(tmp_path / "before", fooled=ALL[:10])


def test_the_same_run_passes(before, capsys):
    code, said, _ = gate(capsys, "--baseline", before, "--candidate", before)
    assert (code, said) == (0, "gate: 2 passed\n")


def test_a_drop_beyond_chance_is_a_regression(before, tmp_path, capsys):
    after = run(tmp_path / "after", fooled=ALL[:30])
    code, said, _ = gate(capsys, "--baseline", before, "--candidate", after)
    assert code == 1
    assert (
        "regression: synth · stft · resnet · none · fgsm · bounded: robust_accuracy 0.75 → 0.25 (-0.5, 40 clips"
        in said
    )
    report = comparison.compare(before, after)
    (finding,) = report.of(Result.REGRESSION)
    # Ten recordings fall, both clips of each, and nothing rises: two tests, each both ways.
    assert finding.p == pytest.approx(2 * 2 * 0.5**10 / 2)
    assert finding.recordings == 20


def test_a_small_change_warns_and_says_what_would_be_seen(before, tmp_path, capsys):
    after = run(tmp_path / "after", fooled=ALL[:12])
    code, said, _ = gate(capsys, "--baseline", before, "--candidate", after)
    assert code == 0
    assert "warning: " in said
    assert "would see " in said
    assert gate(capsys, "--baseline", before, "--candidate", after, "--strict")[0] == 5


def test_robust_accuracy_that_rises_fails_too(before, tmp_path):
    """The attack may have broken."""
    assert comparison.compare(before, run(tmp_path / "after")).code() == 1


def test_accuracy_that_rises_is_an_improvement(tmp_path):
    before = run(tmp_path / "before", wrong=ALL[:16], fooled=ALL[:16])
    report = comparison.compare(before, run(tmp_path / "after", fooled=ALL[:16]))
    assert [finding.metric for finding in report.of(Result.IMPROVED)] == ["accuracy"]
    assert report.code() == 0


def test_tolerances_and_directions_are_the_suite_s(before, tmp_path):
    def suite(**table):
        return {"suite": {"name": "bench", "gate": table}}

    after = run(tmp_path / "after", fooled=ALL[:30], **suite(accuracy={"tolerance": 0.0}))
    assert comparison.compare(before, after).code() == 0
    table = {"robust_accuracy": {"tolerance": 0.6, "hard": 0.7}}
    assert comparison.compare(before, run(tmp_path / "wide", fooled=ALL[:30], **suite(**table))).code() == 0
    table = {"robust_accuracy": {"tolerance": 0.01, "direction": "lower", "hard": 0.9}}
    assert comparison.compare(before, run(tmp_path / "lower", fooled=ALL[:30], **suite(**table))).code() == 0


def test_costs_are_compared_clip_by_clip(tmp_path):
    table = {"suite": {"name": "bench", "gate": {"gradients": {"tolerance": 0.5}}}}

    def dearer(bench):
        (row,) = (row for row in bench.rows if row.protocol == "bounded")
        bench.rows.remove(row)
        bench.bounded(ALL, np.isin(ALL, ALL[:10]), ALL, gradients=1 + np.linspace(0.5, 1.5, 40))

    before = run(tmp_path / "cheap", fooled=ALL[:10], **table)
    report = comparison.compare(before, run(tmp_path / "dear", fooled=ALL[:10], change=dearer, **table))
    (finding,) = report.of(Result.REGRESSION)
    assert finding.metric == "gradients"
    assert finding.change == pytest.approx(1.0)
    # No sign pattern but the observed one adds up to as much: 20 recordings both ways, drawn 20,000 times.
    assert finding.p < 0.001


def test_with_few_clips_the_hard_limit_counts(before, tmp_path):
    table = {"suite": {"name": "bench", "gate": {"f1": {"tolerance": 0.01}}}}
    report = comparison.compare(before, run(tmp_path / "after", wrong=ALL[:3], **table))
    assert [finding.result for finding in report.findings] == [Result.WARNING], "f1 is no mean over clips"
    report = comparison.compare(before, run(tmp_path / "worse", wrong=ALL[:20], **table))
    assert [finding.result for finding in report.findings] == [Result.REGRESSION]


@pytest.mark.parametrize("status", [Status.FAILED, Status.INVALID, Status.DIVERGED])
def test_a_cell_that_fails_fails_the_gate(before, tmp_path, capsys, status):
    after = run(
        tmp_path / "after", fooled=ALL[:10], change=lambda bench: bench.broken("bounded", status, attack="cwa")
    )
    code, said, _ = gate(capsys, "--baseline", before, "--candidate", after)
    assert code == 4
    assert "out of memory" in said


def test_a_row_that_is_gone_fails_and_one_that_came_informs(before, tmp_path):
    more = run(
        tmp_path / "more", fooled=ALL[:10], change=lambda bench: bench.clean(LABELS, LABELS, model="alexnet")
    )
    report = comparison.compare(before, more)
    assert len(report.of(Result.NEW)) == 1
    assert report.code() == 0
    report = comparison.compare(more, before)
    assert [finding.says for finding in report.of(Result.MISSING)] == ["the candidate has no such row"]
    assert report.code() == 4


def test_a_new_red_flag_fails(before, tmp_path):
    def flag(bench):
        bench.rows[0] = replace(bench.rows[0], flags=("leaky",))

    assert comparison.compare(before, run(tmp_path / "after", fooled=ALL[:10], change=flag)).code() == 1
    assert comparison.compare(tmp_path / "after", before).code() == 0, "one that is gone is fine"


def test_other_clips_budgets_and_suites_are_incomparable(before, tmp_path, capsys):
    datasets = [{**RUN["datasets"][0], "checksum": "other"}]
    after = run(tmp_path / "clips", fooled=ALL[:10], datasets=datasets)
    assert "the clips of synth are others" in gate(capsys, "--baseline", before, "--candidate", after)[1]
    assert comparison.compare(before, after).code() == 3

    def rekey(bench):
        for number, row in enumerate(bench.rows):
            fields = {name: each for name, each in bench.samples.items() if name.startswith(row.key)}
            bench.rows[number] = replace(row, key=f"{row.key[:-1]}x")
            bench.samples |= {name.replace(row.key, f"{row.key[:-1]}x"): each for name, each in fields.items()}

    assert comparison.compare(before, run(tmp_path / "budget", fooled=ALL[:10], change=rekey)).code() == 3
    assert comparison.compare(before, run(tmp_path / "suite", suite={"name": "other"})).code() == 3


def test_other_versions_are_noted(before, tmp_path, capsys):
    after = run(tmp_path / "after", fooled=ALL[:10], environment={**RUN["environment"], "torch": "3.0"})
    code, said, _ = gate(capsys, "--baseline", before, "--candidate", after)
    assert code == 0
    assert "torch: 2.6.0 in the baseline, 3.0 in the candidate" in said


def test_folds_and_seeds_are_averaged_by_clip(tmp_path):
    def seeds(*fooled):
        def change(bench):
            bench.rows.clear()
            for seed, clips in enumerate(fooled):
                bench.bounded(ALL, np.isin(ALL, clips), ALL, seed=seed)

        return change

    before = run(tmp_path / "before", change=seeds(ALL[:10], ALL[:10], ALL[:10]))
    after = run(tmp_path / "after", change=seeds(ALL[:10], ALL[:12], ALL[:14]))
    (finding,) = comparison.compare(before, after).findings
    assert finding.change == pytest.approx(-2 / 40)
    # Recording 5 falls by 4 of 6 outcomes, recording 6 by 2: of the four sign patterns one is as large.
    assert finding.p == pytest.approx(2 * 1 / 8)


def test_a_baseline_says_the_same_as_the_run_it_was_made_of(before, tmp_path, capsys):
    table = {
        "suite": {"name": "bench", "gate": {name: {"tolerance": 0.01} for name in ("robust_accuracy", "l2", "f1")}}
    }
    before = run(tmp_path / "gated", fooled=ALL[:10], **table)
    after = run(tmp_path / "after", wrong=[1], fooled=ALL[:30], **table)
    arguments = ["--baseline", tmp_path / "baseline.json", "--candidate", before, "--update-baseline"]
    assert gate(capsys, *arguments)[0] == 2, "not without a reason"
    assert not (tmp_path / "baseline.json").exists()
    code, said, _ = gate(capsys, *arguments, "--reason", "the first")
    assert (code, said) == (0, f"baseline: {tmp_path / 'baseline.json'}\n")
    kept = json.loads((tmp_path / "baseline.json").read_text())
    assert kept["reason"] == "the first"
    assert kept["environment"]["torch"] == "2.6.0"
    entry = next(entry for entry in kept["entries"] if entry["protocol"] == "bounded")
    assert entry["outcomes"]["robust_accuracy"]["bits"] == "003fffffff", "10 clips fooled, 30 that survive"
    direct, kept = (comparison.compare(path, after) for path in (before, tmp_path / "baseline.json"))
    assert direct.findings == kept.findings
    assert direct.code() == kept.code() == 1


def test_no_baseline_is_made_of_failures(before, tmp_path):
    after = run(tmp_path / "after", change=lambda bench: bench.broken("bounded", attack="cwa"))
    with pytest.raises(ResultsError, match="a baseline has no failed cells"):
        comparison.update(tmp_path / "baseline.json", after, "because")


def test_without_a_baseline_nothing_can_be_said(before, tmp_path, capsys):
    code, _, told = gate(capsys, "--baseline", tmp_path / "none.json", "--candidate", before)
    assert code == 3
    assert "there is no baseline" in told
    assert gate(capsys, "--baseline", before, "--candidate", tmp_path / "nowhere")[0] == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: kept.update(schema=2),
        lambda kept: kept.pop("clips"),
        lambda kept: next(iter(kept["clips"].values())).append(99),
        lambda kept: kept["entries"][0]["outcomes"]["accuracy"].update(bits="ff"),
        lambda kept: kept["entries"][0].update(metrics=3),
    ],
)
def test_a_damaged_baseline_is_refused(before, tmp_path, damage):
    path = comparison.update(tmp_path / "baseline.json", before, "because")
    kept = json.loads(path.read_text())
    damage(kept)
    path.write_text(json.dumps(kept))
    with pytest.raises(ResultsError, match=r"baseline\.json: not a baseline"):
        comparison.compare(path, before)


def test_reports_are_read_by_machines(before, tmp_path, capsys, monkeypatch):
    after = run(tmp_path / "after", fooled=ALL[:30])
    files = {name: tmp_path / name for name in ("junit", "markdown", "json")}
    (tmp_path / "markdown").write_text("before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    named = [part for name, file in files.items() for part in (f"--{name}", file)]
    code, said, _ = gate(capsys, "--baseline", before, "--candidate", after, *named)
    assert code == 1
    assert "::error title=bench gate::regression: synth" in said
    suite = ET.parse(files["junit"]).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.get("name") for case in suite if case.find("failure") is not None] == ["robust_accuracy"]
    summary = files["markdown"].read_text()
    assert summary.startswith("before\n### bench gate failed: regression\n")
    assert "| regression | synth · stft" in summary
    content = json.loads(files["json"].read_text())
    assert content["code"] == 1
    assert {finding["result"] for finding in content["findings"]} == {"regression", "passed"}


def crowd(count, words="row"):
    findings = [Finding(f"{words} {number}", "accuracy", Result.REGRESSION, "worse") for number in range(count)]
    return Report("a", "b", tuple(findings))


def test_annotations_are_ten_at_most_and_end_no_line():
    assert len(list(reports.workflow_commands(crowd(10)))) == 10
    many = list(reports.workflow_commands(crowd(300)))
    assert len(many) == 10
    assert many[-1].endswith("and 291 more")
    (one,) = reports.workflow_commands(crowd(1, "a\n::warning::%"))
    assert one.count("\n") == 0
    assert "a%0A::warning::%25" in one


def test_summaries_are_cut_before_github_refuses_them():
    summary = reports.markdown(crowd(20_000, "x" * 100), 1)
    assert len(summary.encode()) <= 910_000
    assert "more |" in summary


def test_hostile_names_stay_text():
    report = crowd(1, f"\x00\ud800{HOSTILE}")
    assert ET.fromstring(reports.junit(report))
    assert re.search(r"(?<!\\)<", reports.markdown(report, 1)) is None
    assert json.loads(reports.as_json(report, 1).encode())


def test_the_file_of_a_baseline_may_be_named_by_its_folder(before):
    assert comparison.update(before, before, "because") == before / "baseline.json"
    os.remove(before / "results.jsonl")  # noqa: PTH107
    assert comparison.compare(before, run(before.parent / "again", fooled=ALL[:10])).code() == 0
