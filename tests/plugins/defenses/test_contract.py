"""What holds for every defense that is installed, with every value of its parameters that are choices.

Nothing is listed by hand but what would take minutes: a defense that somebody adds is tested as it stands.
"""

import dataclasses
import enum
import inspect
import typing
from typing import NamedTuple

import pytest

from soundproof import Budget, Defense, Kind, Ref
from soundproof.conformance import promised
from soundproof.conformance.defenses import CLASSES, PICTURE, WAVEFORM, DefensePromises, SmallNetwork
from soundproof.conformance.promises import Given
from soundproof.contract.discovery import discover

pytestmark = pytest.mark.slow

REGISTRY = discover()


class Case(NamedTuple):
    """A defense, and inputs of a shape that it takes."""

    defense: Defense
    shape: tuple[int, ...]

    def __str__(self):
        changed = {
            field.name: str(value)
            for field in dataclasses.fields(self.defense)
            if isinstance(value := getattr(self.defense, field.name), (str, int))
            and value != field.default
            and field.name not in self.defense.trial
        }
        return "-".join([self.defense.id, "x".join(map(str, self.shape)), *changed.values()])


def choices(component):
    """Every parameter that is a choice, with its values."""
    hints = typing.get_type_hints(component)
    for field in dataclasses.fields(component):
        hint = hints[field.name]
        if typing.get_origin(hint) is typing.Literal:
            yield field.name, typing.get_args(hint)
        elif inspect.isclass(hint) and issubclass(hint, enum.Enum):
            yield field.name, [str(value) for value in hint]


def variants(name):
    """The defense as it is by default, and with each value of each choice."""
    small = REGISTRY.find(Kind.DEFENSE, name).component.trial
    given = [small]
    for parameter, values in choices(REGISTRY.find(Kind.DEFENSE, name).component):
        given += [{**small, parameter: value} for value in values]
    made = [REGISTRY.build(Ref(Kind.DEFENSE, name, parameters)).under(Budget()) for parameters in given]
    return list(dict.fromkeys(made))


def cases(name):
    """The defense by default with pictures and waveforms, its variants with the first of them that they take."""
    for number, defense in enumerate(variants(name)):
        taken = [s for s in (PICTURE, WAVEFORM) if defense.reason_to_skip(SmallNetwork(), s, CLASSES) is None]
        yield from (Case(defense, shape) for shape in (taken if number == 0 else taken[:1]))


CASES = [case for name in REGISTRY.ids(Kind.DEFENSE) for case in cases(name)]


def test_every_defense_is_tried():
    assert {case.defense.id for case in CASES} == set(REGISTRY.ids(Kind.DEFENSE))
    assert {"none", "adversarial-training", "input-transform"} <= {case.defense.id for case in CASES}


@pytest.fixture(scope="module", params=CASES, ids=str)
def promises(request):
    """The checks of what every defense promises, by name."""
    tried = DefensePromises(request.param.defense, Given(REGISTRY), request.param.shape)
    return {check.name: check for check in tried.checks()}


@pytest.mark.parametrize("name", promised("defense"))
def test_it_keeps_its_promises(promises, name):
    promises[name]()


@pytest.mark.parametrize("name", REGISTRY.ids(Kind.DEFENSE))
def test_presets_build_and_stand_beside_other_parameters(name):
    for preset, parameters in REGISTRY.find(Kind.DEFENSE, name).component.presets.items():
        built = REGISTRY.build(REGISTRY.reference(Kind.DEFENSE, {"id": name, "preset": preset}))
        assert set(parameters) <= set(built.parameters())
