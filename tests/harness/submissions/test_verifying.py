"""Submissions that are honest: packed, scored again by somebody without the attack, and shown on boards."""

from dataclasses import replace

import numpy as np
import pytest

from soundproof import boards
from soundproof.cli import main
from soundproof.engine.measurements import Measurements
from soundproof.errors import SoundproofError
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof.results import files
from soundproof.submissions import bundle
from soundproof.submissions.adding import add
from soundproof.submissions.packing import pack, row_named
from soundproof.submissions.verifying import SCORED, Network, verify
from soundproof.victim.ball import Ball
from toys import toy_registry, toy_suite

pytestmark = pytest.mark.slow


def scored(row):
    return {name: row.metrics[name].to_json() for name in SCORED}


def test_a_network_that_is_made_here_gives_the_claimed_scores(submitted, elsewhere):
    found = verify(bundle.read(submitted / "plain.bundle"), elsewhere)
    assert found.network is Network.OWN
    assert not found.differing
    assert scored(found.row) == scored(found.claimed)
    assert found.row.metrics["gradients"].to_json() == found.claimed.metrics["gradients"].to_json()
    assert "verified" in found.row.flags
    assert ("attack", "toy-walking") not in elsewhere.registry.components


def test_a_network_that_came_with_it_is_only_claimed_and_leaves_no_trace(submitted, elsewhere):
    read = bundle.read(submitted / "weighty.bundle")
    found = verify(read, elsewhere)
    assert found.network is Network.CLAIMED
    assert scored(found.row) == scored(found.claimed)
    assert "claimed" in found.row.flags
    stages = {path.name for path in elsewhere.store.root.iterdir()}
    assert stages == {"clips", "inputs", "tmp"}, "nothing of theirs is in the cache"
    assert verify(read, elsewhere, train=True).network is Network.OWN


@pytest.fixture
def clean(submitted, cached):
    """The clean inputs of the attacked clips."""
    plan = make_plan(
        load_suite(bundle.read(submitted / "plain.bundle").manifest.suite, cached.registry), submitted
    )
    inputs = Measurements(cached.workshop(plan)).inputs

    def of(tensors):
        rows = tensors["clip"].numpy().astype(np.int64)
        return inputs.examples(plan.cells[0].classifier.trained, rows).inputs

    return of


def test_clean_clips_that_claim_to_fool_are_refuted(cached, forged, clean):
    found = verify(bundle.read(forged(arrays=lambda tensors: {"examples": clean(tensors)})), cached)
    assert found.row.metrics["fooling_rate"].value == 0
    assert any(each.startswith("fooling_rate: claimed") for each in found.differing)


def test_inputs_that_differ_in_last_digits_are_scored_around_those_here(cached, forged, clean):
    """Another machine's sums differ: examples on the sphere around its inputs may be a bit outside of ours."""

    def beyond(factor):
        def change(tensors):
            inputs = clean(tensors)
            return {"examples": Ball("l2", factor).project(inputs + 10 * (tensors["examples"] - inputs), inputs)}

        return change

    def elsewhere(told):
        told["clips"]["inputs"] = ["0" * 64] * len(told["clips"]["inputs"])

    with pytest.raises(SoundproofError, match="leave the ball"):
        verify(bundle.read(forged(arrays=beyond(1 + 1e-4))), cached)
    found = verify(bundle.read(forged(arrays=beyond(1 + 1e-4), manifest=elsewhere)), cached)
    sizes = found.results.fields(found.row)["l2"]
    assert sizes.max() == pytest.approx(1, abs=1e-6)
    with pytest.raises(SoundproofError, match="leave the ball"):
        verify(bundle.read(forged(arrays=beyond(1 + 1e-2), manifest=elsewhere)), cached)


def test_a_verified_row_joins_a_board_of_the_same_network_and_no_other(submitted, cached, elsewhere, tmp_path):
    found = verify(bundle.read(submitted / "plain.bundle"), cached)
    board = files.read(submitted / "out")
    rest = [row for row in board.rows if row.key != found.row.key]
    samples = {name: array for name, array in board.samples.items() if not name.startswith(found.row.key)}
    files.write(replace(board, rows=rest, samples=samples), tmp_path / "board")
    add(found, tmp_path / "board")
    there = files.read(tmp_path / "board")
    assert len(there.rows) == len(board.rows)
    assert next(row for row in there.rows if row.key == found.row.key).to_json() == found.row.to_json()
    boards.render(tmp_path / "board")
    assert "**verified**" in (tmp_path / "board" / "robustness.md").read_text()
    # A row that is there and says the same keeps all it has, and gets the mark.
    files.write(board, tmp_path / "whole")
    add(found, tmp_path / "whole")
    marked = next(row for row in files.read(tmp_path / "whole").rows if row.key == found.row.key)
    before = next(row for row in board.rows if row.key == found.row.key)
    assert marked.metrics == before.metrics
    assert set(marked.flags) == {*before.flags, "verified"}
    claimed = verify(bundle.read(submitted / "weighty.bundle"), elsewhere)
    with pytest.raises(SoundproofError, match="claimed network"):
        add(claimed, tmp_path / "whole")
    add(claimed, tmp_path / "new")
    boards.render(tmp_path / "new")
    assert "**claimed**" in (tmp_path / "new" / "robustness.md").read_text()


def test_a_board_of_another_network_takes_no_row(submitted, cached, tmp_path):
    found = verify(bundle.read(submitted / "plain.bundle"), cached)
    board = files.read(submitted / "out")
    clean = next(row for row in board.rows if row.protocol == "clean" and row.defense == found.row.defense)
    samples = dict(board.samples)
    samples[f"{clean.key}/prediction"] = 1 - samples[f"{clean.key}/prediction"]
    files.write(replace(board, samples=samples), tmp_path)
    with pytest.raises(SoundproofError, match="decides as the one here"):
        add(found, tmp_path)


def test_rows_are_named_by_the_beginning_of_their_key(submitted):
    results = files.read(submitted / "out")
    keys = sorted(row.key for row in results.rows if row.protocol == "bounded")
    assert row_named(results, keys[0][:8]).key == keys[0]
    clean = next(row for row in results.rows if row.protocol == "clean")
    with pytest.raises(SoundproofError, match="a row of the protocol clean"):
        row_named(results, clean.key)
    with pytest.raises(SoundproofError) as error:
        row_named(results, "")
    assert all(any(key in problem for problem in error.value.problems) for key in keys)


def test_what_no_one_else_can_make_is_not_packed(tmp_path, cached):
    runner = replace(cached, registry=toy_registry())
    plan = make_plan(load_suite(toy_suite(protocols=["bounded"], attacks=["fgsm"]), runner.registry), tmp_path)
    found = runner.run(plan)
    files.write(found, tmp_path / "out")
    with pytest.raises(SoundproofError) as error:
        pack(tmp_path / "out", found.rows[0].key, tmp_path / "x.bundle", runner)
    assert any("model 'toy-linear' comes from toys" in problem for problem in error.value.problems)
    assert not (tmp_path / "x.bundle").exists()


def test_from_the_shell(submitted, tmp_path, capsys):
    places = ["--cache", str(submitted / "cache"), "--device", "cpu", "--threads", "1"]
    assert main(["verify", str(submitted / "plain.bundle"), "--into", str(tmp_path / "board"), *places]) == 0
    said = capsys.readouterr().out
    assert "verified: on a network that was made here" in said
    assert (tmp_path / "board" / "index.html").exists()
    assert main(["verify", str(tmp_path / "none.bundle"), *places]) == 2
    assert "there is no such file" in capsys.readouterr().err
