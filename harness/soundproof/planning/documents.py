"""Suite documents: those that ship with the project, files, and how they are read."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.errors import SuiteError, hint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

# Bytes. Somebody gave the path of something else.
LARGEST = 1_000_000


def suite_names() -> list[str]:
    """The suites that ship with the project."""
    return sorted(item.name.removesuffix(".toml") for item in _folder().iterdir() if item.name.endswith(".toml"))


def suite_text(name: str) -> str:
    """A suite that ships with the project, as TOML.

    Raises:
        SuiteError: There is none of this name.
    """
    names = suite_names()
    if name not in names:
        raise SuiteError(f"unknown suite {name!r}: {hint(name, names)} A file's name must end in .toml")
    return (_folder() / f"{name}.toml").read_text("utf-8")


def suite_summary(name: str) -> str:
    """The first line of a suite's file, if it is a comment."""
    first = suite_text(name).partition("\n")[0]
    return first.lstrip("# ") if first.startswith("#") else ""


def read(source: str | Path | Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """A suite's document, and what to call it in messages.

    Args:
        source: The name of a built-in suite, the path of a TOML file, or its content as a mapping.

    Raises:
        SuiteError: It does not exist, cannot be read or is not TOML.
    """
    if not isinstance(source, (str, Path)):
        return "suite", source
    if isinstance(source, str) and not source.endswith(".toml"):
        return source, tomllib.loads(suite_text(source))
    try:
        return str(source), tomllib.loads(_content(Path(source)))
    except OSError as error:
        raise SuiteError(f"{source}: {error.strerror or error}") from None
    except RecursionError:
        raise SuiteError(f"{source} is not a suite: its lists or tables are nested too deeply") from None
    except ValueError as error:  # not TOML, not UTF-8, an integer of thousands of digits, NUL in the name
        raise SuiteError(f"{str(source)!r} is not TOML: {error}") from None


def _content(path: Path) -> str:
    """A file's text; a pipe would block, and a device might never end."""
    if path.exists() and not path.is_dir() and not path.is_file():
        raise SuiteError(f"{path}: not a regular file")
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise SuiteError(f"{path}: more than {LARGEST:,} bytes, so it is no suite")
    return content.decode("utf-8")


def _folder() -> Traversable:
    return resources.files("soundproof") / "suites"
