"""Reports of a gate in the forms that continuous integration reads: JSON, JUnit XML, Markdown, annotations."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from soundproof.gate.verdict import Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from soundproof.gate.verdict import Finding, Report

# Bytes. GitHub refuses a step summary of more than 1 MiB.
LONGEST = 900_000
# GitHub shows so many annotations of one step.
ANNOTATIONS = 10
_FAILING = (Result.REGRESSION, Result.FLAGGED, Result.FAILED, Result.MISSING, Result.INCOMPARABLE)
# Characters that XML 1.0 has no word for, halves of characters among them.
_NO_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def counts(report: Report) -> str:
    """Numbers of findings in one line: `38 passed, 2 warning`."""
    found = [(len(report.of(result)), result) for result in Result]
    return ", ".join(f"{count} {result}" for count, result in found if count) or "nothing to compare"


def line(finding: Finding) -> str:
    """A finding in one line."""
    what = f"{finding.title}: {finding.metric}" if finding.metric else finding.title
    numbers = ""
    if finding.before is not None and finding.after is not None and finding.change is not None:
        numbers = f" {finding.before:.4g} → {finding.after:.4g} ({finding.change:+.4g}, {finding.clips} clips"
        numbers += f", p {finding.p:.2g}" if finding.p is not None else ""
        numbers += f", would see {finding.detectable:.2g}" if finding.detectable is not None else ""
        numbers += ")"
    return f"{finding.result}: {what}{numbers}" + (f": {finding.says}" if finding.says else "")


def text(report: Report) -> str:
    """What a terminal shows: everything but what passed."""
    shown = [finding for finding in report.findings if finding.result is not Result.PASSED]
    lines = [line(finding) for finding in shown[:40]]
    if len(shown) > 40:
        lines.append(f"… and {len(shown) - 40} more; all are in the reports")
    return "\n".join([*lines, *report.notes, f"gate: {counts(report)}"])


def as_json(report: Report, code: int) -> str:
    """Everything, for programs."""
    content = {
        "schema": 1,
        "code": code,
        "baseline": report.baseline,
        "candidate": report.candidate,
        "notes": report.notes,
        "findings": [vars(finding) for finding in report.findings],
    }
    return json.dumps(content, indent=1) + "\n"


def junit(report: Report) -> bytes:
    """A test case a comparison, as continuous integration servers read it."""
    suite = ET.Element("testsuite", name="bench gate", tests=str(len(report.findings)))
    suite.set("failures", str(len(report.of(*_FAILING))))
    for finding in report.findings:
        case = ET.SubElement(suite, "testcase", classname=_encodable(finding.title), name=finding.metric or "row")
        if finding.result in _FAILING:
            failure = ET.SubElement(case, "failure", type=finding.result, message=_encodable(finding.says))
            failure.text = _encodable(line(finding))
        elif finding.result is not Result.PASSED:
            ET.SubElement(case, "system-out").text = _encodable(line(finding))
    ET.indent(suite)
    content: bytes = ET.tostring(suite, encoding="utf-8", xml_declaration=True)
    return content


def _encodable(words: str) -> str:
    return _NO_TEXT.sub("\ufffd", words)


def markdown(report: Report, code: int) -> str:
    """A step summary: the verdict, and a table of everything that is not as before."""
    verdict = {0: "passed", 1: "failed: regression", 3: "cannot tell: no comparable baseline"}
    verdict |= {4: "failed: missing or failed cells", 5: "inconclusive"}
    head = [f"### bench gate {verdict[code]}", "", counts(report), ""]
    head += [f"* {_cell(note)}" for note in report.notes] + ([""] if report.notes else [])
    rows = [finding for finding in report.findings if finding.result is not Result.PASSED]
    lines = [*head]
    if rows:
        lines += ["| | configuration | metric | before | after | change | p | would see |", "|-|-|-|-|-|-|-|-|"]
    size = sum(len(each.encode()) + 1 for each in lines)
    for number, finding in enumerate(rows):
        row = _row(finding)
        size += len(row.encode()) + 1
        if size > LONGEST:
            lines.append(f"| | … and {len(rows) - number} more | | | | | | |")
            break
        lines.append(row)
    return "\n".join(lines) + "\n"


def _row(finding: Finding) -> str:
    says = f"{finding.title} ({finding.says})" if finding.says else finding.title
    numbers = [finding.before, finding.after, finding.change, finding.p, finding.detectable]
    cells = [finding.result, _cell(says), finding.metric]
    return f"| {' | '.join([*cells, *('' if number is None else f'{number:.3g}' for number in numbers)])} |"


def _cell(words: str) -> str:
    """Text that neither ends a cell nor is read as markup."""
    return re.sub(r"([\\`*_\[\]<>|~])", r"\\\1", " ".join(_encodable(words).split()))


def workflow_commands(report: Report) -> Iterator[str]:
    """Workflow commands that put errors on GitHub's page of a run, ten at most."""
    failing: Sequence[Finding] = report.of(*_FAILING)
    shown = failing[: ANNOTATIONS - 1] if len(failing) > ANNOTATIONS else failing
    for finding in shown:
        yield f"::error title=bench gate::{_escaped(line(finding))}"
    if len(failing) > len(shown):
        yield f"::error title=bench gate::and {len(failing) - len(shown)} more"


def _escaped(words: str) -> str:
    return words.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
