"""Reads the tables that data sets are published with, and finds every bad row while doing so."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_Row = TypeVar("_Row")


def read_csv(
    path: Path, columns: Sequence[str], parse: Callable[[list[str]], _Row], problems: list[str], remedy: str
) -> list[_Row]:
    """The rows of a CSV file with a header.

    Args:
        path: The file.
        columns: Its header.
        parse: Makes a row of its cells, or raises ValueError where they contradict the published layout.
        problems: What is wrong is appended here.
        remedy: Ends every problem.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header, *rows = list(csv.reader(file)) or [[]]
    except FileNotFoundError:
        problems.append(f"{path}: missing; {remedy}, or name the data folder with --data")
        return []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.append(f"{path}: not a readable CSV file ({error}); {remedy}")
        return []
    if header != list(columns):
        problems.append(f"{path}: its header is {','.join(header)!r}, not {','.join(columns)!r}; {remedy}")
        return []
    return _parsed(path, rows, 2, _counted(parse, len(columns)), problems, remedy)


def read_words(
    path: Path, columns: int, parse: Callable[[list[str]], _Row], problems: list[str], remedy: str
) -> list[_Row]:
    """The rows of a text file without a header, whose columns are separated by blanks; see `read_csv`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        problems.append(f"{path}: missing; {remedy}")
        return []
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path}: not a readable text file ({error}); {remedy}")
        return []
    return _parsed(path, [line.split() for line in lines], 1, _counted(parse, columns), problems, remedy)


def number(name: str, text: str) -> int:
    """A cell that holds a number from 0 on; raises ValueError if it does not."""
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"{name} is {text!r}, not a number")
    return int(text)


def _counted(parse: Callable[[list[str]], _Row], columns: int) -> Callable[[list[str]], _Row]:
    def counting(cells: list[str]) -> _Row:
        if len(cells) != columns:
            raise ValueError(f"{len(cells)} columns, not {columns}")
        return parse(cells)

    return counting


def _parsed(
    path: Path,
    rows: Sequence[list[str]],
    first: int,
    parse: Callable[[list[str]], _Row],
    problems: list[str],
    remedy: str,
) -> list[_Row]:
    parsed = []
    for line, cells in enumerate(rows, start=first):
        try:
            parsed.append(parse(cells))
        except ValueError as error:
            problems.append(f"{path}:{line}: {error}; {remedy}")
    return parsed
