"""One component in words: what it is, its parameters and presets."""

from __future__ import annotations

import inspect
import json
import textwrap
from typing import TYPE_CHECKING, Any

from soundproof.contract.parameters import describe_parameters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from soundproof.contract.registry import Registered

_WIDTH = 100
_LIMITS = {
    "minimum": "≥",
    "exclusiveMinimum": ">",
    "maximum": "≤",
    "exclusiveMaximum": "<",
    "multipleOf": "a multiple of",
}


def describe(found: Registered) -> str:
    """Summary, docstring with its sources, parameters with types, defaults and help, presets."""
    component = found.component
    lines = [f"{component.kind} {component.id}: {component.summary()}"]
    body = inspect.cleandoc(component.__doc__ or "").partition("\n")[2].strip("\n")
    lines += [textwrap.indent(body, "  "), ""] if body else [""]
    described = describe_parameters(component)
    lines += ["parameters", *_parameters(described)] if described else ["no parameters"]
    if component.presets:
        lines += ["presets", *(f"  {name}: {_entry(given)}" for name, given in component.presets.items())]
    capabilities = component.capabilities()
    if capabilities:
        lines += ["capabilities", *(f"  {name}: {_plain(value)}" for name, value in capabilities.items())]
    return "\n".join([*lines, f"from {found.distribution} {found.version}"])


def _parameters(described: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, form in described.items():
        default = f", default {_plain(form['default'])}" if "default" in form else ", required"
        yield f"  {name}: {in_words(form)}{default}"
        yield from textwrap.wrap(
            form.get("description", ""), _WIDTH, initial_indent="    ", subsequent_indent="    "
        )


def in_words(form: Mapping[str, Any]) -> str:
    """A parameter's JSON schema in words: `integer ≥ 1`, `l2 or linf`, `list of number > 0`."""
    if "anyOf" in form:
        return " or ".join(dict.fromkeys(in_words(one) for one in form["anyOf"]))
    if "enum" in form:
        return " or ".join(_plain(one) for one in form["enum"])
    if "const" in form:
        return _plain(form["const"])
    kind = str(form.get("type", "anything"))
    if "prefixItems" in form:
        return f"list of {len(form['prefixItems'])}: {', '.join(in_words(one) for one in form['prefixItems'])}"
    if kind == "array":
        return f"list of {in_words(form.get('items', {}))}"
    limits = [f"{sign} {form[name]:g}" for name, sign in _LIMITS.items() if name in form]
    return " ".join([{"null": "none", "object": "table"}.get(kind, kind), ", ".join(limits)]).strip()


def _plain(value: object) -> str:
    """A value as a suite writes it; none for the absence of one."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _entry(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {_plain(value)}" for name, value in parameters.items()) or "the defaults"
