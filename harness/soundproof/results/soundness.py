"""Whether rows and their samples belong together; a row that does not fit is set aside, and nothing else.

Causes seen: files of two runs in one folder, a damaged file, a classifier that answers at random and does not say
so (its attacks then work on different clips).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.measuring.place import COORDINATES
from soundproof.measuring.protocols import PROTOCOLS
from soundproof.measuring.scene import Scene
from soundproof.results.files import Results, groups_name
from soundproof.results.flags import UNSOUND
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt

    from soundproof.results.files import Row

    Fields = dict[str, npt.NDArray[Any]]

# Neither the number of classes nor the input size: what depends on them is not checked.
_SCENE = Scene(np.empty(0, np.int64), 0, 0)
# Rows keep 6 significant digits and samples may be float32; anything beyond is another number.
_AGREE = 1e-4
_ATTACKING = ("bounded", "reach")
# Fields with a length of their own: learning curves, budget curves, rungs of a ladder, and all test clips.
_OTHER_LENGTHS = ("tested", "curve_", "rung_", "model_", "defense_")


def screened(results: Results) -> Results:
    """The same results, in which rows that do not fit their samples are `invalid`, with a reason and a flag."""
    problems = dict(_problems(results))
    if not problems:
        return results
    rows = [_set_aside(row, problems[id(row)]) if id(row) in problems else row for row in results.rows]
    return replace(results, rows=rows)


def _set_aside(row: Row, problem: str) -> Row:
    flags = tuple(sorted({*row.flags, UNSOUND}))
    return replace(row, status=Status.INVALID, reason=problem, metrics={}, reports={}, flags=flags)


def _problems(results: Results) -> Iterator[tuple[int, str]]:
    """Rows by identity, each with the first thing that is wrong with it."""
    seen: set[tuple[object, ...]] = set()
    sound: list[Row] = []
    for row in results.rows:
        if row.status is not Status.OK:
            continue
        problem = "it stands twice in the results" if row.lookup in seen else _problem(results, row)
        seen.add(row.lookup)
        if problem:
            yield id(row), problem
        else:
            sound.append(row)
    yield from _on_other_clips(results, sound)


def _problem(results: Results, row: Row) -> str:
    checks = (_odd_metric(row), _odd_samples(results, row))
    return next(filter(None, checks), "") or _odd_number(row, results.fields(row))


def _odd_metric(row: Row) -> str:
    for name, metric in {**row.metrics, **row.reports}.items():
        # NaN is in no interval either.
        if not metric.low <= metric.value <= metric.high or metric.n < 0:
            return f"its {name} is {metric.value:g} in an interval of {metric.low:g} to {metric.high:g}"
    return ""


def _odd_samples(results: Results, row: Row) -> str:
    fields, groups = results.fields(row), results.samples.get(groups_name(row.dataset))
    missing = [name for name in PROTOCOLS[row.protocol].fields if name not in fields]
    if groups is None:
        missing.append(groups_name(row.dataset))
    if missing:
        return f"samples missing: {', '.join(missing)}"
    sizes = {name: np.shape(array) for name, array in fields.items() if not name.startswith(_OTHER_LENGTHS)}
    odd = [name for name, size in sizes.items() if len(size) != 1 or size != sizes["clip"]]
    if odd:
        return f"samples of other lengths than its {sizes['clip'][0]} clips: {', '.join(sorted(odd))}"
    for name in ("clip", "tested"):
        if name in fields and not _rows_of(fields[name], len(np.asarray(groups))):
            return f"samples of clips that its data set does not have: {name}"
    return ""


def _rows_of(clips: npt.NDArray[Any], number: int) -> bool:
    """Whether they are different rows of an index of so many."""
    clips = np.asarray(clips)
    if clips.ndim != 1 or (clips.size and not np.issubdtype(clips.dtype, np.integer)):
        return False
    if not ((clips >= 0) & (clips < number)).all():
        return False
    # Nearly always they ascend, which is quicker to see.
    return bool((clips[1:] > clips[:-1]).all()) or len(np.unique(clips)) == len(clips)


def _odd_number(row: Row, fields: Fields) -> str:
    """A metric that its own samples do not give."""
    arrays = {name: np.asarray(array) for name, array in fields.items()}
    for name, part in PROTOCOLS[row.protocol].parts(arrays, _SCENE).items():
        if name in row.metrics:
            value, noted = part.value, row.metrics[name].value
            if not math.isclose(value, noted, rel_tol=_AGREE, abs_tol=_AGREE * _AGREE):
                return f"its {name} is {noted:g}, and {value:g} by its samples"
    return ""


def _on_other_clips(results: Results, rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    """Attacked clips are those that the classifier gets right: of all attacks the same."""
    classifiers: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        classifiers.setdefault(_classifier(row), []).append(row)
    for each in classifiers.values():
        attacked = [row for row in each if row.protocol in _ATTACKING]
        sets = {id(row): _clips(results, row) for row in attacked}
        right = [_clips(results, row) for row in each if row.protocol == "clean"]
        expected = right[0] if right else _most_common(sets.values())
        for row in attacked:
            if sets[id(row)] != expected:
                yield id(row), "attacked other clips than those that its classifier gets right: is it random?"


def _classifier(row: Row) -> tuple[object, ...]:
    return (*(row.words[name] for name in COORDINATES[:4]), row.fold, row.seed)


def _clips(results: Results, row: Row) -> bytes:
    """The clips that are right when clean, as something to compare."""
    fields = results.fields(row)
    clips = np.asarray(fields["clip"], dtype=np.int64)
    if row.protocol == "clean":
        clips = clips[np.asarray(fields["label"]) == np.asarray(fields["prediction"])]
    return clips.tobytes()


def _most_common(sets: Iterable[bytes]) -> bytes | None:
    """Content that more rows have than any other; None if there is no such thing."""
    ranked = Counter(sets).most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]
