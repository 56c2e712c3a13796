"""YAMNet's patches against a bare loop of its published front end."""

import numpy as np
import pytest
import torch

from soundproof_representations import YAMNetPatch
from soundproof_representations._patches import LogMel
from sounds import difference, sound


def hertz_to_mel(hertz):
    return 1127 * np.log(1 + hertz / 700)


def by_definition(clip):
    """ln(mel + 0.001) with triangles linear in mel: `[frames, 64]`."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    frames = np.array([clip[start : start + 400] * window for start in range(0, len(clip) - 399, 160)])
    magnitude = np.abs(np.fft.rfft(frames.astype(np.float64), 512))
    bins = hertz_to_mel(np.arange(257) * 16000 / 512)
    edges = np.linspace(hertz_to_mel(125), hertz_to_mel(7500), 66)
    bank = np.stack([np.interp(bins, edges[i : i + 3], [0, 1, 0]) for i in range(64)])
    return np.log(magnitude @ bank.T + 0.001)


@pytest.mark.parametrize(
    ("samples", "patches"), [(1000, 1), (15600, 1), (15601, 2), (23280, 2), (23281, 3), (80000, 10)]
)
def test_clips_are_padded_to_whole_patches(samples, patches):
    representation = YAMNetPatch()
    assert representation.shape(samples) == (patches, 64, 96)
    clip = torch.from_numpy(sound("noise", samples))[None]
    assert representation.fit(clip)(clip).shape == (1, patches, 64, 96)


def test_real_clips_are_the_definition(clips):
    waveforms = clips(16000)[::3]
    module = YAMNetPatch().fit(waveforms)
    low, high = module.scale.low, module.scale.high
    for patches, clip in zip(module(waveforms), waveforms.numpy(), strict=True):
        expected = by_definition(np.pad(clip, (0, 15600 + 9 * 7680 - len(clip))))
        for number, patch in enumerate(patches):
            values = patch.T * (high - low) + low
            assert difference(values, expected[48 * number : 48 * number + 96]) <= 1e-4


@pytest.mark.parametrize("kind", ["silence", "impulse", "clipping", "tone", "noise", "quiet", "offset"])
def test_generated_clips_are_the_definition_and_within_the_bounds(kind):
    clip = sound(kind, 15600)
    # In double precision: 0.001 of magnitude is next to what single leaves of a full-scale tone's 100.
    module = LogMel().double()
    ours = module(torch.from_numpy(clip)[None].double())[0]
    assert difference(ours.T, by_definition(clip)) <= 1e-4
    assert module.bounds[0] - 1e-5 <= ours.min()
    assert ours.max() <= module.bounds[1]


def test_the_loudest_frame_comes_near_the_upper_bound():
    clip = torch.sign(torch.sin(2 * torch.pi * 3400 / 16000 * torch.arange(15600)))[None]
    module = LogMel()
    assert module(clip).max() > module.bounds[1] - 1.5
