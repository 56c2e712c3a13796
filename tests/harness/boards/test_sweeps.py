"""Parameters that a suite varies."""

from soundproof.boards.collect import collect


def test_rows_that_differ_in_one_number_are_a_line(bench):
    bench.run["components"] = [{"kind": "model", "id": "net", "defaults": {"depth": 8, "width": 4}}]
    for model in ({"id": "net"}, {"id": "net", "depth": 14}, {"id": "net", "depth": 20}, "other"):
        for representation in ("stft", "mfcc"):
            bench.clean([0, 1], [0, 1], model=model, representation=representation)
    (sweep,) = collect(bench.results()).sweeps
    assert (sweep.kind, sweep.id, sweep.parameter) == ("model", "net", "depth")
    assert {words: [value for value, _ in points] for words, points in sweep.lines.items()} == {
        "synth · mfcc · none": [8, 14, 20],
        "synth · stft · none": [8, 14, 20],
    }


def test_attacks_are_swept_by_classifier(bench):
    bench.clean([0, 1], [0, 1])
    for steps in (5, 10):
        bench.bounded([0, 1], [True, False], tested=2, attack={"id": "pgd", "steps": steps})
    (sweep,) = collect(bench.results()).sweeps
    ((_, points),) = sweep.lines.items()
    assert [(value, owner[1].full) for value, owner in points] == [(5, "pgd(steps=5)"), (10, "pgd(steps=10)")]


def test_words_and_single_values_are_no_sweep(bench):
    for norm in ("l2", "linf"):
        bench.clean([0, 1], [0, 1], model={"id": "net", "norm": norm, "depth": 8})
    assert collect(bench.results()).sweeps == ()


def test_two_parameters_at_once_are_lines_of_each(bench):
    for depth in (8, 14):
        for width in (4, 8):
            bench.clean([0, 1], [0, 1], model={"id": "net", "depth": depth, "width": width})
    found = {sweep.parameter: sweep.lines for sweep in collect(bench.results()).sweeps}
    assert {name: len(lines) for name, lines in found.items()} == {"depth": 2, "width": 2}
