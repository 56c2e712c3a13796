from pathlib import Path

import numpy as np
import pytest
from scipy.special import ive

from soundproof.contract.discovery import discover
from soundproof.data.audio import resample
from soundproof.errors import PluginError
from soundproof.planning.splits import split
from soundproof.types import Kind, Ref, Scheme
from soundproof_datasets import _signals
from soundproof_datasets.synth import Synth

pytestmark = pytest.mark.slow

NOWHERE = Path("no such folder")
SMALL = Synth(classes=3, recordings=2, takes=2, seconds=0.5)


def test_the_default_has_400_clips_in_recordings_of_four_and_five_folds():
    index = Synth().index(NOWHERE)
    assert len(set(index.names)) == 400
    assert len(index.classes) == 10
    assert np.bincount(index.labels).tolist() == [40] * 10
    assert np.bincount(index.groups).tolist() == [4] * 100
    assert np.bincount(index.folds).tolist() == [0, 80, 80, 80, 80, 80]
    for group in range(100):
        of_group = index.groups == group
        assert len(set(index.labels[of_group])) == len(set(index.folds[of_group])) == 1


@pytest.mark.parametrize("scheme", [Scheme.GROUP70, Scheme.OFFICIAL])
def test_the_default_divides_evenly(scheme):
    index = Synth().index(NOWHERE)
    for fold in range(5):
        parts = split(index, scheme, fold)
        assert not parts.leaky
        assert set(np.bincount(index.labels[parts.test])) == ({12} if scheme is Scheme.GROUP70 else {8})


@pytest.mark.parametrize("rate", [16000, 8000, 22050])
def test_waveforms_are_as_promised(rate):
    waveforms = SMALL.waveforms(NOWHERE, rate)
    assert waveforms.shape == (12, SMALL.sample_count(rate)) == (12, rate // 2)
    assert waveforms.dtype == np.float32
    assert np.isfinite(waveforms).all()
    peaks = np.abs(waveforms).max(axis=1)
    assert (peaks <= 1).all()
    assert (peaks > 0.1).all()
    assert (waveforms == resample(SMALL.waveforms(NOWHERE, 16000), 16000, rate, rate // 2)).all()


def test_the_same_parameters_give_the_same_bytes_and_others_do_not():
    waveforms, checksum = SMALL.waveforms(NOWHERE, 16000), SMALL.index(NOWHERE).checksum
    again = Synth(classes=3, recordings=2, takes=2, seconds=0.5)
    assert again.waveforms(NOWHERE, 16000).tobytes() == waveforms.tobytes()
    assert again.index(NOWHERE).checksum == checksum
    for change in ({"seed": 1}, {"snr": 0.0}):
        other = Synth(classes=3, recordings=2, takes=2, seconds=0.5, **change)
        assert (other.waveforms(NOWHERE, 16000) != waveforms).any(axis=1).all()
        assert other.index(NOWHERE).checksum != checksum


def test_a_clip_does_not_depend_on_what_else_is_generated():
    more = Synth(classes=5, recordings=2, takes=3, seconds=0.5)
    place = {name: row for row, name in enumerate(more.index(NOWHERE).names)}
    rows = [place[name] for name in SMALL.index(NOWHERE).names]
    assert (more.waveforms(NOWHERE, 16000)[rows] == SMALL.waveforms(NOWHERE, 16000)).all()


def test_the_background_lies_below_the_sound_by_the_given_ratio():
    # The same events at two ratios differ by their level of noise alone: 40 dB less noise, and (at 60 dB)
    # practically none. Clips of both are normalised, so compare what a least-squares fit leaves.
    loud, quiet, silent = (
        Synth(classes=10, recordings=3, takes=1, snr=snr).waveforms(NOWHERE, 16000) for snr in (0.0, 20.0, 60.0)
    )

    def ratio(mixed, clean):
        gain = (mixed * clean).sum(axis=1) / (clean**2).sum(axis=1)
        rest = mixed - gain[:, None] * clean
        return 10 * np.log10(((mixed - rest) ** 2).mean(axis=1) / (rest**2).mean(axis=1))

    assert ratio(loud, silent) == pytest.approx(0.0, abs=4.6)
    assert ratio(quiet, silent) == pytest.approx(20.0, abs=4.6)
    assert np.median(ratio(quiet, silent) - ratio(loud, silent)) == pytest.approx(20.0, abs=0.2)


def test_clips_of_one_recording_resemble_each_other_more_than_other_clips_of_their_class():
    # Otherwise there would be nothing to leak and nothing to generalise to.
    data = Synth()
    index = data.index(NOWHERE)
    power = np.abs(np.fft.rfft(data.waveforms(NOWHERE, 16000))) ** 2
    bands = np.stack([part.mean(axis=1) for part in np.array_split(power, 40, axis=1)], axis=1)
    profile = 10 * np.log10(bands / bands.mean(axis=1, keepdims=True))
    distance = np.linalg.norm(profile[:, None] - profile, axis=-1)
    pairs = np.triu(index.labels[:, None] == index.labels, k=1)
    same_group = index.groups[:, None] == index.groups
    for label in range(10):
        of_class = pairs & (index.labels == label)
        assert np.median(distance[of_class & same_group]) < 0.75 * np.median(distance[of_class & ~same_group])


def test_signals_have_the_spectra_they_are_named_for():
    rng = np.random.default_rng(0)
    size = 2**16
    frequency = np.fft.rfftfreq(size, 1 / _signals.RATE)

    def level(signal, low, high):
        return 10 * np.log10((np.abs(np.fft.rfft(signal)) ** 2)[(frequency >= low) & (frequency < high)].mean())

    falling = _signals.noise(rng, size, _signals.slope(size, -6.0))
    assert level(falling, 800, 1200) - level(falling, 3200, 4800) == pytest.approx(12.0, abs=0.5)
    assert np.sqrt(np.mean(falling**2)) == pytest.approx(1.0, abs=1e-4)
    around = _signals.noise(rng, size, _signals.bell(size, 1000, 0.5))
    assert level(around, 990, 1010) - level(around, 1980, 2020) == pytest.approx(20 * np.log10(np.e**2), abs=2.0)
    tone = _signals.wave(_signals.cycles(np.full(size, 440.0, dtype=np.float32)))
    assert frequency[np.abs(np.fft.rfft(tone)).argmax()] == pytest.approx(440, abs=0.3)
    pulse = np.abs(np.fft.rfft(_signals.voice(_signals.cycles(np.full(size, 250.0, dtype=np.float32)), 20)))
    harmonics = pulse[(np.arange(1, 9) * 250 * size) // _signals.RATE]
    # The Fourier coefficients of exp(b·cos φ) are the modified Bessel functions.
    assert harmonics / harmonics[0] == pytest.approx(ive(np.arange(1, 9), 20) / ive(1, 20), rel=0.01)


# RMS, and RMS of the first difference, of one clip of each kind. If these change, raise `GENERATION`.
FIXED = [
    (0.14269, 0.05880),
    (0.01809, 0.02648),
    (0.10121, 0.05187),
    (0.13427, 0.04664),
    (0.03669, 0.04575),
    (0.07597, 0.08915),
    (0.09908, 0.01912),
    (0.09784, 0.03531),
    (0.10989, 0.14077),
    (0.03216, 0.02883),
]


def test_the_sounds_are_those_of_this_generation():
    clips = Synth(recordings=1, takes=1).waveforms(NOWHERE, 16000)
    found = np.stack([np.sqrt((clips**2).mean(axis=1)), np.sqrt((np.diff(clips) ** 2).mean(axis=1))], axis=1)
    assert found == pytest.approx(np.array(FIXED), rel=1e-3)


def test_parameters_are_validated_by_the_registry():
    registry = discover()
    assert registry.build(Ref(Kind.DATASET, "synth", {"snr": 5, "takes": 2})) == Synth(snr=5.0, takes=2)
    with pytest.raises(PluginError, match=r"synth\.classes: Input should be greater than or equal to 2, not 1"):
        registry.build(Ref(Kind.DATASET, "synth", {"classes": 1}))
