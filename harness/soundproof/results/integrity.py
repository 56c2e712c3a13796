"""Whether the files of a results folder are whole, belong together and hold what a row may hold."""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

from soundproof.digest import digest
from soundproof.measuring.protocols import PROTOCOLS
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# The entry of `run.json` that tells of the other files and of the rest of itself.
FILES = "files"
_SELF = "run.json"


def sealed(run: Mapping[str, Any], files: Mapping[str, bytes], rows: int) -> dict[str, Any]:
    """The content of `run.json`, with the digests of the files beside it and its own.

    Args:
        run: The provenance; an older seal in it is replaced.
        files: The content of the other files by name.
        rows: The number of rows in them.
    """
    bare = _bare(run)
    seal: dict[str, Any] = {
        name: {"sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()
    }
    return {**bare, FILES: {**seal, _SELF: {"digest": digest(bare), "rows": rows}}}


def seal_flaw(run: object) -> str | None:
    """Flaw in the content of `run.json` by itself, or None."""
    if not isinstance(run, dict):
        return "it is no JSON object"
    seal = run.get(FILES)
    own = seal.get(_SELF) if isinstance(seal, dict) else None
    if not isinstance(own, dict) or set(own) != {"digest", "rows"}:
        return "it does not tell which files belong to it"
    try:
        whole = own.get("digest") == digest(_bare(run))
    except (ValueError, RecursionError):
        whole = False
    return None if whole else "its content is not what was written"


def file_flaw(run: Mapping[str, Any], name: str, content: bytes) -> str | None:
    """Flaw in a file beside a `run.json` that is whole, or None."""
    told = run[FILES].get(name)
    whole = isinstance(told, dict) and told.get("sha256") == hashlib.sha256(content).hexdigest()
    return None if whole else f"its content is not what {_SELF} tells of"


def _bare(run: Mapping[str, Any]) -> dict[str, Any]:
    """The provenance without its seal, as JSON reads it."""
    bare: dict[str, Any] = json.loads(json.dumps({name: value for name, value in run.items() if name != FILES}))
    return bare


def parse_line(line: bytes) -> Any:
    """One line of JSON, in which NaN and infinities are no numbers.

    Raises:
        ValueError: It is not.
    """

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no number")

    try:
        return json.loads(line.decode(), parse_constant=refuse)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def row_flaws(row: object) -> Iterator[str]:
    """Flaws of a row as JSON; what it may hold is told by `Row`."""
    if not isinstance(row, dict):
        yield f"a row is an object, not {type(row).__name__}"
        return
    for name, (good, due) in _FIELDS.items():
        if name not in row:
            yield f"it has no {name!r}"
        elif not good(row[name]):
            yield f"{name} must be {due}, not {_short(row[name])}"
    for kind in ("metrics", "reports"):
        metrics = row.get(kind)
        for name, metric in metrics.items() if isinstance(metrics, dict) else ():
            problem = _metric_flaw(metric)
            if problem is not None:
                yield f"{kind.removesuffix('s')} {name!r}: {problem}"


def _metric_flaw(metric: object) -> str | None:
    if not isinstance(metric, dict) or set(metric) != {"value", "low", "high", "n"}:
        return "it takes value, low, high and n"
    if not _is_count(metric["n"]):
        return f"n must be a whole number from 0 on, not {_short(metric['n'])}"
    ends = [metric["low"], metric["value"], metric["high"]]
    if not all(_is_finite(end) for end in ends):
        return "low, value and high must be finite numbers"
    return None if ends == sorted(ends) else f"low ≤ value ≤ high does not hold for {ends}"


def _is_finite(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_component(value: object) -> bool:
    return isinstance(value, dict) and _is_text(value.get("id"))


def _is_flags(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:40]}…"


_COMPONENT = (_is_component, "a component with an id")
_COMPONENT_OR_NONE = (lambda value: value is None or _is_component(value), "a component with an id, or null")
_METRICS = (lambda value: isinstance(value, dict), "an object")
_COUNT = (_is_count, "a whole number from 0 on")
_FIELDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "key": (_is_text, "a string"),
    "status": (lambda value: value in list(Status), f"one of {', '.join(Status)}"),
    "reason": (lambda value: value is None or isinstance(value, str), "a string or null"),
    "protocol": (lambda value: value in PROTOCOLS, f"one of {', '.join(PROTOCOLS)}"),
    "dataset": _COMPONENT,
    "representation": _COMPONENT,
    "model": _COMPONENT,
    "defense": _COMPONENT,
    "attack": _COMPONENT_OR_NONE,
    "target": _COMPONENT_OR_NONE,
    "fold": _COUNT,
    "seed": _COUNT,
    "reached": (lambda value: value is None or isinstance(value, bool), "true, false or null"),
    "metrics": _METRICS,
    "reports": _METRICS,
    "flags": (_is_flags, "a list of strings"),
}
