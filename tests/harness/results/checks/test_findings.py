"""Findings: evidence, causes before symptoms, and the file that keeps them."""

import numpy as np
import pytest

from failures import FAILURES
from soundproof.errors import ResultsError
from soundproof.results import files
from soundproof.results.checks.base import mcnemar
from soundproof.results.finding import Finding


def of(found, check, **where):
    (finding,) = [
        each
        for each in found.findings
        if each.check == check and all(each.place[name]["id"] == value for name, value in where.items())
    ]
    return finding


def test_a_flag_has_its_evidence_and_its_remedy(run):
    found = run(**FAILURES["detached graph"].suite)
    finding = of(found, "zero-gradients", defense="zoo-defense")
    assert finding.verdict == "flagged"
    assert finding.flag == "zero-gradients"
    assert "BPDA" in finding.remedy
    attacked = {int(clip) for row in found.rows if row.protocol == "bounded" for clip in found.fields(row)["clip"]}
    assert set(finding.clips) <= attacked
    assert finding.numbers["count"] == len(finding.clips) >= 6
    flagged = {row.key for row in found.rows if "zero-gradients" in row.flags}
    assert flagged == set(finding.rows)
    assert {row.defense["id"] for row in found.rows if row.key in flagged} == {"zoo-defense"}
    assert of(found, "zero-gradients", defense="none").verdict == "passed"


def test_one_cause_one_flag(run):
    """A grey box that beats attacks without gradients is told, and what explains it stands for both."""
    finding = of(run(**FAILURES["detached graph"].suite), "grey-box", defense="zoo-defense")
    assert (finding.verdict, finding.flag, finding.follows) == ("flagged", None, "zero-gradients")


def test_a_flag_of_an_attack_is_on_its_rows_only(run):
    found = run(attacks=["fgsm", "zoo-sign"], protocols=["clean", "bounded"])
    assert {row.attack["id"] for row in found.rows if "one-step-wins" in row.flags} == {"zoo-sign"}


def test_findings_survive_the_disk_and_damage_is_noticed(run, tmp_path):
    found, out = run(), tmp_path / "out"
    files.write(found, out)
    again = files.read(out)
    assert [each.to_json() for each in again.findings] == [each.to_json() for each in found.findings]
    path = out / files.CHECKS
    path.write_bytes(path.read_bytes().replace(b"passed", b"gassed", 1))
    with pytest.raises(ResultsError, match=r"checks\.jsonl is damaged"):
        files.read(out)


def test_a_folder_without_findings_is_read(run, tmp_path):
    from dataclasses import replace

    files.write(replace(run(), findings=()), tmp_path / "out")
    assert list(files.read(tmp_path / "out").findings) == []


def test_a_finding_of_another_schema_is_refused(run):
    line = run().findings[0].to_json()
    with pytest.raises(ValueError, match="schema 9"):
        Finding.from_json({**line, "schema": 9})


def test_mcnemar_is_the_exact_test():
    assert mcnemar(0, 0) == 1.0
    np.testing.assert_allclose(mcnemar(6, 0), 0.5**6)
    np.testing.assert_allclose(mcnemar(5, 1), 7 * 0.5**6)
