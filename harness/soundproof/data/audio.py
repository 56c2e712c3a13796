"""Reads audio files into one array of equal clips, and finds every bad file while doing so.

Work runs in threads, one file each: hashing, decoding (libsndfile) and resampling (soxr) release the GIL.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import numpy as np
import soundfile
import soxr

from soundproof.digest import digest
from soundproof.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from soundproof.types import ClipIndex

SUFFIXES = frozenset({".flac", ".ogg", ".wav"})
# A float file may hold anything. 12 dB over full scale is no recording in [-1, 1] that overshoots a little:
# its samples are in another unit, e.g. 16-bit integers stored as floats.
LOUDEST = 4.0
_LARGEST_OGG_PAGE = 27 + 255 + 255 * 255

T = TypeVar("T")
_watcher: ContextVar[Callable[[int, int], None] | None] = ContextVar("watcher", default=None)


@contextmanager
def watched(callback: Callable[[int, int], None]) -> Iterator[None]:
    """Within this block, tell `callback(done, total)` of every file that is hashed or decoded."""
    token = _watcher.set(callback)
    try:
        yield
    finally:
        _watcher.reset(token)


def hashes(files: Sequence[Path], *, expected_rate: int | None = None) -> list[str]:
    """Check the headers of audio files and hash their content, without decoding them.

    Args:
        files: Any number of files.
        expected_rate: The sampling rate they all should have, Hz; None accepts any.

    Returns:
        The SHA-256 of every file, hexadecimal.

    Raises:
        DataError: Files are missing, unreadable, empty, cut short or of another rate; it lists all of them.
    """

    def work(_: int, path: Path) -> str:
        _check_header(path, expected_rate)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    return _each(work, files)


def read(
    files: Sequence[Path], rate: int, samples: int, *, expected_rate: int | None = None
) -> npt.NDArray[np.float32]:
    """Decode audio files to mono clips of one rate and length.

    Channels are averaged, the rate is converted by soxr at its quality HQ, and clips are then cut or padded
    with zeros at their end. Overshoots of lossy codecs and of resampling are clipped to [-1, 1].

    Args:
        files: One file a clip.
        rate: Sampling rate of the result, Hz.
        samples: Samples of a clip of the result.
        expected_rate: The sampling rate all files should have, Hz; None accepts any.

    Returns:
        `[len(files), samples]` in [-1, 1].

    Raises:
        DataError: What `hashes` finds, and files that do not decode, or hold NaN, infinite or far too large
            samples; it lists all of them.
    """
    clips = np.zeros((len(files), samples), dtype=np.float32)

    def work(row: int, path: Path) -> None:
        _check_header(path, expected_rate)
        mono, native = _decode(path)
        _fit(mono, native, rate, clips[row])

    _each(work, files)
    return clips


def resample(waveforms: npt.NDArray[np.float32], native: int, rate: int, samples: int) -> npt.NDArray[np.float32]:
    """Bring clips from their native rate to another, as `read` does.

    Args:
        waveforms: `[N, T]` in [-1, 1].
        native: Their rate, Hz.
        rate: Sampling rate of the result, Hz.
        samples: Samples of a clip of the result.

    Returns:
        `[N, samples]` in [-1, 1].
    """
    clips = np.zeros((len(waveforms), samples), dtype=np.float32)
    with ThreadPoolExecutor(thread_name_prefix="audio") as pool:
        list(pool.map(lambda row: _fit(waveforms[row], native, rate, clips[row]), range(len(clips))))
    return clips


def checksum(content: object, index: ClipIndex) -> str:
    """The checksum of a data set.

    Args:
        content: What determines the audio, as JSON: the hash of every file, or a generator's parameters.
        index: Names, labels, groups, folds and classes; its checksum is not looked at.
    """
    return digest(
        {
            "content": content,
            "names": index.names,
            "labels": index.labels.tolist(),
            "groups": index.groups.tolist(),
            "folds": None if index.folds is None else index.folds.tolist(),
            "classes": index.classes,
        }
    )


def _each(work: Callable[[int, Path], T], files: Sequence[Path]) -> list[T]:
    """Run `work(row, path)` for every file, and raise what was wrong with any of them as one DataError."""
    problems: list[tuple[int, str]] = []

    def guarded(row: int, path: Path) -> T | None:
        try:
            return work(row, path)
        except DataError as error:
            problems.extend((row, f"{path}: {problem}") for problem in error.problems)
        except OSError as error:
            problems.append((row, f"{path}: {error.strerror or error}; make it readable"))
        return None

    with ThreadPoolExecutor(thread_name_prefix="audio") as pool:
        watcher = _watcher.get()
        results = []
        for done, result in enumerate(pool.map(guarded, range(len(files)), files), start=1):
            results.append(result)
            if watcher is not None:
                watcher(done, len(files))
    if problems:
        raise DataError([problem for _, problem in sorted(problems)])
    return results  # type: ignore[return-value] # None stands only where there was a problem


def _check_header(path: Path, expected_rate: int | None) -> None:
    """Raise DataError with one problem, without the path, if the file's size and header tell of one."""
    if not path.is_file():
        raise DataError("missing; restore it from the original distribution")
    size = path.stat().st_size
    if size == 0:
        raise DataError("empty (0 bytes); replace it or remove it")
    with path.open("rb") as file:
        cut = _cut_short(file, size)
    if cut is not None:
        raise DataError(f"truncated: {cut}; download or copy it again")
    try:
        header = soundfile.info(path)
    except soundfile.LibsndfileError as error:
        raise DataError(
            f"not decodable ({error.error_string.strip('. ')}); replace it with a WAV, FLAC or Ogg file"
        ) from error
    if header.frames == 0:
        raise DataError("empty (0 samples); replace it or remove it")
    if expected_rate not in {None, header.samplerate}:
        raise DataError(f"its rate is {header.samplerate} Hz, not {expected_rate} Hz; use the original file")


def _cut_short(file: BinaryIO, size: int) -> str | None:
    """Sign in a RIFF or Ogg file that its end is missing, or None: libsndfile reads what is left of it."""
    head = file.read(12)
    if head[:4] in {b"RIFF", b"RIFX"}:
        declared = int.from_bytes(head[4:8], "little" if head[:4] == b"RIFF" else "big")
        # Streams leave 0 or the largest number there; many writers omit the last chunk's pad byte.
        if declared not in {0, 0xFFFFFFFF} and declared + 8 > size + 1:
            return f"its header promises {declared + 8} bytes, it has {size}"
    if head[:4] == b"OggS":
        file.seek(max(0, size - _LARGEST_OGG_PAGE))
        _, mark, page = file.read().rpartition(b"OggS")
        # A page: mark, version, flags (4 = last of the stream), 20 bytes, number of segments and their sizes.
        whole = len(page) > 22 and len(page) >= 23 + page[22] + sum(page[23 : 23 + page[22]])
        if not (mark and whole and page[1] & 4):
            return "its last Ogg page does not end the stream"
    return None


def _fit(mono: npt.NDArray[np.float32], native: int, rate: int, out: npt.NDArray[np.float32]) -> None:
    """Write a clip at another rate into a row of zeros, as much as there is room for."""
    if native != rate:
        mono = soxr.resample(mono, native, rate, quality="HQ")
    kept = min(len(mono), len(out))
    np.clip(mono[:kept], -1, 1, out=out[:kept])


def _decode(path: Path) -> tuple[npt.NDArray[np.float32], int]:
    """All samples of a file, channels averaged, and its rate; raises DataError like `_check_header`."""
    try:
        with soundfile.SoundFile(path) as file:
            promised, native = file.frames, file.samplerate
            sound = file.read(dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise DataError(
            f"truncated or damaged ({error.error_string.strip('. ')}); download or copy it again"
        ) from error
    if len(sound) < promised:
        raise DataError(f"truncated: {len(sound)} of {promised} samples decode; download or copy it again")
    mono: npt.NDArray[np.float32] = sound[:, 0] if sound.shape[1] == 1 else sound.mean(axis=1)
    finite = np.isfinite(mono)
    if not finite.all():
        raise DataError(f"{np.sum(~finite)} of {len(mono)} samples are NaN or infinite; replace it or remove it")
    peak = float(np.abs(mono).max())
    if peak > LOUDEST:
        raise DataError(f"its samples reach {peak:.4g}, not [-1, 1]; scale them to full scale 1")
    return mono, native
