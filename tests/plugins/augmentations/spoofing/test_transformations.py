"""Each transformation does what it says; parameters are read back from what it did to a known clip."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal, stats
from threadpoolctl import threadpool_limits

from soundproof_augmentations.spoofing import dynamics, effects, filters, noise, spectral, timing
from soundproof_augmentations.spoofing.table import TRANSFORMATIONS, spoofed, transformed
from sounds import KINDS, difference, sound

pytestmark = pytest.mark.slow

RATE = 8000
SLOW = {"griffin-lim", "mel-round-trip", "spec-augment"}


def generator(seed=0):
    return np.random.default_rng(seed)


def clip(samples=RATE // 2, seed=0):
    return generator(seed).uniform(-0.9, 0.9, samples)


def tone(frequency, samples=RATE):
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(samples) / RATE)


def impulse(samples=RATE):
    return np.eye(1, samples)[0]


def loudest_frequency(waveform):
    return np.argmax(np.abs(np.fft.rfft(waveform * np.hanning(len(waveform))))) * RATE / len(waveform)


def outcomes(transformation, waveform, count=30, rate=RATE):
    return [transformation(waveform, rate, generator(seed)) for seed in range(count)]


# Shorter than the longest frame, which is padded to.
SAMPLES = 1500


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Matrices this small take several times as long on several threads, and more where others compute, too."""
    with threadpool_limits(1):
        yield


@cache
def made_of(name, kind):
    """Griffin-Lim's iterations take most of the time here: tests share what comes out."""
    before = sound(kind, SAMPLES)
    made = transformed(name, before, RATE, generator(1))
    assert np.array_equal(before, sound(kind, SAMPLES)), "what was given is left alone"
    return made


@pytest.mark.parametrize("name", sorted(TRANSFORMATIONS))
@pytest.mark.parametrize("kind", KINDS)
def test_length_and_range_are_kept_and_all_is_finite(name, kind):
    before, after = sound(kind, SAMPLES), made_of(name, kind)
    assert after.shape == before.shape
    assert after.dtype == np.float32
    assert np.isfinite(after).all()
    assert np.abs(after).max() <= 1


@pytest.mark.parametrize("name", sorted(TRANSFORMATIONS))
def test_the_generator_decides_everything_and_a_new_call_draws_anew(name):
    one = generator(1)
    before = sound("noise", SAMPLES)
    results = [transformed(name, before, RATE, one) for _ in range(2 if name in SLOW else 6)]
    assert np.array_equal(results[0], made_of(name, "noise"))
    if name == "remix":
        return  # a clip without beats stays as it is
    # A filter of two kinds, or a smoothing without parameters, may come out equal, but not every time.
    distinct = {result.tobytes() for result in results}
    assert len(distinct) > 1 or name == "fourier-smoothing"
    assert not np.array_equal(results[0], before)


@given(st.sampled_from(sorted(set(TRANSFORMATIONS) - SLOW)), st.sampled_from(KINDS), st.integers(0, 10**6))
@settings(max_examples=40)
def test_any_draw_is_finite_at_any_rate(name, kind, seed):
    for rate in (4000, 22050):
        assert np.isfinite(transformed(name, sound(kind, 3000, seed % 1000), rate, generator(seed))).all()


def test_low_rates_are_refused():
    with pytest.raises(ValueError, match="need sound at 4000 Hz or more, not 3999 Hz"):
        transformed("limiter", sound("noise", 100), 3999, generator())


def test_clips_are_drawn_for_one_by_one():
    """Each has its own transformation, which no other clip changes."""
    clips = np.stack([sound("noise", 3000, seed) for seed in range(8)])
    names = ("limiter", "white-noise", "compressor")
    together = spoofed(clips, RATE, generator(), names)
    clips[3] = 0
    again = spoofed(clips, RATE, generator(), names)
    assert [np.array_equal(*pair) for pair in zip(together, again, strict=True)] == [True] * 3 + [False] + [
        True
    ] * 4


def test_limiter():
    x = np.linspace(-1, 1, 2001)
    thresholds = []
    for y in outcomes(dynamics.limiter, x, 200):
        t = x[1100] / y[1100]
        thresholds.append(t)
        np.testing.assert_allclose(y, np.clip(x / t, -1, 1))
    assert 0.3 <= min(thresholds) < 0.32
    assert 0.78 < max(thresholds) < 0.8


def test_compressor():
    x = np.linspace(-1, 1, 201)
    found = set()
    for y in outcomes(dynamics.compressor, x, 200):
        fits = [k for k in range(20) if k and np.allclose(y, np.arctan(k * x) / np.arctan(k))]
        assert len(fits) == 1
        found |= set(fits)
    assert found == set(range(2, 11))


def test_butterworth_has_its_closed_form():
    """|H|² = 1 / (1 + (tan(f) / tan(cutoff))^±10) under the bilinear transform; half the power at the cutoff."""
    frequencies = np.fft.rfftfreq(RATE, 1 / RATE)[1:-1]
    warped = np.tan(np.pi * frequencies / RATE)
    high, low = (warped / np.tan(np.pi * cutoff / RATE) for cutoff in (1000, 380))
    gains = {"high": 1 / np.sqrt(1 + high**-10), "low": 1 / np.sqrt(1 + low**10)}
    gains["both"] = gains["high"] * gains["low"]
    found = []
    for y in outcomes(filters.butterworth, impulse(), 60):
        response = np.abs(np.fft.rfft(y))[1:-1]
        found += [name for name, gain in gains.items() if np.allclose(response, gain, atol=1e-6)]
    assert len(found) == 60
    assert {name: 10 < found.count(name) < 30 for name in gains} == dict.fromkeys(gains, True)
    assert gains["high"][999] == pytest.approx(0.5**0.5)


def test_savitzky_golay_keeps_parabolas_and_its_windows_are_odd():
    times = np.linspace(-1, 1, 400)
    for y in outcomes(filters.savitzky_golay, times**2, 20):
        np.testing.assert_allclose(y[60:-60], times[60:-60] ** 2, atol=1e-9)
    widths = {
        int(np.count_nonzero(np.abs(y) > 1e-12))
        for y in outcomes(filters.savitzky_golay, np.roll(impulse(), 999), 300)
    }
    # A coefficient may vanish, so a response may be a little shorter than its window.
    assert 13 <= min(widths) <= 15
    assert 49 <= max(widths) <= 51


def test_fourier_smoothing_drops_what_is_weak():
    strong, weak = tone(1000), tone(2000) / 3
    found = filters.fourier_smoothing(strong + weak, RATE, generator())
    np.testing.assert_allclose(found, strong, atol=1e-9)
    both = strong + tone(2000) / 2
    np.testing.assert_allclose(filters.fourier_smoothing(both, RATE, generator()), both, atol=1e-9)


def test_moving_average():
    """The middle of an impulse's response is a Gaussian's top, or one over the length."""
    middle = np.roll(impulse(999), 499)
    gaussian = np.exp(-(np.arange(-4, 5) ** 2) / 2)
    gaussian /= gaussian.sum()
    kinds = []
    for y in outcomes(filters.moving_average, middle, 90):
        if y[499] > 0.1:
            np.testing.assert_allclose(y[495:504], gaussian, atol=1e-12)
            kinds.append("gaussian")
        else:
            np.testing.assert_allclose(y[499], 1 / 999)
            kinds.append("box")
    assert 15 < kinds.count("gaussian") < 45
    ramp = np.linspace(-1, 1, 999)
    assert all(abs(y[499]) < 1e-9 for y in outcomes(filters.moving_average, ramp))


def test_linear_prediction_predicts_what_is_predictable():
    """A damped resonance driven by weak noise is its own prediction but for the noise."""
    driven = 1e-3 * generator(3).standard_normal(4000)
    resonance = signal.lfilter([1], [1, -1.6, 0.95], driven)
    for y in outcomes(filters.prediction, resonance, 10):
        error = (resonance - y)[50:]
        assert np.std(error) == pytest.approx(1e-3, rel=0.1)
        assert y[0] == 0


def test_formant_filter_is_the_published_one():
    """At the clip's level, it is a causal filter without a direct part and of less than 17 taps."""
    x = clip(3000)
    for y in outcomes(filters.formant_filter, x, 10):
        assert np.abs(y).max() == pytest.approx(np.abs(x).max())
        delays = np.stack([np.concatenate([np.zeros(k), x[: len(x) - k]]) for k in range(17)], axis=1)
        taps, *_ = np.linalg.lstsq(delays, y, rcond=None)
        np.testing.assert_allclose(delays @ taps, y, atol=1e-6)
        assert abs(taps[0]) < 1e-9
        used = taps[np.abs(taps) > 1e-9]
        assert (np.diff(used) <= 1e-12).all()
        assert (used < 0).all()


@pytest.mark.parametrize("add", [noise.white_noise, noise.pink_noise])
def test_noise_has_its_level(add):
    added = np.concatenate([add(np.zeros(20000), RATE, generator(seed)) for seed in range(20)])
    assert added.std() == pytest.approx(0.002, rel=0.1)
    assert added.mean() == pytest.approx(0, abs=4e-4)


def test_white_is_flat_and_pink_falls_by_half_an_octave():
    def slope(draw):
        power = np.mean([signal.periodogram(draw(generator(seed)))[1] for seed in range(40)], axis=0)
        octaves = [power[2**k : 2 ** (k + 1)].mean() for k in range(4, 12)]
        return stats.linregress(np.arange(len(octaves)), 10 * np.log10(octaves)).slope

    assert slope(lambda g: g.standard_normal(8192)) == pytest.approx(0, abs=0.3)
    assert slope(lambda g: noise.voss_mccartney(8192, g)) == pytest.approx(-3.01, abs=0.5)


def test_spectral_distortion_turns_bins_and_keeps_magnitudes():
    """A stationary tone has one phase more, and the level it had."""
    x = tone(1000, 2 * RATE)
    middle = slice(RATE // 2, RATE)
    for y in outcomes(spectral.spectral_distortion, x, 5):
        assert not np.allclose(y, x, atol=0.05)
        power = [np.abs(np.fft.rfft(part[middle])) ** 2 for part in (x, y)]
        near = slice(480, 520)
        assert power[1][near].sum() == pytest.approx(power[0][near].sum(), rel=0.35)
    with pytest.MonkeyPatch.context() as patch:
        seen = []
        patch.setattr(spectral.librosa, "istft", lambda bins, **_: seen.append(bins) or np.zeros(1))
        noisy = clip()
        spectral.spectral_distortion(noisy, RATE, generator())
        turned = seen[0] / spectral.librosa.stft(noisy, n_fft=1024, hop_length=512)
    np.testing.assert_allclose(np.abs(turned), 1, atol=1e-6)
    np.testing.assert_allclose(turned, turned[:, :1] * np.ones(turned.shape[1]), atol=1e-6)
    assert 0.3 < np.angle(turned[:, 0]).std() < 1


def test_checkerboard_masks():
    """The mask is read back before the way back to sound."""
    kinds = []
    with pytest.MonkeyPatch.context() as patch:
        seen = []
        patch.setattr(spectral.librosa, "istft", lambda bins, **_: seen.append(bins) or np.zeros(1))
        noisy = clip()
        outcomes(spectral.checkerboard, noisy, 120)
    bins = spectral.librosa.stft(noisy, n_fft=1024, hop_length=512)
    board = np.indices(bins.shape).sum(axis=0) % 2
    for masked in seen:
        mask = np.real(masked / bins)
        assert mask.min() >= -1e-6
        assert mask.max() <= 1 + 1e-6
        binary = np.allclose(mask, mask.round(), atol=1e-6)
        kinds.append("board" if np.allclose(mask, board, atol=1e-6) else "binary" if binary else "uniform")
    shares = {kind: kinds.count(kind) / 120 for kind in ("board", "uniform", "binary")}
    assert shares == pytest.approx({"board": 0.25, "uniform": 0.25, "binary": 0.5}, abs=0.12)


def test_griffin_lim_keeps_the_magnitudes():
    x = tone(440) + 0.3 * tone(1330) + 0.01 * clip(RATE)

    def magnitude(waveform):
        return np.abs(spectral.librosa.stft(waveform, n_fft=512, hop_length=128, window="hamming"))

    y = spectral.griffin_lim(x, RATE, generator())
    convergence = np.linalg.norm(magnitude(y) - magnitude(x)) / np.linalg.norm(magnitude(x))
    # Griffin and Lim's spectral convergence; noise of the same magnitudes in random phases is near 1.
    assert convergence < 0.1
    assert np.abs(np.corrcoef(x, y)[0, 1]) < 0.999


def test_mel_round_trip_keeps_the_bands():
    x = tone(440) + 0.3 * tone(1330)
    y = spectral.mel_round_trip(x, RATE, generator())

    def bands(waveform):
        return np.sqrt(spectral.librosa.feature.melspectrogram(y=waveform, sr=RATE, n_mels=40, fmax=RATE / 2))

    assert np.linalg.norm(bands(y) - bands(x)) < 0.25 * np.linalg.norm(bands(x))


def test_spec_augment_masks_and_warps():
    """Read back from the mel picture of steady noise: silent runs of frames and of bands, or neither."""
    kinds = set()
    with pytest.MonkeyPatch.context() as patch:
        seen = []
        patch.setattr(spectral, "_sound_of_mel", lambda mel, *_: seen.append(mel) or np.zeros(1))
        outcomes(spectral.spec_augment, clip(2 * RATE), 40)
    for mel in seen:
        frames, rows = (mel == 0).all(axis=0), (mel == 0).all(axis=1)
        assert mel.shape == (256, 126)
        assert frames.sum() <= 2 * 63
        empty = spectral.librosa.filters.mel(sr=RATE, n_fft=2048, n_mels=256, fmax=4000).sum(axis=1) == 0
        assert (rows & ~empty).sum() <= 2 * 26
        kinds.add((bool(frames.any()), bool((rows & ~empty).any())))
    assert kinds == {(False, False), (True, False), (False, True), (True, True)}


def test_a_warp_moves_time_and_keeps_the_ends():
    steps = np.arange(101.0)[None]
    for seed in range(20):
        warped = spectral._warped(steps, generator(seed))[0]
        assert warped[0] == 0
        assert warped[-1] == 100
        assert (np.diff(warped) >= 0).all()
        bends = np.abs(np.diff(warped, 2)) > 1e-6
        # Two straight lines; where they meet lies between two frames.
        assert bends.sum() <= 2


def test_pitch_shift_moves_a_tone_by_a_ratio_of_the_grid():
    ratios = {n / b for n in range(-15, 16) if n for b in range(5, 25)}
    for seed in range(12):
        y = timing.pitch_shift(tone(900), RATE, generator(seed))
        assert len(y) == RATE
        octaves = np.log2(loudest_frequency(y) / 900)
        if 900 * 2**octaves < 3500:
            assert min(abs(octaves - ratio) for ratio in ratios) < 0.02


@pytest.mark.parametrize(
    ("change", "low", "high"), [(timing.time_stretch, 0.7, 1.3), (spectral.phase_vocoder, 0.85, 1.15)]
)
def test_stretching_changes_the_length_and_keeps_the_pitch(change, low, high):
    rates = []
    for y in outcomes(change, tone(900, 2 * RATE), 25):
        rates.append(2 * RATE / len(y))
        assert loudest_frequency(y[2000:-2000]) == pytest.approx(900, abs=3)
    # Lengths come in whole frames.
    assert low - 0.03 < min(rates) < low + 0.1
    assert high - 0.1 < max(rates) < high + 0.03


def test_speed_changes_pitch_and_length_alike():
    factors = []
    for y in outcomes(timing.speed, tone(900, 2 * RATE), 25):
        assert len(y) == 2 * RATE
        factor = loudest_frequency(y) / 900
        factors.append(factor)
        heard = np.abs(y) > 0.01
        if factor > 1.01:
            first, last = np.flatnonzero(heard)[[0, -1]]
            assert last - first == pytest.approx(2 * RATE / factor, rel=0.01)
            assert first == pytest.approx(2 * RATE - last, abs=40)
            assert 0 < np.abs(y[: first - 50]).max() <= 0.001
    assert 0.7 <= min(factors) < 0.8
    assert 1.2 < max(factors) <= 1.301


def test_remix_reverses_intervals():
    """Every sample is there again, in runs; clicks twice a second are beats."""
    clicks = np.zeros(8 * RATE)
    clicks[:: RATE // 2] = 1
    x = clicks + 1e-3 * np.arange(len(clicks)) / len(clicks)
    y = timing.remix(x, RATE, generator())
    assert np.array_equal(np.sort(x), np.sort(y))
    ramp_x, ramp_y = x[x < 0.5], y[y < 0.5]
    jumps = np.flatnonzero(np.diff(ramp_y) < 0)
    assert len(jumps) > 5
    assert ramp_y[-1] < ramp_x[len(ramp_x) // 4]
    silence = np.zeros(RATE)
    assert np.array_equal(timing.remix(silence, RATE, generator()), silence)


def test_fade():
    level = effects.fade(np.ones(4 * RATE), RATE, generator())
    assert level[0] == level[-1] == 0
    assert level[RATE // 2] == pytest.approx(0.5, abs=1e-3)
    assert level[-RATE // 4] == pytest.approx(0.5, abs=1e-3)
    assert (level[RATE : -RATE // 2] == 1).all()


def test_gain_is_whole_decibels():
    decibels = {round(20 * np.log10(y[0] / 0.01), 9) for y in outcomes(effects.gain, np.full(9, 0.01), 300)}
    assert decibels == set(range(-20, 21))


def test_contrast_is_soxs_formula():
    x = np.linspace(-1, 1, 401)
    for y in outcomes(effects.contrast, x, 30):
        amounts = [
            c for c in range(5, 101) if np.allclose(y, np.sin(np.pi * x / 2 + c / 750 * np.sin(2 * np.pi * x)))
        ]
        assert len(amounts) == 1


def test_hilbert_turns_sines():
    found = effects.hilbert(tone(1000), RATE, generator())
    np.testing.assert_allclose(found, -0.5 * np.cos(2 * np.pi * 1000 * np.arange(RATE) / RATE), atol=1e-9)


def test_tremolo():
    for y in outcomes(effects.tremolo, np.ones(RATE), 20):
        depth = 1 - y.min()
        assert 0.1 <= round(depth, 3) <= 1
        swing = 1 - depth / 2 + depth / 2 * np.cos(2 * np.pi * 6 * np.arange(RATE) / RATE)
        np.testing.assert_allclose(y, swing, atol=1e-4)


def test_echo():
    found = effects.echo(impulse(), RATE, generator())
    expected = np.zeros(RATE)
    expected[0], expected[480] = 0.72, 0.36
    np.testing.assert_allclose(found, expected)
    assert len(effects.echo(np.ones(100), RATE, generator())) == 100


@pytest.mark.parametrize("decibels", [-20, 7, 20])
@pytest.mark.parametrize("high", [False, True])
def test_shelves_have_their_gains(decibels, high):
    """The full gain at one end, half of it (in dB) at the corner, none at the other end."""
    numerator, denominator = effects.shelf(RATE, 1000, decibels, 0.7, high=high)
    _, response = signal.freqz(numerator, denominator, [0, 1000, RATE / 2], fs=RATE)
    expected = [0, decibels / 2, decibels] if high else [decibels, decibels / 2, 0]
    np.testing.assert_allclose(20 * np.log10(np.abs(response)), expected, atol=1e-6)


@pytest.mark.parametrize("effect", [effects.bass, effects.treble])
def test_bass_and_treble_change_their_end(effect):
    frequencies = (5, 3990)
    for y in outcomes(effect, impulse(), 20):
        low, high = np.abs(np.fft.rfft(y))[list(frequencies)]
        changed, kept = (low, high) if effect is effects.bass else (high, low)
        decibels = 20 * np.log10(changed)
        assert abs(decibels) <= 20.01
        assert decibels == pytest.approx(round(decibels), abs=0.25)
        assert 20 * np.log10(kept) == pytest.approx(0, abs=0.25)


def test_sinc_passes_or_stops():
    """Far from its edges, a response is 1 or below -39 dB; none is in between everywhere."""
    for y in outcomes(effects.sinc, np.roll(impulse(), RATE // 2), 30):
        response = np.abs(np.fft.rfft(y))
        clear = (response < 0.02) | (np.abs(response - 1) < 0.02)
        assert response.max() < 1.02
        # At most two transitions, each a twentieth of the band up to half the rate wide.
        assert clear.mean() > 0.78


def test_chains_have_one_to_three_effects():
    with pytest.MonkeyPatch.context() as patch:
        calls = []
        for name in effects.EFFECTS:
            patch.setitem(effects.EFFECTS, name, lambda x, rate, g, name=name: calls.append(name) or x)
        lengths = []
        for seed in range(200):
            calls.clear()
            effects.effect_chain(np.zeros(4), RATE, generator(seed))
            assert len(set(calls)) == len(calls)
            lengths.append(len(calls))
    assert set(lengths) <= {0, 1, 2, 3}
    assert min(lengths.count(n) for n in (1, 2, 3)) > 40


def test_reverse():
    x = clip()
    assert difference(timing.reverse(x, RATE, generator()), x[::-1]) == 0
