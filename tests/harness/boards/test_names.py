"""Names are as short as tells components apart on one page, and the whole of them stands behind."""

import pytest

from soundproof.boards import draw
from soundproof.boards.names import Names
from soundproof.digest import canonical


def short(bench, kind):
    """The short names of a kind, in the order of its rows."""
    names = Names(bench.results())
    found = [names.of(kind, getattr(row, kind)) for row in bench.rows]
    return [each.short for each in found], [each.full for each in found]


def add(bench, *models):
    for model in models:
        bench.clean([0, 1], [0, 1], model=model)


@pytest.mark.parametrize(
    ("models", "names"),
    [
        ([{"id": "net", "depth": 8, "width": 4}], ["net"]),
        ([{"id": "net", "depth": 8, "width": 4}, {"id": "other", "depth": 9}], ["net", "other"]),
        (
            [{"id": "net", "depth": 8, "sr": 4}, {"id": "net", "depth": 20, "sr": 4}],
            ["net(depth=8)", "net(depth=20)"],
        ),
        ([{"id": "net"}, {"id": "net", "depth": 20}], ["net", "net(depth=20)"]),
        ([{"id": "net", "a": 1}, {"id": "net", "b": 1}], ["net(a=1)", "net(b=1)"]),
        ([{"id": "net", "by": {"id": "x", "n": 1}}, {"id": "net"}], ["net(by=x(n=1))", "net"]),
    ],
)
def test_names_show_only_what_differs(bench, models, names):
    add(bench, *models)
    assert short(bench, "model")[0] == names


def test_the_whole_name_stands_behind(bench):
    add(bench, {"id": "net", "depth": 8, "width": 4})
    assert short(bench, "model") == (["net"], ["net(depth=8, width=4)"])
    found = draw(bench.results()).pages
    assert '<b title="net(depth=8, width=4) · stft · none">net</b>' in found["index.html"]
    assert '"net(depth=8, width=4)"' in found["accuracy.csv"]
    assert "depth" not in found["accuracy.md"]


def test_a_label_of_the_suite_takes_the_place_of_a_name(bench):
    deep, shallow = {"id": "net", "depth": 20}, {"id": "net", "depth": 8}
    bench.run["suite"] = {"name": "bench", "labels": {"model": {canonical(deep): "ResNet-20"}}}
    add(bench, deep, shallow)
    assert short(bench, "model")[0] == ["ResNet-20", "net"]


def test_names_that_would_be_one_are_told_apart(bench):
    one, other = {"id": "net", "depth": "1"}, {"id": "net", "depth": 1, "width": 2}
    bench.run["suite"] = {"name": "bench", "labels": {"model": {canonical(one): "same", canonical(other): "same"}}}
    add(bench, one, other)
    names, _ = short(bench, "model")
    assert len(set(names)) == 2


def test_targets_are_named_like_sources(bench):
    bench.transfer([0, 1], [1, 0], target={"id": "net", "depth": 8, "defense": {"id": "wall", "height": 2}})
    names = Names(bench.results())
    target = names.target(bench.rows[0])
    assert (str(target.model), str(target.defense), target.defense.full) == ("net", "wall", "wall(height=2)")


def test_a_labelled_baseline_is_still_the_baseline(bench):
    bench.run["suite"] = {"name": "bench", "labels": {"defense": {canonical({"id": "none"}): "Undefended"}}}
    bench.clean([0, 1], [0, 1])
    name = Names(bench.results()).classifier(bench.rows[0])
    assert (str(name.defense), name.undefended) == ("Undefended", True)


def test_a_chain_is_named_by_its_links_as_short_as_they_are(bench):
    trained, rounded = {"id": "trained"}, {"id": "rounded", "bits": 3, "noise": 0}
    for defense in (trained, {"id": "chain", "links": [trained, rounded]}):
        bench.clean([0, 1], [0, 1], defense=defense)
    assert short(bench, "defense") == (
        ["trained", "trained + rounded"],
        ["trained", "trained + rounded(bits=3, noise=0)"],
    )
    other = {"id": "chain", "links": [trained, {**rounded, "bits": 2}]}
    bench.clean([0, 1], [0, 1], defense=other)
    assert short(bench, "defense")[0] == ["trained", "trained + rounded(bits=3)", "trained + rounded(bits=2)"]
