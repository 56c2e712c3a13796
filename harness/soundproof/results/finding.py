"""Findings: what the checks say of a run, as it is kept in `checks.jsonl`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = 1
_PLACES = ("dataset", "representation", "model", "defense", "fold", "seed")


@dataclass(frozen=True, eq=False)
class Finding:
    """What one check says of one classifier.

    Attributes:
        check: Its id.
        verdict: `passed`, `not applicable`, `not run` or `flagged`.
        flag: What it puts on rows; None where it puts nothing.
        place: Coordinates of the classifier, its fold and seed.
        said: What it looked at, or why it did not look.
        remedy: What to do about it; empty unless flagged.
        clips: Rows of the data set's index that are evidence, some of them.
        numbers: Further evidence.
        rows: Keys of the rows that carry the flag.
        follows: The check that explains it, whose flag stands for both.
    """

    check: str
    verdict: str
    flag: str | None
    place: Mapping[str, Any]
    said: str
    remedy: str = ""
    clips: tuple[int, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[str, ...] = ()
    follows: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As a line of `checks.jsonl`."""
        own = {name: value for name, value in vars(self).items() if name != "place"}
        return {"schema": SCHEMA, **self.place, **own, "clips": list(self.clips), "rows": list(self.rows)}

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Finding:
        """The inverse.

        Raises:
            KeyError, TypeError, ValueError: It is no finding of this schema.
        """
        if line["schema"] != SCHEMA:
            raise ValueError(f"schema {line['schema']}, and this version reads {SCHEMA}")
        own = {name: line[name] for name in cls.__dataclass_fields__ if name != "place"}
        place = {name: line[name] for name in _PLACES}
        return cls(**{**own, "clips": tuple(own["clips"]), "rows": tuple(own["rows"])}, place=place)
