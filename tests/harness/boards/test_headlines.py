"""What stands first: on the pages, and in the terminal when a run has ended."""

import pytest

from soundproof.boards.collect import collect
from soundproof.boards.headlines import headlines, ranking, told_apart

SIZES = {"soft": 0.5, "hard": 2.0, "middling": 1.0}


@pytest.fixture
def fallen(bench):
    """Three classifiers of which no clip survives."""
    for model, size in SIZES.items():
        bench.clean([0] * 4, [0] * 4, model=model)
        bench.bounded(range(4), [True] * 4, tested=4, model=model)
        bench.reach(range(4), l2=size, model=model)
    return bench


def robust(bench, survivors, clips=40):
    for model, count in survivors.items():
        bench.clean([0] * clips, [0] * clips, model=model)
        bench.bounded(range(clips), [i >= count for i in range(clips)], tested=clips, model=model)


def test_where_all_fall_the_headline_says_who_is_hardest_to_fool(fallen):
    line = str(headlines(collect(fallen.results()))[0])
    assert line.startswith("synth, all 3 classifiers fall; hardest to fool: hard · stft · none with ‖ε‖₂ 2.00 (")
    assert line.endswith("easiest: soft · stft · none with ‖ε‖₂ 0.500)")


def test_a_winner_stands_alone_and_rivals_are_counted(bench):
    robust(bench, {"best": 30, "close": 29, "far": 2})
    (line, _) = headlines(collect(bench.results()))
    assert line.who == "best · stft · none"
    assert line.number == "75.0 %"
    assert line.lead == "2.5 points ahead of the next; not settled: 1 other may be as good"


def test_a_settled_lead_says_how_sure_it_is(bench):
    robust(bench, {"best": 30, "far": 2})
    (line, _) = headlines(collect(bench.results()))
    assert line.lead == "70.0 points ahead of the next, settled (p < 0.001)"


def test_equal_winners_share_a_headline(bench):
    robust(bench, {"one": 10, "other": 10})
    assert headlines(collect(bench.results()))[0].who == "2 classifiers alike"


def test_the_ranking_for_a_terminal_has_five_lines(bench):
    robust(bench, {f"net{number}": 40 - 6 * number for number in range(6)})
    lines = ranking(collect(bench.results()))
    assert len(lines) == 6
    assert lines[0].split() == [
        *("1–3", "net0", "·", "stft", "·", "none"),
        *("robust", "100.0", "%", "(83.2–100.0)", "clean", "100.0", "%"),
    ]
    assert lines[-1] == "… and 1 more"
    assert len({line.index("robust") for line in lines[:5]}) == 1


def test_the_ranking_says_at_which_size_all_fall(fallen):
    lines = ranking(collect(fallen.results()))
    assert [line.split()[1] for line in lines] == ["hard", "middling", "soft"]
    assert "falls at ‖ε‖₂ 2.00" in lines[0]
    assert lines[0].startswith("1–3")


def test_data_sets_are_ranked_apart(bench):
    bench.samples["clips/esc10/group"] = bench.samples["clips/synth/group"]
    for dataset in ("synth", "esc10"):
        bench.clean([0, 1], [0, 1], dataset=dataset)
        bench.bounded([0, 1], [True, False], tested=2, dataset=dataset)
    assert [line for line in ranking(collect(bench.results())) if line.endswith(":")] == ["esc10:", "synth:"]


def test_without_attacks_the_ranking_is_by_accuracy(bench):
    bench.clean([0] * 4, [0, 0, 0, 1])
    (line,) = ranking(collect(bench.results()))
    assert line.split() == ["1", "resnet", "·", "stft", "·", "none", "clean", "75.0", "%"]


def test_without_a_rank_there_is_no_line(bench):
    bench.clean([0, 1], [0, 1], flags=("leaky",))
    assert ranking(collect(bench.results())) == []
    assert headlines(collect(bench.results())) == []


def test_each_ranking_says_what_its_clips_tell_apart(bench):
    """Forty clips, a recording each, of which 30 and 29 survive in the same order: one differs."""
    robust(bench, {"best": 30, "close": 29})
    (line,) = told_apart(collect(bench.results()))
    assert line.startswith(
        "Two classifiers are told apart four times in five where they differ by 15 points or more"
    )


def test_one_classifier_is_told_apart_from_nobody(bench):
    robust(bench, {"only": 30})
    assert told_apart(collect(bench.results())) == []
