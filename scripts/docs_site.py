"""Pages of the documentation site that are made and not written: a hook of MkDocs (mkdocs.yml).

The README is the start page. Commands come from the parser's own help, components from the registry with the
tables of their parameters, the Python reference from the public names' docstrings. Records go along as they are.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import os
import re
import shutil
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mkdocs.config.defaults import MkDocsConfig

    from soundproof import Component

ROOT = Path(__file__).resolve().parent.parent
PUBLIC = ROOT / "harness" / "soundproof" / "__init__.pyi"
# Columns of help, the same wherever the site is built.
_COLUMNS = "100"
# Links between files of the repository, as links between pages of the site.
_MOVED = {
    "docs/": "",
    "../CONTRIBUTING.md": "contributing.md",
    "CONTRIBUTING.md": "contributing.md",
    "../CHANGELOG.md": "changelog.md",
    "CHANGELOG.md": "changelog.md",
}
_RECORDS = "leaderboards"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made, and the records."""
    pages = {
        "index.md": ROOT / "README.md",
        "contributing.md": ROOT / "CONTRIBUTING.md",
        "changelog.md": ROOT / "CHANGELOG.md",
    }
    made = {name: moved(path.read_text("utf-8")) for name, path in pages.items()}
    made |= {
        "reference/commands.md": commands(),
        "reference/components.md": components(),
        "reference/python.md": python(),
    }
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Links as the site has them."""
    return moved(markdown)


def on_post_build(config: MkDocsConfig) -> None:
    """Put the records beside the pages, as they stand in the repository."""
    shutil.copytree(ROOT / _RECORDS, Path(config.site_dir) / _RECORDS, dirs_exist_ok=True)


def moved(text: str) -> str:
    """Markdown with links to files of the repository turned into links to pages of the site.

    Records are no pages that MkDocs knows: they are linked as HTML, which it leaves alone.
    """
    text = re.sub(rf"\[([^\]]+)\]\((?:\.\./)?{_RECORDS}\)", rf'<a href="{_RECORDS}/index.html">\1</a>', text)

    def turned(match: re.Match[str]) -> str:
        target = match[1]
        for old, new in _MOVED.items():
            if target.startswith(old):
                return f"]({new}{target.removeprefix(old)})"
        return match[0]

    return re.sub(r"\]\(([^)\s]+)\)", turned, text)


def commands() -> str:
    """The help of every command."""
    from soundproof.cli import parser

    os.environ["COLUMNS"] = _COLUMNS
    top = parser()
    parts = ["# Commands", _help(top)]
    for name, command in _subcommands(top):
        parts += [f"## bench {name}", _help(command)]
        for inner, each in _subcommands(command):
            parts += [f"### bench {name} {inner}", _help(each)]
    return "\n\n".join(parts) + "\n"


def _subcommands(of: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def _help(of: argparse.ArgumentParser) -> str:
    return f"```text\n{of.format_help().rstrip()}\n```"


def components() -> str:
    """Every built-in component: what it is, its parameters, presets and capabilities."""
    from soundproof.contract.discovery import discover
    from soundproof.contract.parameters import describe_parameters
    from soundproof.contract.registry import BUILT_IN
    from soundproof.types import Kind

    registry = discover()
    sections = []
    for kind in Kind:
        sections.append(f"## {str(kind).capitalize()}s")
        for found in (registry.find(kind, name) for name in registry.ids(kind)):
            if found.distribution == BUILT_IN:
                sections += filter(None, _component(found.component, describe_parameters(found.component)))
    introduction = "What `bench ls` lists, with what `bench ls ID` says of each. A suite names them by their ids."
    return "\n\n".join(["# Components", introduction, *sections]) + "\n"


def _component(component: type[Component], described: Mapping[str, Mapping[str, object]]) -> Iterator[str]:
    yield f"### {component.id}"
    yield component.summary() + "."
    yield _body(component)
    yield _parameters(described)
    if component.presets:
        lines = (f"- `{name}`: {_given(preset)}" for name, preset in component.presets.items())
        yield "Presets:\n\n" + "\n".join(lines)


def _body(component: type) -> str:
    """The docstring between its summary and its list of attributes, which the table repeats."""
    body = inspect.cleandoc(component.__doc__ or "").partition("\n")[2]
    return re.split(r"^Attributes:", body, maxsplit=1, flags=re.MULTILINE)[0].strip()


def _parameters(described: Mapping[str, Mapping[str, object]]) -> str:
    from soundproof.cli.component import in_words

    if not described:
        return ""
    rows = []
    for name, form in described.items():
        default = _value(form["default"]) if "default" in form else "required"
        help_text = " ".join(str(form.get("description", "")).split())
        rows.append(f"| `{name}` | {_cell(in_words(form))} | {_cell(default)} | {_cell(help_text)} |")
    return "| parameter | type | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows)


def _value(value: object) -> str:
    return "none" if value is None else f"`{value}`"


def _given(preset: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {_value(value)}" for name, value in preset.items()) or "the defaults"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def python() -> str:
    """The public names by room, for mkdocstrings to fill in."""
    rooms: dict[str, list[str]] = defaultdict(list)
    for node in ast.parse(PUBLIC.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            rooms[node.module.partition(".")[0]] += [
                f"soundproof.{node.module}.{name.name}" for name in node.names
            ]
    parts = ["# Python", "What `import soundproof` offers; everything else may change without notice."]
    for room, names in rooms.items():
        parts += [f"## {room}", *(f"::: {name}" for name in names)]
    return "\n\n".join(parts) + "\n"
