"""Listening: clips, clean and attacked, and what attacks add, as `bench listen` writes and the page plays them."""

from __future__ import annotations

import io
import math
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from soundproof.sound.mp3 import encode_mp3
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from soundproof.boards.names import Called, Name, Names
    from soundproof.results.files import Results, Row

    Waveform = npt.NDArray[np.float32]

# Characters of all sounds of the page together, and the bitrates, kbit/s, of which the first that fits is taken.
SOUNDS = 3_000_000
BITRATES = (96, 64, 48, 32, 24)
_STEPS = 32767
# A difference is played as loud as its clip, or as loud as it can be without being cut.
_LOUDEST = 0.9
# Columns and rows of a spectrogram, its window in seconds, and its range in dB.
_COLUMNS, _ROWS, _WINDOW, _RANGE = 160, 64, 0.032, 80.0


@dataclass(frozen=True, eq=False)
class Added:
    """Sound that an attack adds to a clip.

    Attributes:
        attack: Its name.
        change: float32 `[T]`.
        fooled: Whether the sum fools the classifier.
        given: The class that the sum is given.
        sizes: `snr`, `segmental_snr`, `loudness_change` and `audibility` of this clip; NaN where there is none.
    """

    attack: Called
    change: Waveform
    fooled: bool
    given: int
    sizes: dict[str, float]


@dataclass(frozen=True, eq=False)
class Recorded:
    """A clip as it sounds, and what attacks on one classifier add to it.

    Attributes:
        name: The classifier.
        clip: The clip's row in the data set's index.
        title: The clip's name.
        label: Its class.
        rate: Sampling rate, Hz.
        clean: float32 `[T]`.
        added: An attack each.
    """

    name: Name
    clip: int
    title: str
    label: int
    rate: int
    clean: Waveform
    added: tuple[Added, ...]


def recorded(results: Results, rows: Sequence[Row], names: Names) -> tuple[Recorded, ...]:
    """All sounds of a folder, in the order of its rows, the clip that most attacks fool first."""
    scored = [row for row in rows if row.status is Status.OK]
    realised = [row for row in scored if row.protocol == "realised"]
    found = []
    for row in (row for row in scored if row.protocol == "clean"):
        for clip in _clips(results, row):
            of, known, clean = names.classifier(row), results.names(row.dataset), results.fields(row)
            added = [
                _added(results, each, names, clip)
                for each in realised
                if f"{each.key}/{clip}/change" in results.sounds and names.classifier(each) == of
            ]
            where = f"{row.key}/{clip}"
            found.append(
                Recorded(
                    name=of,
                    clip=clip,
                    title=known[clip] if clip < len(known) else f"clip {clip}",
                    label=int(clean["label"][np.flatnonzero(clean["clip"] == clip)[0]]),
                    rate=int(results.sounds[f"{where}/rate"][0]),
                    clean=_waveform(results, f"{where}/sound"),
                    added=tuple(sorted(added, key=lambda each: not each.fooled)),
                )
            )
    return tuple(sorted(found, key=lambda each: -sum(one.fooled for one in each.added)))


def _clips(results: Results, row: Row) -> list[int]:
    names = (name.split("/") for name in results.sounds if name.startswith(f"{row.key}/"))
    tested = set(results.fields(row)["clip"].tolist())
    return sorted({int(parts[1]) for parts in names if parts[2] == "sound" and int(parts[1]) in tested})


def _added(results: Results, row: Row, names: Names, clip: int) -> Added:
    fields = results.fields(row)
    (place,) = np.flatnonzero(fields["clip"] == clip)
    return Added(
        attack=names.attack(row),
        change=_waveform(results, f"{row.key}/{clip}/change"),
        fooled=bool(fields["fooled"][place]),
        given=int(fields["prediction"][place]),
        sizes={
            name: float(fields[name][place]) for name in ("snr", "segmental_snr", "loudness_change", "audibility")
        },
    )


def _waveform(results: Results, name: str) -> Waveform:
    peak = results.sounds[f"{name}_peak"][0]
    waveform: Waveform = results.sounds[name].astype(np.float32) / np.float32(_STEPS) * peak
    return waveform


def amplification(clean: Waveform, change: Waveform) -> int:
    """Whole decibels by which a change can be raised to be as loud as its clip, and not above ±0.9."""
    of_clip, of_change = (float(np.sqrt(np.mean(each.astype(np.float64) ** 2))) for each in (clean, change))
    if of_change == 0:
        return 0
    highest = _LOUDEST / float(np.abs(change).max())
    return math.floor(20 * math.log10(min(of_clip / of_change, highest) if of_clip > 0 else highest))


def amplified(waveform: Waveform, decibels: float) -> Waveform:
    """A waveform at another level."""
    louder: Waveform = waveform * np.float32(10 ** (decibels / 20))
    return louder


@dataclass(frozen=True)
class Piece:
    """One sound as the page has it.

    Attributes:
        title: What it is.
        audio: The sound as a data URI.
        outline: Its waveform as the path of an SVG, on 160 × 40.
        spectrogram: Its spectrogram as a data URI, low frequencies below, loud is dark.
        detail: What is said of it.
    """

    title: str
    audio: str
    outline: str
    spectrogram: str
    detail: str = ""


@dataclass(frozen=True)
class Hearing:
    """A clip that the page plays.

    Attributes:
        of: The recording.
        clean: The clip.
        attacked: Of each attack the attacked clip, and what was added, amplified.
    """

    of: Recorded
    clean: Piece
    attacked: tuple[tuple[Added, Piece, Piece], ...]


def hearings(found: Sequence[Recorded], classes: Mapping[Called, Sequence[str]]) -> tuple[Hearing, ...]:
    """Recordings for the page, as many as fit, at the best bitrate at which all of them do.

    Args:
        found: In the order in which they are wanted.
        classes: Names of classes by the name of a data set.
    """
    bitrate = next((rate for rate in BITRATES if _characters(found, rate) <= SOUNDS), BITRATES[-1])
    kept: list[Recorded] = []
    for each in found:
        if _characters([*kept, each], bitrate) <= SOUNDS:
            kept.append(each)
    return tuple(_hearing(each, bitrate, classes.get(each.name.dataset, ())) for each in kept)


def _characters(found: Sequence[Recorded], bitrate: float) -> float:
    """About so many characters do sounds take in base 64."""
    seconds = (len(each.clean) / each.rate * (1 + 2 * len(each.added)) for each in found)
    return sum(seconds) * bitrate * 1000 / 8 * 4 / 3


def _hearing(of: Recorded, bitrate: float, classes: Sequence[str]) -> Hearing:
    def called(label: int) -> str:
        return classes[label] if 0 <= label < len(classes) else f"class {label}"

    def piece(title: str, waveform: Waveform, detail: str) -> Piece:
        audio = encode_mp3(waveform.clip(-1, 1), of.rate, bitrate)
        return Piece(title, _uri("audio/mpeg", audio), _outline(waveform), _spectrogram(waveform, of.rate), detail)

    def both(each: Added) -> tuple[Added, Piece, Piece]:
        raised = amplification(of.clean, each.change)
        heard = f"heard as {called(each.given)}" + ("" if each.fooled else ", which is right")
        said = "; ".join((heard, *_said(each.sizes)))
        return (
            each,
            piece(f"attacked by {each.attack}", of.clean + each.change, said),
            piece(f"what {each.attack} adds, {raised:+d} dB", amplified(each.change, raised), ""),
        )

    clean = piece("clean", of.clean, f"heard as {called(of.label)}, which is right")
    return Hearing(of, clean, tuple(map(both, of.added)))


def _said(sizes: dict[str, float]) -> Iterator[str]:
    words = {
        "snr": ("{:.1f} dB SNR", 1.0),
        "segmental_snr": ("{:.1f} dB in segments", 1.0),
        "loudness_change": ("{:.1f} LU", 1.0),
        "audibility": ("{:.0f} % audible", 100.0),
    }
    for name, (form, scale) in words.items():
        if math.isfinite(sizes[name]):
            yield form.format(scale * sizes[name])


def _outline(waveform: Waveform) -> str:
    """Highest and lowest sample of each column, as one closed path."""
    columns = np.array_split(waveform.clip(-1, 1), _COLUMNS)
    highest, lowest = ([float(pick(column)) for column in columns if len(column)] for pick in (np.max, np.min))
    points = [(x, 20 - 20 * y) for x, y in enumerate(highest)]
    points += [(x, 20 - 20 * y) for x, y in reversed(list(enumerate(lowest)))]
    return "M" + "L".join(f"{x} {y:.1f}" for x, y in points) + "Z"


def _spectrogram(waveform: Waveform, rate: int) -> str:
    from PIL import Image

    window = 2 ** round(math.log2(_WINDOW * rate))
    padded = np.pad(waveform, (window // 2, window))
    starts = np.linspace(0, len(waveform), _COLUMNS * 2).astype(int)
    frames = padded[starts[:, None] + np.arange(window)] * np.hanning(window)
    power = np.abs(np.fft.rfft(frames)) ** 2
    # Of every place the mean over the frames and bins that it stands for.
    rows = np.array_split(power.reshape(_COLUMNS, 2, -1).mean(axis=1), _ROWS, axis=1)
    levels = 10 * np.log10(np.stack([part.mean(axis=1) for part in rows]) + 1e-12)
    shares = ((levels - levels.max()) / _RANGE + 1).clip(0, 1)
    # Sixteen greys: finer ones take four times the room and cannot be told apart.
    grey = (255 - 17 * np.rint(15 * shares[::-1])).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "PNG", optimize=True)
    return _uri("image/png", file.getvalue())


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{b64encode(content).decode()}"
