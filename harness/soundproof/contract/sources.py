"""Source that a component runs: its module, what that imports of its own distribution, and data files beside it.

Imports are read from the source and not executed, wherever they stand, except under `TYPE_CHECKING` and in the
hook that lists a plugin's components: that one imports every neighbour. Packages that Python enters on the way
to a module count as well. Where a name is only known at run time (`importlib.import_module(name)`), the whole
package counts.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from dataclasses import dataclass
from functools import cache
from importlib.machinery import PathFinder
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.digest import digest, tree_digest

if TYPE_CHECKING:
    from collections.abc import Iterator

# Its source has a digest of its own in every key.
_CORE = "soundproof"
_GROUP = "soundproof.plugins"
_SITE = frozenset({"site-packages", "dist-packages"})
_NO_DATA = frozenset({".py", ".pyc", ".pyo"})
_IMPORTERS = frozenset({"import_module", "__import__"})


@dataclass(frozen=True)
class _Source:
    """One module's source.

    Attributes:
        digest: Of its content, without the hook.
        imports: What it may import, absolute; a name may also be one that stands in the module before it.
        open: Whether it imports what only running it tells.
    """

    digest: str
    imports: frozenset[str] = frozenset()
    open: bool = False


def source_digest(cls: type) -> str:
    """Digest of all source of its own distribution that a class of a plugin runs.

    Raises:
        ValueError: Source cannot be read: it was typed in, or lies in a ZIP file.
    """
    own = cls.__module__.partition(".")[0]
    modules = {base.__module__ for base in cls.__mro__ if _belongs(base.__module__.partition(".")[0], own)}
    return digest([_closure(module) for module in sorted(modules)])


@cache
def _closure(module: str) -> str:
    own = module.partition(".")[0]
    waiting, found, packages = [module], {}, {own}
    while waiting:
        name = waiting.pop()
        if name in found or not _belongs(name.partition(".")[0], own):
            continue
        path = _find(name)
        if path is None:
            # A name in a module, or what is not installed.
            continue
        source = found[name] = _read(path, name)
        waiting += source.imports
        parent = name.rpartition(".")[0]
        if parent:
            waiting.append(parent)
        packages.add(name.partition(".")[0])
        if source.open:
            waiting += _modules_of(name.partition(".")[0])
    if module not in found:
        raise ValueError(f"the source of {module} cannot be found: give its components a version")
    return digest(
        {
            "modules": {name: source.digest for name, source in found.items()},
            "data": {name: _data_of(name) for name in sorted(packages)},
        }
    )


@cache
def _belongs(package: str, own: str) -> bool:
    """Whether a top-level package is of the same distribution as another, as far as can be seen."""
    if package == own or package in _siblings(own) - {_CORE}:
        return True
    if package == _CORE or package in sys.stdlib_module_names:
        return False
    here, there = _place(own), _place(package)
    # Side by side in a source tree; in site-packages everybody lies side by side.
    return here is not None and here == there and here.name not in _SITE


@cache
def _siblings(package: str) -> frozenset[str]:
    """The top-level packages of the plugin distributions that a package is a part of."""
    return frozenset().union(*(names for names in _plugin_distributions() if package in names))


@cache
def _plugin_distributions() -> list[frozenset[str]]:
    """The top-level packages of every distribution that brings plugins."""
    found = []
    for distribution in distributions():
        try:
            entries = [entry for entry in distribution.entry_points if entry.group == _GROUP]
            names = {entry.module.partition(".")[0] for entry in entries}
            if entries:
                files = [file for file in distribution.files or () if file.suffix == ".py"]
                names |= {file.parts[0].removesuffix(".py") for file in files}
        except Exception:  # noqa: S112 - a distribution that cannot be read has no part in this
            continue
        if names:
            found.append(frozenset(names))
    return found


@cache
def _place(package: str) -> Path | None:
    """The folder that a top-level package or module lies in."""
    path = _find(package)
    if path is None:
        return None
    return path.parent.parent if path.stem == "__init__" else path.parent


@cache
def _find(name: str) -> Path | None:
    """The file of a module, or None; no module is imported for that."""
    parent, _, _ = name.rpartition(".")
    try:
        spec = PathFinder.find_spec(name, _folders(parent)) if parent else find_spec(name)
    except (ImportError, ValueError, AttributeError):
        # A module made by hand has no spec.
        spec = None
    origin = spec.origin if spec is not None else getattr(sys.modules.get(name), "__file__", None)
    path = Path(origin) if origin else None
    return path if path is not None and path.is_file() else None


@cache
def _folders(package: str) -> list[str]:
    """Folders in which the modules of a package lie."""
    module = sys.modules.get(package)
    known = getattr(module, "__path__", None)
    if known is not None:
        return list(known)
    parent, _, _ = package.rpartition(".")
    try:
        spec = PathFinder.find_spec(package, _folders(parent)) if parent else find_spec(package)
    except (ImportError, ValueError, AttributeError):
        return []
    return list(spec.submodule_search_locations or ()) if spec is not None else []


@cache
def _read(path: Path, name: str) -> _Source:
    content = path.read_bytes()
    if path.suffix != ".py":
        return _Source(hashlib.sha256(content).hexdigest())
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        return _Source(hashlib.sha256(content).hexdigest(), open=True)
    package = name if path.stem == "__init__" else name.rpartition(".")[0]
    reader = _Imports(package, tree, calls=any(importer.encode() in content for importer in _IMPORTERS))
    for node in ast.walk(tree):
        for branch in ("body", "orelse"):
            statements = getattr(node, branch, None)
            if isinstance(statements, list):
                setattr(node, branch, [each for each in statements if each not in reader.hooks])
    return _Source(tree_digest(tree), frozenset(reader.names), reader.open)


class _Imports:
    """Collects what a module may import.

    Attributes:
        names: Absolute.
        hooks: Functions that list a plugin's components; they are not looked into.
        open: Whether something is imported by a name that is not written down.
    """

    def __init__(self, package: str, tree: ast.Module, *, calls: bool) -> None:
        """Read a module.

        Args:
            package: That it stands in.
            tree: Its source.
            calls: Whether to look for calls that import, which takes time.
        """
        self.names: set[str] = set()
        self.hooks: list[ast.FunctionDef] = []
        self.open = False
        self._package = package.split(".")
        self._statements(tree.body)
        if calls:
            for node in ast.walk(tree):
                self._call(node)

    def _statements(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            if isinstance(statement, ast.Import):
                self.names |= {alias.name for alias in statement.names}
            elif isinstance(statement, ast.ImportFrom):
                base = self._absolute(statement.module or "", statement.level)
                self.names |= {base, *(f"{base}.{alias.name}" for alias in statement.names)}
            elif isinstance(statement, ast.FunctionDef) and _is_hook(statement):
                self.hooks.append(statement)
            elif isinstance(statement, ast.If) and _name(statement.test) == "TYPE_CHECKING":
                self._statements(statement.orelse)
            else:
                self._inside(statement)

    def _inside(self, node: ast.AST) -> None:
        """The statements that stand in another, or in its branches."""
        for name in ("body", "orelse", "finalbody"):
            self._statements(getattr(node, name, []))
        for name in ("handlers", "cases"):
            for branch in getattr(node, name, []):
                self._statements(branch.body)

    def _call(self, node: ast.AST) -> None:
        if not isinstance(node, ast.Call) or _name(node.func) not in _IMPORTERS:
            return
        argument = node.args[0] if node.args else None
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            name = argument.value.lstrip(".")
            self.names.add(self._absolute(name, len(argument.value) - len(name)))
        else:
            self.open = True

    def _absolute(self, name: str, level: int) -> str:
        """The name of a module that is given relative to this one, so many dots up."""
        above = self._package[: len(self._package) - level + 1] if level else []
        return ".".join([*above, *([name] if name else [])])


def _is_hook(function: ast.FunctionDef) -> bool:
    marks = [mark.func if isinstance(mark, ast.Call) else mark for mark in function.decorator_list]
    return any(_name(mark) == "hookimpl" for mark in marks)


def _name(node: ast.expr) -> str:
    """The last name of a dotted one."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _modules_of(package: str) -> Iterator[str]:
    """Every module of a package."""
    for folder in _folders(package):
        for file in sorted(Path(folder).rglob("*.py")):
            if file.is_file():
                parts = file.relative_to(folder).with_suffix("").parts
                yield ".".join([package, *(part for part in parts if part != "__init__")])


@cache
def _data_of(package: str) -> dict[str, str]:
    """The digests of a package's files that are no source, by name: tables, weights, compiled code."""
    found = {}
    for folder in _folders(package):
        for file in sorted(Path(folder).rglob("*")):
            name = file.relative_to(folder)
            hidden = any(part.startswith((".", "__pycache__")) for part in name.parts)
            # An editor's lock is a hidden link that leads nowhere; so may others be.
            if not hidden and file.suffix not in _NO_DATA and file.is_file():
                with file.open("rb") as content:
                    found[name.as_posix()] = hashlib.file_digest(content, "sha256").hexdigest()
    return found
