"""Entries of component lists: presets, lists that multiply, labels."""

import json
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from soundproof import Kind, Ref, SuiteError
from soundproof.contract.chain import Chain
from soundproof.contract.identity import coordinate, fingerprint
from soundproof.contract.registry import Registered
from soundproof.digest import canonical
from soundproof.planning.selection import restrict
from soundproof.planning.suite import load_suite
from soundproof_attacks.bim import BimB
from toys import ToyBlurring, ToyDefense, ToyModel, toy_registry, toy_suite


@dataclass(frozen=True)
class Sourced(BimB):
    """BIM with the budgets of two sources."""

    id: ClassVar[str] = "toy-bim"
    version: ClassVar[str] = "1"
    presets: ClassVar = {"one": {"steps": 3, "step_size": 0.5}, "two": {"steps": [20, 40]}}


@pytest.fixture(scope="module")
def registry():
    found = toy_registry()
    found.components[Kind.ATTACK, "toy-bim"] = Registered(Sourced, "toys", "1")
    return found


def attacks(registry, *entries):
    return load_suite(toy_suite(attacks=list(entries)), registry).attacks


def test_a_preset_gives_parameters_and_what_stands_beside_it_wins(registry):
    assert attacks(registry, {"id": "toy-bim", "preset": "one"}) == [Sourced(steps=3, step_size=0.5)]
    assert attacks(registry, {"id": "toy-bim", "preset": "one", "steps": 9}) == [Sourced(steps=9, step_size=0.5)]


def test_presets_multiply_as_lists_do(registry):
    both = attacks(registry, {"id": "toy-bim", "preset": ["one", "two"], "targeted": [False, True]})
    assert [(one.steps, one.targeted) for one in both] == [
        (steps, targeted) for steps in (3, 20, 40) for targeted in (False, True)
    ]


def test_presets_and_lists_inside_a_parameter(registry):
    entry = {"id": "adversarial-training", "attack": {"id": "toy-bim", "preset": ["one", "two"], "norm": "linf"}}
    defenses = load_suite(toy_suite(defenses=["none", entry]), registry).defenses
    assert [defense.attack.parameters for defense in defenses[1:]] == [
        {"steps": 3, "step_size": 0.5, "norm": "linf"},
        {"steps": 20, "norm": "linf"},
        {"steps": 40, "norm": "linf"},
    ]
    several = {"id": "adversarial-training", "attack": ["fgsm", {"id": "bim-b", "steps": [2, 4]}]}
    assert len(load_suite(toy_suite(defenses=[several]), registry).defenses) == 3


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"id": "toy-bim", "preset": "on"}, r"attacks\[0\]: toy-bim has no preset 'on': did you mean 'one'\?"),
        ({"id": "toy-bim", "preset": "xyz"}, r"has no preset 'xyz': known: one, two"),
        ({"id": "toy-bim", "preset": ["one", "xyz"]}, "has no preset 'xyz'"),
        ({"id": "toy-bim", "preset": []}, r"has no preset \[\]"),
        ({"id": "toy-bim", "preset": 1}, "has no preset 1"),
        ({"id": "toy-walking", "preset": "one"}, "toy-walking has no preset .one.: there are none"),
        ({"id": "toy-bim", "preset": "one", "steps": 0}, "toy-bim.steps: .*greater than or equal to 1"),
    ],
)
def test_presets_that_do_not_exist(entry, reason, registry):
    with pytest.raises(SuiteError, match=reason):
        attacks(registry, entry)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"representations": [{"id": "mfcc", "norm": []}]}, r"representations\[0\]: mfcc.norm: .*not \[\]"),
        ({"attacks": [{"id": "bim-b", "steps": []}]}, r"attacks\[0\]: bim-b.steps: .*not \[\]"),
        (
            {"defenses": [{"id": "adversarial-training", "attack": {"id": "bim-b", "steps": []}}]},
            r"defenses\[0\]: attack: bim-b.steps: .*not \[\]",
        ),
        ({"defenses": [{"id": "adversarial-training", "attack": []}]}, r"defenses\[0\]: attack: attack: write"),
        ({"models": []}, "models: .*at least 1"),
        ({"defenses": []}, "defenses: .*at least 1"),
    ],
)
def test_empty_lists_are_errors_and_no_plan_of_nothing(change, reason, registry):
    with pytest.raises(SuiteError, match=reason):
        load_suite(toy_suite(**change), registry)


def test_every_bad_value_of_a_list_is_told_once(registry):
    with pytest.raises(SuiteError) as caught:
        attacks(registry, {"id": "bim-b", "steps": ["5", "x", 3, 0], "step_size": [0.1, 0.2]})
    assert [problem.rpartition(", not ")[2] for problem in caught.value.problems] == ["'5'", "'x'", "0"]


def test_lists_that_multiply_beyond_measure(registry):
    sizes = [step / 1000 for step in range(1, 101)]
    with pytest.raises(SuiteError, match="its lists make 10,000 components; at most 1,000"):
        attacks(registry, {"id": "bim-b", "steps": list(range(1, 101)), "step_size": sizes})


LABELLED = [
    {"id": "toy-linear", "label": "Linear"},
    {"id": "toy-linear", "scale": 2.0, "label": "Twice"},
    {"id": "toy-signs"},
]


def test_labels_change_nothing_but_names(registry):
    bare = [{name: value for name, value in one.items() if name != "label"} for one in LABELLED]
    plain = toy_suite(models=bare)
    before, after = (load_suite(document, registry) for document in (plain, toy_suite(models=LABELLED)))
    assert before.models == after.models
    assert list(map(coordinate, before.models)) == list(map(coordinate, after.models))
    assert list(map(fingerprint, before.models)) == list(map(fingerprint, after.models))


def test_labels_are_found_by_coordinate_and_written_into_the_document(registry):
    suite = load_suite(toy_suite(models=LABELLED), registry)
    assert list(map(suite.label, suite.models)) == ["Linear", "Twice", None]
    assert suite.labels == {"model": {'{"id":"toy-linear"}': "Linear", '{"id":"toy-linear","scale":2.0}': "Twice"}}
    document = json.loads(json.dumps(suite.document))
    assert document["labels"]["model"][canonical(coordinate(ToyModel(scale=2.0)))] == "Twice"
    assert load_suite(toy_suite(), registry).document["labels"] == {}


@dataclass(frozen=True)
class Budgeted(ToyDefense):
    """Takes its strength from the budget."""

    id: ClassVar[str] = "toy-budgeted"
    strength: float | None = None

    def under(self, budget):
        return replace(self, strength=budget.epsilon) if self.strength is None else self


def test_a_defense_keeps_its_label_under_a_budget(registry):
    registry.components[Kind.DEFENSE, "toy-budgeted"] = Registered(Budgeted, "toys", "1")
    suite = load_suite(
        toy_suite(
            datasets=["toy-data", {"id": "toy-data", "spread": 0.1, "label": "loud"}],
            defenses=["none", {"id": "toy-budgeted", "label": "Budgeted"}],
            settings=[{"dataset": "loud", "budget": {"epsilon": 0.25}}],
        ),
        registry,
    )
    assert [suite.label(Budgeted(strength)) for strength in (None, 0.5, 0.25, 3.0)] == [*["Budgeted"] * 3, None]
    assert suite.document["labels"] == suite.labels


@pytest.mark.parametrize(
    ("models", "reason"),
    [
        (
            [LABELLED[0], {**LABELLED[1], "label": "Linear"}],
            "label 'Linear' names more than one",
        ),
        (
            [{"id": "toy-linear", "scale": [1.0, 2.0], "label": "L"}],
            "label 'L' would name 2 components",
        ),
        ([{"id": "toy-linear", "label": "toy-signs"}, "toy-signs"], "'toy-signs' is another component's id"),
        ([{"id": "toy-linear", "label": ""}], r"models\[0\]: label: .*printable characters"),
        ([{"id": "toy-linear", "label": 14}], r"models\[0\]: label: .*not 14"),
        ([{"id": "toy-linear", "label": "a\nb"}], r"models\[0\]: label: "),
    ],
)
def test_labels_name_one_component(models, reason, registry):
    with pytest.raises(SuiteError, match=reason):
        load_suite(toy_suite(models=models), registry)


def test_a_label_is_no_parameter_of_a_named_component(registry):
    with pytest.raises(SuiteError, match="attack: bim-b has no parameter 'label'"):
        load_suite(
            toy_suite(defenses=[{"id": "adversarial-training", "attack": {"id": "bim-b", "label": "x"}}]), registry
        )


def test_references_are_read_where_they_stand(registry):
    assert registry.reference(Kind.ATTACK, {"id": "toy-bim", "preset": "one"}) == Ref(
        Kind.ATTACK, "toy-bim", {"steps": 3, "step_size": 0.5}
    )


def defenses(registry, *entries):
    return load_suite(toy_suite(defenses=list(entries)), registry).defenses


def test_a_list_of_defenses_is_a_chain(registry):
    *_, chain = defenses(registry, "none", "toy-blurring", ["toy-halving", "toy-blurring"])
    assert chain == Chain((ToyDefense(), ToyBlurring()))
    assert coordinate(chain)["links"] == [{"id": "toy-halving"}, {"id": "toy-blurring"}]
    # As results name it, so that a row's coordinates are an entry again; and nested.
    assert defenses(registry, coordinate(chain)) == [chain]
    assert defenses(registry, [["toy-halving"], [["toy-blurring"]]]) == [chain]


def test_lists_inside_a_chain_multiply(registry):
    found = defenses(registry, ["toy-halving", {"id": "toy-blurring", "deviation": [0.1, 0.2]}])
    assert [chain.last.deviation for chain in found] == [0.1, 0.2]


def test_none_in_a_chain_is_left_out(registry):
    assert defenses(registry, ["none", "toy-halving", "none"]) == defenses(registry, "toy-halving")
    assert defenses(registry, ["none", "none"]) == defenses(registry, "none")
    with pytest.raises(SuiteError, match="listed twice"):
        defenses(registry, "toy-halving", ["none", "toy-halving"])


def test_every_link_that_is_wrong_is_told(registry):
    with pytest.raises(SuiteError) as error:
        defenses(registry, ["toy-halfing", {"id": "toy-blurring", "depth": 3}], [], {"id": "chain"})
    problems = "\n".join(error.value.problems)
    assert "defenses[0]: link 0: unknown defense 'toy-halfing'" in problems
    assert "defenses[0]: link 1: toy-blurring has no parameter 'depth'" in problems
    assert "defenses[1]: an empty list is no defense" in problems
    assert "defenses[2]: unknown defense 'chain'" in problems


def test_a_chain_takes_a_label_and_is_kept_by_its_links_names(registry):
    links = ["toy-halving", "toy-blurring"]
    suite = load_suite(toy_suite(defenses=["none", {"id": "chain", "links": links, "label": "both"}]), registry)
    assert suite.label(suite.defenses[1]) == "both"
    for name in ("both", "toy-halving + toy-blurring"):
        assert restrict(suite, {"defense": [name]}).defenses == [suite.defenses[1]]
