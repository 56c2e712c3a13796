"""Promises of a component, each with a check that tries it."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from unittest import SkipTest

from soundproof.contract.identity import coordinate, label, parameter
from soundproof.contract.parameters import describe_parameters, references
from soundproof.engine.surroundings import SurroundingsError, kept
from soundproof.errors import PluginError, SoundproofError
from soundproof.faults import reason
from soundproof.planning.entries import expand
from soundproof.types import Ref

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from soundproof.contract.components import Component
    from soundproof.contract.registry import Registry

    _Method = TypeVar("_Method", bound=Callable[..., None])

_REMEDY = "_conformance_remedy"


class ConformanceError(AssertionError):
    """A component breaks a promise.

    Attributes:
        found: What it did instead.
        remedy: What to mend.
    """

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(f"{found}; {remedy}")
        self.found = found
        self.remedy = remedy


class InapplicableError(SkipTest):
    """A promise does not concern this component, or what it takes is not there; pytest skips the test."""


@dataclass(frozen=True, eq=False)
class Given:
    """What checks are made with.

    Attributes:
        registry: Builds the components that others name.
        root: The data folder, for data sets; None where there is none.
        device: Where to compute.
    """

    registry: Registry
    root: Path | None = None
    device: str = "cpu"


@dataclass(frozen=True, eq=False)
class Check:
    """One promise of one component.

    Attributes:
        component: Whose.
        name: Of the promise.
        promise: In one sentence.
        remedy: What to mend where it is broken.
    """

    component: Component
    name: str
    promise: str
    remedy: str
    _run: Callable[[], None]

    def __str__(self) -> str:
        return f"{label(coordinate(self.component))}-{self.name}"

    def __call__(self) -> None:
        """Try it.

        Raises:
            ConformanceError: The component breaks the promise, raises, or leaves the process changed.
            InapplicableError: It does not concern the component.
        """
        try:
            with kept():
                self._run()
        except (ConformanceError, InapplicableError):
            raise
        except SurroundingsError as error:
            raise ConformanceError(str(error), "put it back with try … finally") from error
        except SoundproofError as error:
            raise ConformanceError(" ".join(error.problems), self.remedy) from error
        except (Exception, SystemExit) as error:
            raise ConformanceError(f"raised {reason(error)}", self.remedy) from error


def promise(remedy: str) -> Callable[[_Method], _Method]:
    """Marks a method as the check of a promise, which its docstring states."""

    def mark(method: _Method) -> _Method:
        setattr(method, _REMEDY, remedy)
        return method

    return mark


def require(kept: Any, found: str, remedy: str) -> None:
    """Raise unless a promise is kept.

    Raises:
        ConformanceError: It is not.
    """
    if not kept:
        raise ConformanceError(found, remedy)


class Promises:
    """The promises of all kinds; each kind has a class of its own below.

    Attributes:
        component: Whose.
        given: What checks are made with.
    """

    component: Any

    def __init__(self, component: Any, given: Given) -> None:
        self.component = component
        self.given = given

    @classmethod
    def names(cls) -> list[str]:
        """Names of the checks: those of the kind in the order of the source, then those of every kind."""
        found = [name for owner in cls.__mro__ for name, each in vars(owner).items() if hasattr(each, _REMEDY)]
        return list(dict.fromkeys(found))

    def checks(self) -> Iterator[Check]:
        """Every check."""
        for name in self.names():
            method = getattr(self, name)
            said = " ".join((inspect.getdoc(method) or "").split())
            yield Check(self.component, name, said, getattr(method, _REMEDY), method)

    @promise('describe it: period: Annotated[int, Field(ge=2, description="frames")] or under Attributes')
    def parameters_are_documented(self) -> None:
        """Every parameter says what it is, in a Field's description or under Attributes of the docstring."""
        described = describe_parameters(type(self.component))
        text = inspect.getdoc(type(self.component)) or ""
        silent = [
            name for name, form in described.items() if not form.get("description") and f"{name}:" not in text
        ]
        require(
            not silent,
            f"{' and '.join(silent)} {'is' if len(silent) == 1 else 'are'} not described",
            "annotate with pydantic's Field(description=…), or describe it under Attributes of the docstring",
        )

    @promise("annotate parameters with their types; limits in pydantic's Field, the rest in __post_init__")
    def parameters_are_validated(self) -> None:
        """No parameter takes a value of another type without a word."""
        cls: type[Component] = type(self.component)
        registry = self.given.registry
        named = references(cls)
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]
            if field.name in named:
                continue
            try:
                registry.build(
                    Ref(cls.kind, cls.id, {**self._required(), parameter(field.name): {"no": ["such", None]}})
                )
            except PluginError:
                continue
            form = describe_parameters(cls)[parameter(field.name)]
            require(
                form.get("type") == "object" or "anyOf" in form,
                f"{field.name} takes {{'no': ['such', None]}}",
                f"give {field.name} a type, e.g. int, instead of Any",
            )

    def _required(self) -> dict[str, Any]:
        """The parameters that have no default."""
        return {
            parameter(field.name): getattr(self.component, field.name)
            for field in dataclasses.fields(self.component)
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        }

    @promise("compare equal by parameters: @dataclass(frozen=True) without eq=False, and hashable parameters")
    def equal_parameters_are_equal_components(self) -> None:
        """Two components with the same parameters are equal and have the same hash: they are cache keys."""
        again = dataclasses.replace(self.component)
        require(again == self.component, "a copy is not equal to it", "leave __eq__ to the dataclass")
        require(
            hash(again) == hash(self.component),
            "a copy has another hash",
            "give parameters hashable types, e.g. tuple",
        )

    @promise("name only parameters that there are, with values that they take")
    def presets_build(self) -> None:
        """Every preset makes a component."""
        cls = type(self.component)
        for name in cls.presets:
            for ref in expand(cls.kind, {"id": cls.id, **self._required(), "preset": name}, self.given.registry):
                self.given.registry.build(ref)


def numpy_state() -> str:
    """State of NumPy's global generator, its place in the block included: most draws move nothing else."""
    import numpy as np

    with np.printoptions(threshold=sys.maxsize):
        return repr(np.random.get_state(legacy=False))  # noqa: NPY002
