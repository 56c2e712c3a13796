"""Plugins made from source, for tests of what comes in by the door."""

import sys
import types
from importlib.metadata import EntryPoint
from pathlib import Path


class Distribution:
    """Enough of a distribution for an entry point."""

    def __init__(self, name: str, version: str = "1.0") -> None:
        self.name, self.version = name, version


def plugin(monkeypatch, name: str, source: str, distribution: str) -> EntryPoint:
    """An entry point of a module made from source."""
    module = types.ModuleType(name)
    module.__file__ = f"{name}.py"
    monkeypatch.setitem(sys.modules, name, module)
    if "raise SystemExit" not in source and "import_fails" not in source:
        exec(compile(source, name, "exec"), module.__dict__)
    else:
        monkeypatch.delitem(sys.modules, name)
        loader = Path(monkeypatch.plugin_folder) / f"{name}.py"
        loader.write_text(source)
    return EntryPoint(name, name, "soundproof.plugins")._for(Distribution(distribution))


ATTACK = """
from dataclasses import dataclass
from soundproof import BoundedAttack, hookimpl

@dataclass(frozen=True)
class Mine(BoundedAttack):
    '''Does nothing.'''
    id = "{id}"
    strength: float = 1.0
    @property
    def planned_gradients(self): return 0
    def perturb(self, victim, ball, generator): return victim.clean

@hookimpl
def soundproof_components():
    return [Mine]
"""


def installed():
    from importlib.metadata import entry_points

    return list(entry_points(group="soundproof.plugins"))
