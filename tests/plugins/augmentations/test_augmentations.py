"""Augmentations against what a spectrum, a ratio of energies or a slice says about them."""

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundproof_augmentations._window import window_points
from soundproof_augmentations.noise import Noise
from soundproof_augmentations.pitch_shift import PitchShift
from soundproof_augmentations.time_shift import TimeShift
from soundproof_augmentations.time_stretch import TimeStretch

pytestmark = pytest.mark.slow

RATE = 22050


def rng(seed=0):
    return np.random.default_rng(seed)


def tone(frequency, seconds=1.0, rate=RATE, level=0.5):
    return (level * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def peak(clip, rate=RATE):
    """Frequency of the highest peak of the middle half, Hz, to 1/8 of a bin."""
    quarter = len(clip) // 4
    middle = clip[quarter : 3 * quarter] * np.hanning(2 * quarter)
    spectrum = np.abs(np.fft.rfft(middle, 16 * quarter))
    return spectrum.argmax() * rate / (16 * quarter)


def sounding(clip, rate=RATE):
    """Seconds until the sound ends, by its envelope of 10 ms."""
    step = rate // 100
    loud = np.sqrt((clip[: len(clip) // step * step].reshape(-1, step) ** 2).mean(axis=1)) > 0.05
    return (np.flatnonzero(loud)[-1] + 1) * step / rate


def noise_clips(clips=3, samples=4000, level=0.3, seed=9):
    return (level * rng(seed).uniform(-1, 1, (clips, samples))).astype(np.float32)


@pytest.mark.parametrize("augmentation", [PitchShift(), TimeStretch(), TimeShift()], ids=lambda a: a.id)
def test_silence_stays_silence(augmentation):
    assert not augmentation.augment(np.zeros((2, 3000), np.float32), RATE, rng()).any()


@pytest.mark.parametrize("augmentation", [TimeStretch(), Noise(), TimeShift()], ids=lambda a: a.id)
def test_every_clip_has_a_draw_of_its_own(augmentation):
    clips = np.repeat(noise_clips(1, 2 * RATE), 4, axis=0)
    copies = augmentation.augment(clips, RATE, rng())[0]
    assert len({copy.tobytes() for copy in copies}) == 4


@pytest.mark.parametrize("frequency", [440.0, 1000.0, 3000.0])
@pytest.mark.parametrize("rate", [8000, 22050])
def test_pitch_moves_by_the_scale(frequency, rate):
    scales = (0.75, 0.9, 1.0, 1.15)
    copies = PitchShift(scales=scales).augment(tone(frequency, rate=rate)[None], rate, rng())
    for scale, copy in zip(scales, copies[:, 0], strict=True):
        assert peak(copy, rate) == pytest.approx(scale * frequency, rel=0.01)


def test_a_shifted_pitch_keeps_the_duration():
    clip = np.zeros(2 * RATE, dtype=np.float32)
    clip[: round(1.2 * RATE)] = tone(500, 1.2)
    for copy in PitchShift().augment(clip[None], RATE, rng())[:, 0]:
        assert sounding(copy) == pytest.approx(1.2, abs=0.06)


def test_pitch_shifts_are_librosas_for_every_clip_alone():
    clips = noise_clips(40, 6000)
    copies = PitchShift(scales=(0.9, 1.5)).augment(clips, RATE, rng())
    for copy, steps in zip(copies, (12 * np.log2(0.9), 12 * np.log2(1.5)), strict=True):
        for row in (0, 17, 39):
            alone = librosa.effects.pitch_shift(clips[row], sr=RATE, n_steps=steps, n_fft=2048)
            np.testing.assert_allclose(copy[row], np.clip(alone, -1, 1), atol=1e-5)


def test_random_intervals_are_drawn_for_each_clip_and_are_librosas():
    clips = noise_clips(40, 3000)
    (copies,) = PitchShift(semitones=(-3, 3)).augment(clips, RATE, rng(5))
    drawn = rng(5).integers(-3, 4, 40)
    assert set(drawn) == set(range(-3, 4))
    for clip, copy, steps in zip(clips, copies, drawn, strict=True):
        alone = librosa.effects.pitch_shift(clip, sr=RATE, n_steps=steps, n_fft=2048) if steps else clip
        np.testing.assert_allclose(copy, np.clip(alone, -1, 1), atol=1e-5)


def test_semitones_shift_a_tone_by_twelfths_of_an_octave():
    copies = PitchShift(semitones=(7, 7)).augment(tone(440)[None], RATE, rng())
    assert copies.shape[0] == 1
    assert peak(copies[0, 0]) == pytest.approx(440 * 2 ** (7 / 12), rel=0.01)


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"semitones": (3, -3)}, "3 > -3"),
        ({"semitones": (-3, 3), "scales": (2.0,)}, "leave one of them out"),
    ],
)
def test_intervals_that_contradict_are_refused(parameters, complaint):
    with pytest.raises(ValueError, match=complaint):
        PitchShift(**parameters)


@pytest.mark.parametrize("speed", [0.8, 1.0, 1.2])
def test_a_stretched_tone_keeps_its_pitch_and_changes_its_duration(speed):
    clip = np.zeros(2 * RATE, dtype=np.float32)
    clip[:RATE] = tone(700)
    copy = TimeStretch(low=speed, high=speed).augment(clip[None], RATE, rng())[0, 0]
    assert peak(copy[: round(RATE / speed)]) == pytest.approx(700, rel=0.005)
    assert sounding(copy) == pytest.approx(1 / speed, abs=0.06)


def test_a_faster_clip_ends_in_silence():
    clip = tone(700)
    copy = TimeStretch(low=1.25, high=1.25).augment(clip[None], RATE, rng())[0, 0]
    end = round(RATE / 1.25)
    assert not copy[end:].any()
    assert copy[end // 2 : end].any()


def test_speeds_are_uniform_in_their_range():
    clip = np.zeros(RATE, dtype=np.float32)
    clip[: RATE // 2] = tone(700, 0.5)
    copies = TimeStretch().augment(np.repeat(clip[None], 60, axis=0), RATE, rng())[0]
    speeds = np.array([0.5 / sounding(copy) for copy in copies])
    # The edges of a phase vocoder are soft.
    assert 0.72 < speeds.min() < 0.86
    assert 1.1 < speeds.max() < 1.24


@given(
    low=st.floats(0.001, 0.1),
    width=st.floats(0, 0.1),
    seed=st.integers(0, 99),
    level=st.sampled_from([0, 0.1, 0.3]),
)
def test_noise_has_the_deviation_and_ratio_that_were_drawn(low, width, seed, level):
    clips = noise_clips(2, 20_000, level)
    copies = Noise(low=low, high=low + width).augment(clips, RATE, rng(seed))[0]
    drawn = rng(seed).uniform(low, low + width, 2)
    difference = copies.astype(np.float64) - clips
    np.testing.assert_allclose(difference.std(axis=1), drawn, rtol=0.03)
    assert np.abs(difference.mean(axis=1) / drawn).max() < 0.04
    if level:
        ratio = 10 * np.log10((clips**2).mean(axis=1) / (difference**2).mean(axis=1))
        expected = 10 * np.log10((clips**2).mean(axis=1) / drawn**2)
        np.testing.assert_allclose(ratio, expected, atol=0.3)


@given(
    samples=st.integers(1, 60),
    rate=st.sampled_from([10, 100]),
    seconds=st.floats(0.05, 3),
    seed=st.integers(0, 99),
)
def test_shifts_are_by_whole_samples_with_zeros_for_what_is_missing(samples, rate, seconds, seed):
    clips = noise_clips(5, samples)
    copies = TimeShift(seconds=seconds).augment(clips, rate, rng(seed))[0]
    for clip, copy, drawn in zip(clips, copies, rng(seed).uniform(-seconds, seconds, 5), strict=True):
        for position in range(samples):
            source = position - round(drawn * rate)
            assert copy[position] == (clip[source] if 0 <= source < samples else 0)


@pytest.mark.parametrize(("model", "levels"), [(TimeShift(), 1), (Noise(), 2)], ids=lambda a: getattr(a, "id", a))
def test_draws_do_not_depend_on_the_rate(model, levels):
    """A shift takes the same time, and noise is as loud, at both rates."""
    measured = []
    for rate in (8000, 16000):
        clips = np.zeros((6, 2 * rate), dtype=np.float32)
        clips[:, rate] = 1 if isinstance(model, TimeShift) else 0
        copies = model.augment(clips, rate, rng(3))[0]
        measured.append(copies.argmax(axis=1) / rate if levels == 1 else copies.std(axis=1))
    np.testing.assert_allclose(*measured, rtol=0.03)


@pytest.mark.parametrize("kind", [TimeStretch, Noise])
def test_ranges_the_wrong_way_round_are_refused(kind):
    with pytest.raises(ValueError, match="low must not be above high"):
        kind(low=0.5, high=0.4)


@pytest.mark.parametrize(
    ("rate", "samples", "points"),
    [
        (22050, 110_250, 2048),
        (44100, 220_500, 4096),
        (16000, 80_000, 2048),
        (8000, 40_000, 1024),
        (22050, 1500, 1024),
    ],
)
def test_the_window_is_the_power_of_two_nearest_to_93_ms(rate, samples, points):
    assert window_points(rate, samples) == points
