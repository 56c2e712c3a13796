"""What holds for every augmentation that is installed."""

import re

import numpy as np
import pytest
from scipy.signal import resample_poly

from installed import registry
from soundproof.conformance import checks_of, promised
from sounds import KINDS, sound

RATE = 8000


@pytest.fixture(scope="module")
def clips():
    """A clip of each kind of sound, not to be written to."""
    made = np.stack([sound(kind, 3000, seed) for seed, kind in enumerate(KINDS)])
    made.setflags(write=False)
    return made


def augmented(augmentation, clips, seed=4, rate=RATE):
    return augmentation.augment(clips, rate, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def promises(varied_augmentation):
    """The checks of what every augmentation promises, by name."""
    return {check.name: check for check in checks_of(varied_augmentation, registry=registry())}


@pytest.mark.parametrize("name", promised("augmentation"))
def test_it_keeps_its_promises(promises, name):
    promises[name]()


def heard(copies, rate):
    """Of each copy: where a burst of a tone begins and ends (s), its frequency (Hz), and the level before it."""
    window = rate // 20
    loud = np.sqrt((copies.reshape(*copies.shape[:2], -1, window) ** 2).mean(axis=-1)) > 0.2
    edges = np.array([[np.flatnonzero(clip)[[0, -1]] for clip in copy] for copy in loud]) / 20
    spectrum = np.abs(np.fft.rfft(copies, axis=-1))
    pitch = spectrum.argmax(axis=-1) * rate / copies.shape[-1]
    return edges, pitch, copies[..., :window].std(axis=-1)


def test_what_is_drawn_does_not_depend_on_the_rate(every_augmentation):
    time = np.arange(4 * 16000) / 16000
    burst = (0.5 * np.sin(2 * np.pi * 500 * time) * ((time > 1.5) & (time < 2.5))).astype(np.float32)
    fine = np.repeat(burst[None], 5, axis=0)
    coarse = np.ascontiguousarray(resample_poly(fine, 1, 2, axis=1))
    found = [
        heard(augmented(every_augmentation, clips, rate=rate), rate)
        for clips, rate in ((coarse, 8000), (fine, 16000))
    ]
    for name, (low, high) in zip(("edges", "pitch", "level"), zip(*found, strict=True), strict=True):
        tolerance = {"edges": 0.11, "pitch": 5, "level": 1e-3}[name]
        np.testing.assert_allclose(low, high, atol=tolerance, err_msg=name)


def test_presets_are_named_after_their_source_and_run(preset_augmentation, clips):
    assert all(re.fullmatch(r"\d{3}(-[a-z0-9-]+)?", name) for name in preset_augmentation.presets)
    assert augmented(preset_augmentation, clips).shape == (preset_augmentation.copies, *clips.shape)
