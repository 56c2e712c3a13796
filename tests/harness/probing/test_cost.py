"""What checks cost, and what their keys depend on."""

import pytest

from soundproof.digest import canonical
from soundproof.probing.allowance import SHARE, Allowance, TooDearError


def test_probes_stay_within_their_share_of_the_attacks_gradients(run, monkeypatch):
    import soundproof.engine.runner as runner

    seen = []
    checked = runner.checked
    monkeypatch.setattr(runner, "checked", lambda results, probed: seen.append(probed) or checked(results, probed))
    for attacks in (["fgsm"], ["fgsm", "bim-b"], [{"id": "pgd", "steps": 20}, "zoo-together"]):
        run(attacks=attacks)
    costs = [probed.arrays for each in seen for probed in each.values()]
    assert len(costs) == 3
    for arrays in costs:
        assert 0 < arrays["cost/checks"][0] <= SHARE * arrays["cost/attacks"][0]


def test_an_allowance_counts_down_and_refuses():
    allowance = Allowance(10.0)
    assert allowance.clips(2, wanted=3) == 3
    assert allowance.clips(2, wanted=3) == 2
    with pytest.raises(TooDearError, match="thorough"):
        allowance.clips(2, wanted=3)
    assert allowance.clips(0, wanted=3) == 3, "looks without gradients are free"
    assert Allowance(float("inf")).clips(1e6, wanted=40) == 40


def test_checks_change_no_other_number(run):
    """Without the flags, rows are the same at either level."""
    standard, thorough = run(), run(checks={"level": "thorough"})
    bare = [[canonical({**row.to_json(), "flags": []}) for row in found.rows] for found in (standard, thorough)]
    assert bare[0] == bare[1]
    assert {row.protocol for row in standard.rows} == {"clean", "bounded", "reach"}


def test_the_key_of_a_cell_does_not_depend_on_checks(tmp_path):
    from soundproof.engine.environment import Environment
    from soundproof.engine.keys import Keys
    from soundproof.planning.product import make_plan
    from soundproof.planning.suite import load_suite
    from toys import toy_registry, toy_suite

    registry = toy_registry()
    keys = []
    for level in ("standard", "thorough"):
        plan = make_plan(load_suite(toy_suite(checks={"level": level}), registry), tmp_path)
        made = Keys(plan, Environment("cpu", "", threads=1), registry)
        keys.append(({made.of(cell) for cell in plan.cells}, {made.of(cell) for cell in plan.checks}))
    assert keys[0][0] == keys[1][0]
    assert not keys[0][1] & keys[1][1]
    assert len(keys[0][1]) == 1
