"""Sounds that tests of representations share: real clips, and hypothesis' own."""

import csv

import librosa
import numpy as np
import soundfile
import torch
from hypothesis import strategies as st

KINDS = ("silence", "impulse", "clipping", "tone", "noise", "quiet", "offset")


def real_clips(folder, rate):
    """One ESC-10 clip of each class at `rate` Hz: float32 `[10, 5 * rate]`, and the class names."""
    root = folder / "ESC-50-master"
    first = {}
    with (root / "meta" / "esc50.csv").open() as table:
        for row in csv.DictReader(table):
            if row["esc10"] == "True":
                first.setdefault(row["category"], row["filename"])
    clips = [soundfile.read(root / "audio" / name, dtype="float32") for name in first.values()]
    resampled = [librosa.resample(clip, orig_sr=original, target_sr=rate)[: 5 * rate] for clip, original in clips]
    return torch.from_numpy(np.stack(resampled)), tuple(first)


def sound(kind, samples, seed=0):
    """A generated clip, float32 `[samples]`."""
    rng = np.random.default_rng(seed)
    noise = rng.uniform(-1, 1, samples)
    made = {
        "silence": np.zeros(samples),
        "impulse": np.eye(1, samples, rng.integers(samples))[0],
        "clipping": np.clip(5 * noise, -1, 1),
        "tone": np.sin(np.pi * rng.uniform(0.01, 0.9) * np.arange(samples)),
        "noise": 0.3 * noise,
        "quiet": 1e-4 * noise,
        "offset": 0.5 + 0.01 * noise,
    }
    return made[kind].astype(np.float32)


def sounds(*lengths):
    """Generated clips of any of these lengths."""
    return st.builds(sound, st.sampled_from(KINDS), st.sampled_from(lengths), st.integers(0, 999))


def difference(ours, theirs):
    """Maximal difference, relative to the reference's largest value."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape, f"{ours.shape} against {theirs.shape}"
    worst = np.abs(ours - theirs).max(initial=0)
    return worst / np.abs(theirs).max() if theirs.any() else worst
