"""Verdict of a gate: what became worse than the tolerances allow, by more than chance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.contract.identity import label
from soundproof.gate.outcomes import OVER_ALL, same_dataset
from soundproof.gate.rules import Direction
from soundproof.gate.significance import ALPHA, DRAWS, detectable, p_value
from soundproof.results.flags import FLAGS
from soundproof.results.places import holm
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from soundproof.gate.outcomes import Column, Entry, Side
    from soundproof.gate.rules import Rule

    Array = npt.NDArray[Any]

# Versions that may change numbers; others are noted and not named.
_VERSIONS = ("soundproof", "python", "torch", "numpy", "device", "threads", "core")


class Result(StrEnum):
    """Result of one comparison, the worst first."""

    REGRESSION = "regression"
    FLAGGED = "flagged"
    FAILED = "failed"
    MISSING = "missing"
    INCOMPARABLE = "incomparable"
    WARNING = "warning"
    IMPROVED = "improved"
    NEW = "new"
    PASSED = "passed"


@dataclass(frozen=True)
class Finding:
    """One metric of one configuration, or something about the configuration itself.

    Attributes:
        title: The configuration in words.
        metric: Empty where it is about all of them.
        result: What was found.
        says: Why, in one line.
        before: The baseline's value.
        after: The candidate's.
        change: Mean paired difference over the clips that both have, after minus before.
        p: Corrected for the number of comparisons; None where nothing was tested.
        detectable: The smallest effect that would have been found with a power of 80 %.
        clips: That both have.
        recordings: That they come from.
        tolerance: What was allowed.
    """

    title: str
    metric: str
    result: Result
    says: str = ""
    before: float | None = None
    after: float | None = None
    change: float | None = None
    p: float | None = None
    detectable: float | None = None
    clips: int = 0
    recordings: int = 0
    tolerance: float | None = None


@dataclass(frozen=True)
class Report:
    """Report of a gate.

    Attributes:
        baseline: What the baseline is called.
        candidate: What was compared with it.
        findings: The worst first.
        notes: What a reader should know besides.
    """

    baseline: str
    candidate: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    def of(self, *results: Result) -> list[Finding]:
        """The findings with one of these results."""
        return [finding for finding in self.findings if finding.result in results]

    @property
    def tested(self) -> int:
        """Comparisons that were made."""
        return sum(finding.change is not None for finding in self.findings)

    def code(self, *, strict: bool = False) -> int:
        """Exit code: 0 pass, 1 regression, 3 incomparable, 4 missing or failed cells, 5 inconclusive if strict."""
        if self.of(Result.REGRESSION, Result.FLAGGED):
            return 1
        if self.of(Result.FAILED, Result.MISSING):
            return 4
        if self.of(Result.INCOMPARABLE) or not self.tested:
            return 3
        return 5 if strict and self.of(Result.WARNING) else 0


@dataclass(frozen=True, eq=False)
class _Pair:
    """One metric on both sides, clip by clip.

    Attributes:
        finding: Without result.
        rule: Of the metric.
        sums: How much worse each recording became, in units of `scale`; None where the metric is no mean of clips.
        scale: Units of one clip's difference.
    """

    finding: Finding
    rule: Rule
    sums: Array | None = None
    scale: float = 1.0

    @property
    def two_sided(self) -> bool:
        return self.rule.direction is Direction.BOTH


def judge(baseline: Side, candidate: Side, rules: Mapping[str, Rule]) -> Report:
    """Compare two runs configuration by configuration.

    Args:
        baseline: What is expected.
        candidate: What is to be as good.
        rules: By metric.
    """
    notes = list(_notes(baseline, candidate))
    other_suite = baseline.suite != candidate.suite
    if other_suite:
        says = f"the baseline is of the suite {baseline.suite!r}, the candidate of {candidate.suite!r}"
        finding = Finding("everything", "", Result.INCOMPARABLE, says)
        return Report(baseline.name, candidate.name, (finding,), tuple(notes))
    findings: list[Finding] = []
    pairs: list[_Pair] = []
    for place, before in baseline.entries.items():
        flaw = _flaw(before, candidate.entries.get(place), baseline, candidate)
        if flaw is not None:
            findings.append(flaw)
            continue
        after = candidate.entries.get(place)
        if after is None or before.status is not Status.OK:
            continue
        findings += _new_flags(before, after)
        pairs += _pairs(before, after, candidate.groups[same_dataset(before.place)], rules)
    for place, after in candidate.entries.items():
        if place not in baseline.entries and (after.metrics or after.status.broken):
            result = Result.FAILED if after.status.broken else Result.NEW
            findings.append(Finding(after.title, "", result, after.reason or "not in the baseline"))
    findings += _decided(pairs)
    order = list(Result)
    findings.sort(key=lambda finding: order.index(finding.result))
    return Report(baseline.name, candidate.name, tuple(findings), tuple(notes))


def _notes(baseline: Side, candidate: Side) -> Iterator[str]:
    for name in _VERSIONS:
        before, after = baseline.environment.get(name), candidate.environment.get(name)
        if before != after:
            yield f"{name}: {before} in the baseline, {after} in the candidate"
    if dict(baseline.table) != dict(candidate.table):
        yield "the suite's [gate] has changed; that of the candidate counts"


def _flaw(before: Entry, after: Entry | None, baseline: Side, candidate: Side) -> Finding | None:
    """Why a configuration cannot be compared, or None."""
    if after is not None and after.status.broken:
        return Finding(before.title, "", Result.FAILED, f"{after.status}: {after.reason}")
    if not before.metrics:
        return None
    if after is None:
        return Finding(before.title, "", Result.MISSING, "the candidate has no such row")
    if after.status is not Status.OK:
        return Finding(before.title, "", Result.MISSING, f"{after.status}: {after.reason}")
    dataset = same_dataset(before.place)
    if baseline.datasets.get(dataset) != candidate.datasets.get(dataset):
        says = f"the clips of {label(before.place['dataset'])} are others than the baseline's"
        return Finding(before.title, "", Result.INCOMPARABLE, says)
    if not before.keys & after.keys:
        says = "the budget, folds or seeds are others than the baseline's"
        return Finding(before.title, "", Result.INCOMPARABLE, says)
    return None


def _new_flags(before: Entry, after: Entry) -> Iterator[Finding]:
    for flag in sorted(after.flags - before.flags):
        if flag in FLAGS and FLAGS[flag].unranks:
            yield Finding(after.title, "", Result.FLAGGED, f"new flag {flag}: {FLAGS[flag].meaning}")


def _pairs(before: Entry, after: Entry, groups: Array, rules: Mapping[str, Rule]) -> Iterator[_Pair]:
    for metric, rule in rules.items():
        was, now = before.metrics.get(metric), after.metrics.get(metric)
        if was is None:
            continue
        finding = Finding(before.title, metric, Result.PASSED, before=was.value, tolerance=rule.tolerance)
        if now is None:
            yield _Pair(replace(finding, result=Result.MISSING, says="the candidate does not have it"), rule)
            continue
        finding = replace(finding, after=now.value, change=now.value - was.value, clips=min(was.n, now.n))
        here, there = before.columns.get(metric), after.columns.get(metric)
        if here is None or there is None:
            yield _Pair(finding, rule)
            continue
        if metric in OVER_ALL and not np.array_equal(here.clips, there.clips):
            says = "the test clips are others than the baseline's"
            yield _Pair(replace(finding, result=Result.INCOMPARABLE, change=None, says=says), rule)
            continue
        yield paired(finding, rule, here, there, groups)


def paired(finding: Finding, rule: Rule, before: Column, after: Column, groups: Array) -> _Pair:
    """One metric on both sides, summed by recording."""
    clips, here, there = np.intersect1d(before.clips, after.clips, assume_unique=True, return_indices=True)
    if not len(clips):
        return _Pair(replace(finding, result=Result.INCOMPARABLE, change=None, says="no clip in common"), rule)
    runs = before.runs[here], after.runs[there]
    change = after.total[there] / runs[1] - before.total[here] / runs[0]
    scale = 1.0
    if before.whole and after.whole:
        # Shares of the same few folds and seeds become whole numbers, whose sums have a known distribution.
        scale = float(np.lcm.reduce(np.concatenate(runs)))
        change = np.round(change * scale)
    worse = -change if rule.direction is Direction.HIGHER else change
    recordings, member = np.unique(groups[clips], return_inverse=True)
    finding = replace(finding, change=float(change.mean() / scale), clips=len(clips), recordings=len(recordings))
    return _Pair(finding, rule, np.bincount(member, weights=worse), scale)


def _decided(pairs: Sequence[_Pair]) -> Iterator[Finding]:
    """Every comparison with its result, corrected for the number of tests."""
    tested = [pair for pair in pairs if pair.sums is not None]
    # So many draws that the smallest p-value can still pass the correction.
    draws = max(DRAWS, 40 * len(tested))
    raw = [p_value(pair.sums, two_sided=pair.two_sided, draws=draws) for pair in tested if pair.sums is not None]
    corrected = dict(zip(map(id, tested), holm(np.array(raw)).tolist(), strict=True))
    for pair in pairs:
        if pair.sums is None:
            yield pair.finding if pair.finding.result is not Result.PASSED else _untested(pair)
            continue
        p = corrected[id(pair)]
        least = detectable(pair.sums, pair.finding.clips, len(tested), two_sided=pair.two_sided) / pair.scale
        yield _result(pair, replace(pair.finding, p=p, detectable=least))


def _result(pair: _Pair, finding: Finding) -> Finding:
    rule, change, p = pair.rule, finding.change or 0.0, finding.p or 0.0
    worsening = rule.direction.worsening(change)
    if rule.hard is not None and worsening > rule.hard:
        return replace(
            finding, result=Result.REGRESSION, says=f"more than {rule.hard:g} worse, whatever the test says"
        )
    if worsening <= rule.tolerance:
        better = -worsening > rule.tolerance and p_value(-_sums(pair), two_sided=False) < ALPHA
        return replace(finding, result=Result.IMPROVED if better else Result.PASSED)
    if p < ALPHA:
        says = f"more than {rule.tolerance:g} worse, and by more than chance"
        return replace(finding, result=Result.REGRESSION, says=says)
    says = f"more than {rule.tolerance:g} worse, which may be chance"
    return replace(finding, result=Result.WARNING, says=says)


def _sums(pair: _Pair) -> Array:
    assert pair.sums is not None
    return pair.sums


def _untested(pair: _Pair) -> Finding:
    """A metric that is no mean over clips: beyond its tolerance it warns, beyond the hard limit it fails."""
    worsening = pair.rule.direction.worsening(pair.finding.change or 0.0)
    if pair.rule.hard is not None and worsening > pair.rule.hard:
        says = f"more than {pair.rule.hard:g} worse"
        return replace(pair.finding, result=Result.REGRESSION, says=says)
    if worsening > pair.rule.tolerance:
        says = f"more than {pair.rule.tolerance:g} worse; it is no mean over clips, so it is not tested"
        return replace(pair.finding, result=Result.WARNING, says=says)
    return pair.finding
