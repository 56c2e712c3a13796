"""Every planted failure raises its own flag and no other red one; honest classifiers raise no red flag."""

import pytest

from failures import FAILURES
from soundproof.results.flags import FLAGS

pytestmark = pytest.mark.slow
HONEST = ["fgsm", "bim-a", "bim-b", "noise", {"id": "deepfool", "steps": 20}]


def red(found):
    return {flag for row in found.rows for flag in row.flags if flag in FLAGS and FLAGS[flag].unranks}


@pytest.mark.parametrize("name", FAILURES)
def test_a_planted_failure_raises_its_own_flag_and_no_other_red_one(name, run):
    failure = FAILURES[name]
    found = run(**failure.suite)
    assert failure.flag in {flag for row in found.rows for flag in row.flags}
    assert red(found) <= {failure.flag}


def test_who_resists_anything_has_no_rank_by_what_it_resists(run):
    """The bounded rows of attacks that find nothing in the whole box are no better than their searches."""
    found = run(**FAILURES["attack that works at one radius"].suite)
    flagged = {row.protocol for row in found.rows if "resists-anything" in row.flags}
    assert flagged == {"bounded", "reach"}
    assert FLAGS["resists-anything"].unranks


def test_every_flag_of_a_check_has_a_failure_that_raises_it():
    from soundproof.results.checks import CHECKS

    raised = {failure.flag for failure in FAILURES.values()}
    assert {check.flag for check in CHECKS} - raised == {"hint"}, "the worst case is wrong only if the harness is"


def test_honest_classifiers_of_twenty_seeds_raise_no_red_flag(run):
    found = run(split={"seeds": list(range(20))}, attacks=HONEST, defenses=["none", "toy-halving"])
    assert len([row for row in found.rows if row.protocol == "clean"]) == 40
    assert red(found) == set()
    verdicts = {finding.verdict for finding in found.findings}
    assert {"passed", "not applicable", "not run"} <= verdicts


def test_a_declared_random_classifier_raises_no_red_flag(run):
    assert red(run(defenses=["none", "toy-blurring"], attacks=["pgd"])) == set()
