"""Whether a data set keeps its contract: what any plugin returned is looked at before a number depends on it."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.contract.identity import coordinate, label
from soundproof.errors import DataError, PluginError, SoundproofError, raised_at
from soundproof.types import ClipIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from soundproof.contract.components import Dataset

_SHOWN = 3
# Rows that are looked at together, so that no copy of all clips is made.
_ROWS = 256


def read_index(dataset: Dataset, root: Path) -> ClipIndex:
    """The index of a data set, as the contract wants it.

    Args:
        dataset: Of any plugin.
        root: The data folder.

    Raises:
        DataError: Audio is missing or damaged, clips are of one class, or names or groups contradict each other.
        PluginError: `index` raised something else, or what it returned is not a `ClipIndex` as documented.
    """
    index: ClipIndex = _called(dataset, "index", lambda: dataset.index(root))
    problems = list(_flaws(index))
    if problems:
        raise PluginError([f"{_name(dataset)}: index(): {problem}" for problem in problems])
    heard = np.unique(index.labels)
    if len(heard) < 2:
        only = index.classes[heard[0]]
        raise DataError(f"{_name(dataset)}: all clips are of the class {only!r}; it takes at least two classes")
    return index


def read_waveforms(dataset: Dataset, root: Path, rate: int, index: ClipIndex) -> npt.NDArray[np.float32]:
    """The clips of a data set, decoded, as the contract wants them, and as they were when `index` was made.

    Args:
        dataset: Of any plugin.
        root: The data folder.
        rate: Sampling rate, Hz.
        index: What `read_index` returned, without augmented copies.

    Returns:
        `[N, seconds * rate]` in [-1, 1].

    Raises:
        DataError: Audio is damaged or changed since the index was made, or the same clip lies in two groups.
        PluginError: `waveforms` raised something else, or returned another shape or type or samples outside of
            [-1, 1].
    """
    waveforms = _called(dataset, "waveforms", lambda: dataset.waveforms(root, rate))
    expected = (len(index.names), dataset.sample_count(rate))
    problem = waveforms_flaw(waveforms, expected, index.names)
    if problem is not None:
        raise PluginError(f"{_name(dataset)}: waveforms(rate={rate}): {problem}")
    if _called(dataset, "index", lambda: dataset.index(root)).checksum != index.checksum:
        raise DataError(f"{_name(dataset)}: its audio changed while it was read; leave it alone and run again")
    # A published distribution is taken as it is: nobody should have to change it.
    doubles = [] if dataset.folder else list(_doubles(waveforms, index))
    if doubles:
        more = f" (and {len(doubles) - _SHOWN} more pairs)" if len(doubles) > _SHOWN else ""
        pairs = ", ".join(f"{one!r} and {other!r}" for one, other in doubles[:_SHOWN])
        raise DataError(
            f"{_name(dataset)}: the same clip in two groups: {pairs}{more}; one may then test what was trained on "
            "the other: remove one of them, or give them one group"
        )
    return waveforms  # type: ignore[no-any-return] # looked at above


def waveforms_flaw(waveforms: Any, expected: tuple[int, int], names: Sequence[str]) -> str | None:
    """Flaw of what `waveforms` returned for clips of these names, or None: shape, type, range."""
    return _misshapen(waveforms, expected) or _out_of_range(waveforms, names)


def _name(dataset: Dataset) -> str:
    return f"data set {label(coordinate(dataset))}"


def _called(dataset: Dataset, method: str, call: Callable[[], Any]) -> Any:
    """Result of a method; whatever it raised becomes one line that names it."""
    try:
        return call()
    except SoundproofError:
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise DataError(f"{_name(dataset)}: {where}{error.strerror or error}; make it readable") from error
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"{_name(dataset)}: {method}() raised {type(error).__name__}: {error} ({raised_at(error)}); mend the "
            "plugin, or leave the data set out"
        ) from error


def _flaws(index: object) -> Iterator[str]:
    """Flaws of an index: where it is not as `ClipIndex` documents it."""
    if not isinstance(index, ClipIndex):
        yield f"returned {type(index).__name__}, not a ClipIndex"
        return
    yield from _wrong_names("names", index.names, 1)
    yield from _wrong_names("classes", index.classes, 2)
    clips = len(index.names) if isinstance(index.names, tuple) else None
    yield from _wrong_numbers("labels", index.labels, clips)
    yield from _wrong_numbers("groups", index.groups, clips)
    if index.folds is not None:
        yield from _wrong_numbers("folds", index.folds, clips)
        yield from _outside("folds", index.folds, ClipIndex.VALIDATION, None)
    yield from _outside("labels", index.labels, 0, len(index.classes))
    if not (isinstance(index.checksum, str) and index.checksum):
        yield f"checksum must be a string that changes with the audio, not {index.checksum!r}"


def _wrong_names(what: str, names: object, least: int) -> Iterator[str]:
    if not isinstance(names, tuple) or not all(isinstance(name, str) and name for name in names):
        yield f"{what} must be a tuple of strings, not {_described(names)}"
    elif len(names) < least:
        yield f"{what} holds {len(names)} names; it takes at least {least}"
    else:
        twice = [name for name, times in Counter(names).items() if times > 1]
        if twice:
            yield f"{what} must be unique, but {', '.join(map(repr, twice[:_SHOWN]))} comes more than once"


def _wrong_numbers(what: str, numbers: object, clips: int | None) -> Iterator[str]:
    if not isinstance(numbers, np.ndarray) or numbers.dtype != np.int64 or numbers.ndim != 1:
        yield f"{what} must be an int64 array with a number a clip, not {_described(numbers)}"
    elif clips is not None and len(numbers) != clips:
        yield f"{what} has {len(numbers)} numbers for {clips} clips"


def _outside(what: str, numbers: object, low: int, high: int | None) -> Iterator[str]:
    if not isinstance(numbers, np.ndarray) or numbers.dtype.kind not in "iu" or not numbers.size:
        return
    beyond = [
        int(end) for end in (numbers.min(), numbers.max()) if end < low or (high is not None and end >= high)
    ]
    if beyond:
        limit = f"at least {low}" if high is None else f"from {low} to {high - 1}"
        yield f"{what} must be {limit}, not {beyond[0]}"


def _described(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {list(value.shape)}"
    shape = getattr(value, "shape", None)
    return type(value).__name__ if shape is None else f"{type(value).__name__} {list(shape)}"


def _misshapen(waveforms: object, expected: tuple[int, int]) -> str | None:
    if isinstance(waveforms, np.ndarray) and waveforms.dtype == np.float32 and waveforms.shape == expected:
        return None
    return f"must return float32 {list(expected)} (clips, samples), not {_described(waveforms)}"


def _out_of_range(waveforms: npt.NDArray[np.float32], names: Sequence[str]) -> str | None:
    for start in range(0, len(waveforms), _ROWS):
        rows = waveforms[start : start + _ROWS]
        # NaN compares with nothing, so that it is found, too.
        within = (rows >= -1).all(axis=1) & (rows <= 1).all(axis=1)
        if not within.all():
            row = int(np.argmin(within))
            wrong = "NaN" if np.isnan(rows[row]).any() else f"samples up to {float(np.abs(rows[row]).max()):.4g}"
            return f"samples must lie in [-1, 1], but clip {names[start + row]!r} holds {wrong}; scale or mend it"
    return None


def _doubles(waveforms: npt.NDArray[np.float32], index: ClipIndex) -> Iterator[tuple[str, str]]:
    """Pairs of clips that are the same, sample by sample, and lie in different groups; silence is nobody's."""
    first: dict[bytes, int] = {}
    for row, clip in enumerate(waveforms):
        if clip.any():
            other = first.setdefault(hashlib.sha256(clip.tobytes()).digest(), row)
            if index.groups[other] != index.groups[row]:
                yield index.names[other], index.names[row]
