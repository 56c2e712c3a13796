"""The page: one HTML file with its style, its script and its data inside, which needs no network."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from soundproof.boards import charts, columns, glossary
from soundproof.boards.formats import interval, written
from soundproof.boards.headlines import headlines, told_apart
from soundproof.boards.listening import hearings
from soundproof.boards.measures import BOARDS, measure
from soundproof.boards.numbers import counted, measured
from soundproof.boards.payload import KINDS, badge, datasets_of, payload
from soundproof.boards.tables import heard
from soundproof.boards.templating import environment
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from soundproof.boards.columns import Column, Line, Sheet
    from soundproof.boards.entries import Boards
    from soundproof.boards.provenance import Provenance

# Rows that stand in the page itself, for readers without its script.
PLAIN = 50
# Rows of each table of sounds.
HEARD = 400
_SOUND = ("survival", *(name for name in BOARDS["sound"] if name not in BOARDS["robustness"]))


def page(boards: Boards, source: Provenance, run: Mapping[str, Any], further: Sequence[str] = ()) -> str:
    """The whole of `index.html`.

    Args:
        boards: What it shows.
        source: Of the numbers, in words.
        run: Provenance itself.
        further: Pages beside it.
    """
    sheets = {"classifiers": columns.classifiers(boards), "attacks": columns.attacks(boards)}
    content = payload(boards, sheets, run)
    classes = {called: noted.get("classes") or () for called, noted in datasets_of(boards, run).items()}
    templates = environment()
    scripts = [templates.get_template(name).render() for name in ("theme.js", "page.js")]
    readings = glossary.how_to_read(
        source.budget, source.target, grey_box=boards.grey_box, attacks=boards.averaged
    )
    return templates.get_template("index.html.j2").render(
        source=source,
        further=further,
        readings=readings,
        intervals=glossary.INTERVALS,
        explained=_explained(sheets, ("transfer_ratio", *(_SOUND if boards.sounds else ()))),
        badges=[badge(flag) for flag in boards.flags],
        headlines=headlines(boards),
        told_apart=told_apart(boards),
        cells={str(status): boards.cells.get(status, 0) for status in Status},
        sheet=sheets["classifiers"],
        attacks=sheets["attacks"],
        shown=[column for column in sheets["classifiers"].columns if column.shown],
        several=len({line.name.dataset for line in sheets["classifiers"].lines}) > 1,
        plain=PLAIN,
        counts=_counts(sheets["classifiers"]),
        scatters=charts.scatters(boards),
        charts=charts,
        facets=_facets(sheets),
        sections=_sections(content, sound=bool(boards.sounds)),
        heard=heard(boards),
        heard_rows=HEARD,
        hearings=hearings(boards.recorded, classes),
        counted=counted,
        written=written,
        interval=interval,
        badge=badge,
        payload=_json(content),
        scripts=[Markup(script) for script in scripts],  # noqa: S704 - this project's own files
        hashes=" ".join(map(_hash, scripts)),
    )


def _json(content: Mapping[str, Any]) -> Markup:
    """JSON as it may stand in a script element: nothing in it can end the element."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    escaped = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(escaped.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))  # noqa: S704


def _explained(sheets: Mapping[str, Sheet], further: Iterable[str]) -> list[Column]:
    """Every column, once, and the measures that no sheet has."""
    found: dict[str, Column] = {}
    for column in (column for sheet in sheets.values() for column in sheet.columns):
        found.setdefault(column.name, column)
    for name in further:
        words = measured(name)
        found.setdefault(name, columns.Column(name, words.title, words.meaning, measure(name).unit))
    return list(found.values())


def _counts(sheet: Sheet) -> str:
    """The clips behind the numbers, said once."""
    tested = _range(sheet.lines, "accuracy") or _range(sheet.lines, "robust_accuracy")
    attacked = _range(sheet.lines, "fooling_rate")
    parts = (f"n = {tested} test clips" if tested else "", f"{attacked} of them attacked" if attacked else "")
    return ", ".join(filter(None, parts))


def _range(lines: Iterable[Line], name: str) -> str:
    counts = [line.numbers[name].n for line in lines if name in line.numbers]
    if not counts:
        return ""
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def _facets(sheets: Mapping[str, Sheet]) -> dict[str, list[str]]:
    """Choices by facet; a facet with a single value is no choice."""
    lines = [line for sheet in sheets.values() for line in sheet.lines]
    found: dict[str, set[str]] = {kind: {str(getattr(line.name, kind)) for line in lines} for kind in KINDS[:4]}
    found["attack"] = {str(line.attack) for line in lines if line.attack is not None}
    return {kind: sorted(values) for kind, values in found.items() if len(values) > 1}


def _sections(content: Mapping[str, Any], *, sound: bool) -> Sequence[str]:
    """The parts of the page that have something to show."""
    present = {
        "curves": any(section.get("sizes") or section.get("costs") for section in content["sections"]),
        "sweeps": bool(content["sweeps"]),
        "transfers": bool(content["heats"]),
        "sound": sound,
        "pictures": bool(content["pictures"]),
        "unscored": bool(content["unscored"]),
    }
    return [name for name, there in present.items() if there]


def _hash(script: str) -> str:
    """Name by which the page's security policy lets a script run; nothing else in the page can."""
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
