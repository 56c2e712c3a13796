"""What any data set returned is looked at, and the data set is blamed by name."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from soundproof import ClipIndex, DataError, Dataset, PluginError, SoundproofError
from soundproof.data.checks import read_index, read_waveforms

CLIPS, RATE = 6, 100
NOWHERE = Path("nowhere")
INDEX = ClipIndex(
    names=tuple(f"clip-{row}" for row in range(CLIPS)),
    labels=np.arange(CLIPS) % 2,
    groups=np.arange(CLIPS),
    folds=np.arange(CLIPS) % 3,
    classes=("low", "high"),
    checksum="one",
)
WAVEFORMS = np.random.default_rng(0).uniform(-1, 1, (CLIPS, 20)).astype(np.float32)


@dataclass(frozen=True)
class Given(Dataset):
    """Returns what a test wants."""

    id: ClassVar[str] = "given"
    made: ClassVar[object] = INDEX
    heard: ClassVar[object] = WAVEFORMS
    error: ClassVar[BaseException | None] = None
    takes: int = 1

    @property
    def seconds(self):
        return 0.2

    def index(self, root):
        if self.error:
            raise self.error
        return self.made

    def waveforms(self, root, rate):
        return self.heard


def given(**returned):
    """A data set with a parameter, so that its name tells more than its id."""
    return type("Given", (Given,), returned)(takes=2)


def changed(row, value):
    waveforms = WAVEFORMS.copy()
    waveforms[row] = value
    return waveforms


def test_what_keeps_the_contract_passes():
    data = given()
    index = read_index(data, NOWHERE)
    assert index is INDEX
    assert read_waveforms(data, NOWHERE, RATE, index) is WAVEFORMS
    assert read_index(given(made=replace(INDEX, folds=None)), NOWHERE).folds is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"names": [*INDEX.names]}, "names must be a tuple of strings, not list"),
        ({"names": (*INDEX.names[:-1], "clip-0")}, "names must be unique, but 'clip-0' comes more than once"),
        ({"names": (*INDEX.names[:-1], 5)}, "names must be a tuple of strings"),
        ({"names": ()}, "names holds 0 names; it takes at least 1"),
        ({"names": INDEX.names[:-1]}, "labels has 6 numbers for 5 clips"),
        ({"labels": INDEX.labels[:-1]}, "labels has 5 numbers for 6 clips"),
        ({"labels": INDEX.labels.tolist()}, "labels must be an int64 array with a number a clip, not list"),
        ({"labels": INDEX.labels.astype(np.float64)}, "labels must be an int64 array"),
        ({"labels": INDEX.labels.astype(np.int32)}, "not int32 [6]"),
        ({"labels": INDEX.labels + 1}, "labels must be from 0 to 1, not 2"),
        ({"labels": INDEX.labels - 1}, "labels must be from 0 to 1, not -1"),
        (
            {"groups": np.full(CLIPS, np.nan)},
            "groups must be an int64 array with a number a clip, not float64 [6]",
        ),
        ({"groups": INDEX.groups[:, None]}, "not int64 [6, 1]"),
        ({"groups": None}, "groups must be an int64 array with a number a clip, not NoneType"),
        ({"folds": INDEX.folds - 3}, "folds must be at least -2, not -3"),
        ({"folds": np.full(CLIPS, "1")}, "folds must be an int64 array"),
        ({"classes": ("low",)}, "classes holds 1 names; it takes at least 2"),
        ({"classes": ("low", "low")}, "classes must be unique"),
        ({"classes": "low"}, "classes must be a tuple of strings, not str"),
        ({"checksum": ""}, "checksum must be a string that changes with the audio, not ''"),
        ({"checksum": None}, "checksum must be a string"),
    ],
)
def test_an_index_that_breaks_the_contract_is_refused(change, words):
    with pytest.raises(PluginError) as caught:
        read_index(given(made=replace(INDEX, **change)), NOWHERE)
    (line, *_) = [problem for problem in caught.value.problems if words in problem] or [caught.value.problems]
    assert words in line
    assert line.startswith("data set given(takes=2): ")


@pytest.mark.parametrize("made", [None, 5, ("a", "b")])
def test_what_is_no_index_is_refused(made):
    with pytest.raises(PluginError, match=rf"index\(\): returned {type(made).__name__}, not a ClipIndex"):
        read_index(given(made=made), NOWHERE)


def test_one_class_is_no_data_set():
    with pytest.raises(DataError, match="all clips are of the class 'high'; it takes at least two classes"):
        read_index(given(made=replace(INDEX, labels=np.ones(CLIPS, np.int64))), NOWHERE)


@pytest.mark.parametrize(
    ("heard", "words"),
    [
        (WAVEFORMS * 1000, "samples must lie in [-1, 1], but clip 'clip-0' holds samples up to"),
        (changed(4, np.nan), "but clip 'clip-4' holds NaN"),
        (changed(5, -np.inf), "but clip 'clip-5' holds samples up to inf"),
        (changed(3, 1.001), "but clip 'clip-3' holds samples up to 1.001"),
        (WAVEFORMS[:, :-1], "must return float32 [6, 20] (clips, samples), not float32 [6, 19]"),
        (WAVEFORMS[:-1], "not float32 [5, 20]"),
        (WAVEFORMS[0], "not float32 [20]"),
        (WAVEFORMS.astype(np.float64), "not float64 [6, 20]"),
        ((WAVEFORMS * 32767).astype(np.int16), "not int16 [6, 20]"),
        (WAVEFORMS.tolist(), "not list"),
    ],
)
def test_waveforms_that_break_the_contract_are_refused(heard, words):
    with pytest.raises(PluginError) as caught:
        read_waveforms(given(heard=heard), NOWHERE, RATE, INDEX)
    assert words in str(caught.value)
    assert str(caught.value).startswith("data set given(takes=2): ")
    assert "waveforms(rate=100)" in str(caught.value)


def test_the_same_clip_in_two_groups_is_refused():
    heard = changed(4, WAVEFORMS[1])
    with pytest.raises(DataError, match="the same clip in two groups: 'clip-1' and 'clip-4'; one may then test"):
        read_waveforms(given(heard=heard), NOWHERE, RATE, INDEX)
    together = replace(INDEX, groups=np.array([0, 1, 2, 3, 1, 5]))
    assert read_waveforms(given(made=together, heard=heard), NOWHERE, RATE, together) is heard


def test_silence_may_lie_anywhere():
    heard = WAVEFORMS.copy()
    heard[:3] = 0
    assert read_waveforms(given(heard=heard), NOWHERE, RATE, INDEX) is heard


def test_a_published_data_set_is_taken_as_it_is():
    heard = changed(4, WAVEFORMS[1])
    assert read_waveforms(given(heard=heard, folder="Clips"), NOWHERE, RATE, INDEX) is heard


def test_audio_that_changed_since_it_was_hashed_is_refused():
    with pytest.raises(DataError, match="its audio changed while it was read"):
        read_waveforms(given(made=replace(INDEX, checksum="two")), NOWHERE, RATE, INDEX)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ZeroDivisionError("no clips"), "index() raised ZeroDivisionError: no clips (test_checks.py:"),
        (SystemExit(0), "index() raised SystemExit: 0 (test_checks.py:"),
        (
            PermissionError(13, "Permission denied", "/data/x.wav"),
            "/data/x.wav: Permission denied; make it readable",
        ),
        (DataError("x.wav: missing"), "x.wav: missing"),
    ],
)
def test_whatever_is_raised_is_one_line(error, words):
    with pytest.raises(SoundproofError) as caught:
        read_index(given(error=error), NOWHERE)
    (line,) = caught.value.problems
    assert words in line
