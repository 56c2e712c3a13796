"""A new plugin's distribution: what its files are called and what stands in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from soundproof.errors import SoundproofError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from soundproof.types import Kind

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
# Template and path of every file; {package} is filled in.
_FILES = {
    "pyproject.toml.j2": "pyproject.toml",
    "README.md.j2": "README.md",
    "suite.toml.j2": "suite.toml",
    "ci.yml.j2": ".github/workflows/ci.yml",
    "test_conformance.py.j2": "tests/test_conformance.py",
}


@dataclass(frozen=True)
class Distribution:
    """A plugin that is to be written.

    Attributes:
        kind: Of its component.
        name: The component's id.
    """

    kind: Kind
    name: str

    @property
    def distribution(self) -> str:
        """What pip calls it; also its folder."""
        return f"soundproof-{self.name}"

    @property
    def package(self) -> str:
        """What Python calls it."""
        return self.distribution.replace("-", "_")

    @property
    def component(self) -> str:
        """The component's class."""
        return "".join(part.capitalize() for part in self.name.split("-"))

    def files(self) -> Iterator[tuple[str, str]]:
        """Path and content of every file."""
        import jinja2

        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("soundproof", "scaffold/templates"),
            undefined=jinja2.StrictUndefined,
            keep_trailing_newline=True,
            autoescape=False,  # noqa: S701 - source code, not HTML; the name is letters, digits and hyphens
        )
        words = {name: getattr(self, name) for name in ("kind", "name", "distribution", "package", "component")}
        words |= {"version": version("soundproof")}
        for template, path in {**_FILES, f"kinds/{self.kind}.py.j2": f"{self.package}.py"}.items():
            yield path, environment.get_template(template).render(words)


def write(kind: Kind, name: str, into: Path) -> list[Path]:
    """Write a new plugin's files below a folder, and return them; the first is the distribution's folder.

    Raises:
        SoundproofError: The name is no id, or there is such a folder already.
    """
    if not _NAME.fullmatch(name):
        raise SoundproofError(f"{name!r} is no name: lower-case letters, digits and hyphens, e.g. soft-clip")
    plugin = Distribution(kind, name)
    folder = into / plugin.distribution
    if folder.exists():
        raise SoundproofError(f"{folder}: there is one already; choose another name, or remove it")
    written = [folder]
    for path, content in plugin.files():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, "utf-8")
        written.append(file)
    return written
