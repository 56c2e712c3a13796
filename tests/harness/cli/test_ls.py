"""`bench ls`: kinds, suites and single components; `bench` alone."""

import json

import pytest

from soundproof.cli import main


def bench(capsys, *arguments):
    """Exit code, output and errors of a command."""
    code = main(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_suites_are_described_and_printed(capsys):
    _, said, _ = bench(capsys, "ls", "suites")
    assert said.startswith("suites\n")
    (line,) = [line for line in said.splitlines() if line.split()[0] == "quick"]
    assert len(line.split()) > 5, "its first comment"
    _, said, _ = bench(capsys, "ls", "suites", "--json")
    assert {"quick", "esc10"} <= {suite["id"] for suite in json.loads(said)}
    _, said, _ = bench(capsys, "ls", "suite", "quick")
    assert 'name = "quick"' in said


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["atacks", "fgsm"], "unknown kind 'atacks': did you mean 'attacks'"),
        (["attack", "fgms"], "unknown attack 'fgms': did you mean 'fgsm'"),
        (["fgms"], "unknown kind or component 'fgms': did you mean 'fgsm'"),
        (["noise"], "is of 2 kinds: write `bench ls attack noise` or `bench ls augmentation noise`"),
        (["suite", "quik"], "did you mean 'quick'"),
        (["colours"], "unknown kind or component 'colours': "),
    ],
)
def test_unknown_words_get_a_suggestion(capsys, words, problem):
    code, said, told = bench(capsys, "ls", *words)
    assert (code, said) == (2, "")
    assert problem in told


def test_ls_describes_one_component(capsys):
    _, said, _ = bench(capsys, "ls", "pgd")
    assert bench(capsys, "ls", "attacks", "pgd")[1] == said
    assert said.startswith("attack pgd: Projected gradient descent from random points of the ball\n")
    assert "Madry et al. 2018" in said, "where it comes from"
    for line in (
        "  steps: integer ≥ 1",
        "  norm: l2 or linf, default l2",
        "  step_size: number > 0 or none, default none",
        "  random_start: boolean, default true",
        "    begin anywhere in the ball instead of at the clip",
        "from soundproof ",
    ):
        assert line in said
    (listed,) = json.loads(bench(capsys, "ls", "pgd", "--json")[1])
    assert listed["id"] == "pgd"
    assert listed["parameters"]["norm"]["enum"] == ["l2", "linf"]
    _, said, _ = bench(capsys, "ls", "folder")
    assert "  path: string, required" in said
    _, said, _ = bench(capsys, "ls", "defense", "none")
    assert "no parameters" in said


def test_presets_are_described():
    from soundproof.cli.component import describe
    from soundproof.contract.registry import Registered
    from soundproof_attacks.bim import BimB

    known = type("Known", (BimB,), {"__doc__": "Known.", "presets": {"001": {"steps": 5, "norm": "l2"}, "0": {}}})
    assert "presets\n  001: steps = 5, norm = l2\n  0: the defaults\n" in describe(Registered(known, "d", "1"))


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 9}, "integer ≥ 1, ≤ 9"),
        ({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "null"}]}, "number > 0 or none"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, "list of a or b"),
        ({"type": "array", "prefixItems": [{"type": "integer"}] * 2}, "list of 2: integer, integer"),
        ({"const": "ortho"}, "ortho"),
        ({"type": "attack"}, "attack"),
        ({"type": "integer", "multipleOf": 2}, "integer a multiple of 2"),
        ({"type": "integer", "maximum": 192000}, "integer ≤ 192000"),
    ],
)
def test_types_in_words(form, words):
    from soundproof.cli.component import in_words

    assert in_words(form) == words


def test_every_installed_component_can_be_described():
    from soundproof.cli.component import describe
    from soundproof.contract.discovery import discover

    for registered in discover().components.values():
        said = describe(registered)
        assert registered.component.summary() in said
        assert "$ref" not in said


def test_bench_alone_and_its_version(capsys):
    code, said, told = bench(capsys)
    assert (code, told) == (0, "")
    assert "usage: bench" in said
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out.startswith("soundproof ")
