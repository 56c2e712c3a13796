"""What the checks say of each classifier, in the words of its section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from soundproof.digest import canonical
from soundproof.results.checks import BY_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from soundproof.boards.names import Name, Names
    from soundproof.results.files import Results
    from soundproof.results.finding import Finding


@dataclass(frozen=True)
class Examination:
    """Outcome of one check of a classifier, for all folds and seeds where it says the same.

    Attributes:
        check: Its id.
        title: Its question; the id again where this version does not know it.
        verdict: `passed`, `not applicable`, `not run` or `flagged`.
        flag: What it put on rows; None where it put nothing.
        said: What it looked at and found, with what to do about it.
        evidence: Clips by name, and numbers; empty where there are none.
        runs: Folds and seeds.
    """

    check: str
    title: str
    verdict: str
    flag: str | None
    said: str
    evidence: str
    runs: tuple[tuple[int, int], ...]


def examinations(results: Results, names: Names) -> dict[Name, tuple[Examination, ...]]:
    """All of a results folder; what is flagged comes first, then in the order of the checks."""
    classifiers = {_key(vars(row)): names.classifier(row) for row in results.rows}
    found: dict[Name, dict[tuple[Any, ...], list[tuple[int, int]]]] = {}
    for finding in results.findings:
        name = classifiers.get(_key(finding.place))
        if name is not None:
            of = (finding.check, finding.verdict, finding.flag, _said(finding), _evidence(finding, results))
            runs = found.setdefault(name, {}).setdefault(of, [])
            runs.append((finding.place["fold"], finding.place["seed"]))
    return {
        name: tuple(
            Examination(check, _title(check), verdict, flag, said, evidence, tuple(runs))
            for (check, verdict, flag, said, evidence), runs in sorted(each.items(), key=_order)
        )
        for name, each in found.items()
    }


def _key(place: Mapping[str, Any]) -> str:
    """Lookup key of a classifier of all folds and seeds."""
    return canonical([place[name] for name in ("dataset", "representation", "model", "defense")])


def _order(entry: tuple[tuple[Any, ...], Any]) -> tuple[bool, int]:
    (check, verdict, *_), _ = entry
    return verdict != "flagged", list(BY_ID).index(check) if check in BY_ID else len(BY_ID)


def _title(check: str) -> str:
    return BY_ID[check].title if check in BY_ID else check


def _said(finding: Finding) -> str:
    said = f"{finding.said}. {finding.remedy}".strip() if finding.remedy else finding.said
    return f"{said} (explained by {finding.follows})" if finding.follows else said


def _evidence(finding: Finding, results: Results) -> str:
    names = results.names(finding.place["dataset"]) if finding.clips else ()
    clips = ", ".join(names[clip] if clip < len(names) else f"clip {clip}" for clip in finding.clips)
    numbers = ", ".join(f"{name.replace('_', ' ')} {_number(value)}" for name, value in finding.numbers.items())
    return "; ".join(filter(None, (clips and f"for example {clips}", numbers)))


def _number(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
