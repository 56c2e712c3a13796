"""The augmentation around the transformations: what it is given and gives back, and what it refuses."""

import numpy as np
import pytest

from soundproof import Kind, PluginError, Ref
from soundproof.contract.discovery import discover
from soundproof_augmentations.spoof import Spoof
from soundproof_augmentations.spoofing.table import TRANSFORMATIONS

CHEAP = ("limiter", "compressor", "white-noise")


def clips(count=6, samples=3000):
    made = np.random.default_rng(0).uniform(-0.9, 0.9, (count, samples)).astype(np.float32)
    made.setflags(write=False)
    return made


def augment(spoof, rate=8000, seed=0, waveforms=None):
    return spoof.augment(clips() if waveforms is None else waveforms, rate, np.random.default_rng(seed))


def test_one_copy_of_each_clip():
    copies = augment(Spoof(CHEAP))
    assert copies.shape == (1, 6, 3000)
    assert copies.dtype == np.float32
    assert np.abs(copies).max() <= 1
    assert (copies[0] != clips()).any(axis=1).all()
    assert np.array_equal(copies, augment(Spoof(CHEAP)))
    assert not np.array_equal(copies, augment(Spoof(CHEAP), seed=1))
    assert augment(Spoof(), waveforms=clips()[:0]).shape == (1, 0, 3000)


def test_without_names_any_transformation_may_come(monkeypatch):
    seen = set()
    for name in TRANSFORMATIONS:
        monkeypatch.setitem(TRANSFORMATIONS, name, lambda x, rate, g, name=name: seen.add(name) or x)
    augment(Spoof(), waveforms=clips(400, 10))
    assert seen == set(TRANSFORMATIONS)
    seen.clear()
    augment(Spoof(CHEAP), waveforms=clips(60, 10))
    assert seen == set(CHEAP)


def test_low_rates_are_refused():
    with pytest.raises(ValueError, match="need sound at 4000 Hz or more, not 3999 Hz"):
        augment(Spoof(CHEAP), rate=3999)


def test_suites_name_transformations_in_lists():
    registry = discover()
    assert registry.build(Ref(Kind.AUGMENTATION, "spoof", {"transformations": ["limiter"]})) == Spoof(("limiter",))
    wrong = Ref(Kind.AUGMENTATION, "spoof", {"transformations": ["limiter", "limitr", "reverb"]})
    with pytest.raises(PluginError, match="transformations limitr, reverb are unknown; there are butterworth, ch"):
        registry.build(wrong)
