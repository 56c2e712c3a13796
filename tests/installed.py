"""Every installed component, so that what holds for a kind is tested for whatever is installed."""

from __future__ import annotations

from functools import cache

from soundproof.contract.discovery import discover
from soundproof.contract.parameters import describe_parameters
from soundproof.errors import PluginError
from soundproof.types import Kind, Ref


@cache
def registry():
    return discover()


def described(ref):
    """What a test's id calls a component."""
    return "-".join([ref.id, *(f"{name}={value}" for name, value in ref.parameters.items())])


def defaults(kind):
    """Every component of a kind that needs no parameters, as it comes."""
    return [ref for name in registry().ids(kind) if _builds(ref := Ref(kind, name))]


def variants(kind):
    """The defaults, and every other choice of every parameter that offers some, one at a time."""
    return [changed for ref in defaults(kind) for changed in (ref, *_changed(ref))]


def presets(kind):
    """Every preset of every component of a kind, with its name."""
    return [
        (name, registry().reference(kind, {"id": ref.id, "preset": name}))
        for ref in defaults(kind)
        for name in registry().find(kind, ref.id).component.presets
    ]


def build(ref):
    return registry().build(ref)


def _changed(ref):
    for name, parameter in describe_parameters(registry().find(ref.kind, ref.id).component).items():
        for value in _choices(parameter):
            changed = Ref(ref.kind, ref.id, {name: value})
            if value != parameter.get("default") and _builds(changed):
                yield changed


def _choices(parameter):
    if parameter.get("type") == "boolean":
        return [True, False]
    options = [parameter, *parameter.get("anyOf", ())]
    return [value for option in options for value in option.get("enum", ())]


def _builds(ref):
    try:
        registry().build(ref)
    except PluginError:
        return False
    return True


def parametrise(metafunc):
    """Give tests their components by the names of their arguments.

    `every_model` is each model with its defaults, `varied_model` also with every other choice, `preset_model` each
    preset of each; so for every kind.
    """
    for kind in Kind:
        for prefix, refs in (("every", defaults), ("varied", variants)):
            argument = f"{prefix}_{kind}"
            if argument in metafunc.fixturenames:
                found = refs(kind)
                metafunc.parametrize(
                    argument, [build(ref) for ref in found], ids=[described(ref) for ref in found], scope="module"
                )
        if f"preset_{kind}" in metafunc.fixturenames:
            found = presets(kind)
            ids = [f"{ref.id}-{name}" for name, ref in found]
            metafunc.parametrize(f"preset_{kind}", [build(ref) for _, ref in found], ids=ids, scope="module")
