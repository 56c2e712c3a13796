"""Masking thresholds against another implementation, published scales and what is known of ears."""

import numpy as np
import pytest
import torch
from art.attacks.evasion.imperceptible_asr.imperceptible_asr import PsychoacousticMasker

from soundproof.sound.masking import Masking, bark, threshold_in_quiet
from sounds import sound

RATE = 16000


class Masker(PsychoacousticMasker):
    """ART's, with distances between maskers taken where the maskers are.

    ART looks up the Bark values of their numbers in the list of maskers instead of those of their bins, so that a
    frame is left with one or two maskers and the threshold lies too low by up to 80 dB.
    """

    def filter_maskers(self, maskers, masker_idx):
        audible = maskers > self.absolute_threshold_hearing[masker_idx]
        kept = []
        for strength, place in zip(maskers[audible], masker_idx[audible], strict=True):
            if kept and self.bark[place] - self.bark[kept[-1][1]] < 0.5:
                if kept[-1][0] < strength:
                    kept[-1] = (strength, place)
            else:
                kept.append((strength, place))
        return np.array([strength for strength, _ in kept]), np.array([place for _, place in kept], dtype=int)


def tones(*parts, seconds=0.5):
    """Sines of frequency, Hz, and level, dB."""
    t = torch.arange(round(seconds * RATE)) / RATE
    return sum(10 ** (level / 20) * torch.sin(2 * torch.pi * frequency * t) for frequency, level in parts)[None]


@pytest.mark.parametrize("rate", [8000, 16000])
def test_thresholds_agree_with_another_implementation(rate):
    samples = 8 * 512 + 2048
    clips = torch.stack([torch.from_numpy(sound(kind, samples, 1)) for kind in ("noise", "tone", "clipping")])
    clips = torch.cat([clips, tones((300, -20), (3000, -40), (3100, -50), (5000, -10))[:, :samples]])
    masking = Masking(rate)
    ours = masking.threshold(clips)
    theirs = Masker(masking.window, masking.hop, rate)
    for clip, levels, loudest in zip(clips, ours.levels, ours.loudest, strict=True):
        threshold, maximum = theirs.calculate_threshold_and_psd_maximum(clip.numpy())
        assert loudest.item() == pytest.approx(maximum, abs=1e-3)
        heard = np.isfinite(threshold)
        assert np.abs(levels.numpy()[heard] - threshold[heard]).max() < 2e-3


@pytest.mark.slow
def test_thresholds_of_recordings_agree_with_another_implementation(real_audio):
    from sounds import real_clips

    clips = torch.as_tensor(real_clips(real_audio, RATE)[0])[:, : 2048 + 20 * 512]
    ours = Masking(RATE).threshold(clips).levels.numpy()
    for clip, levels in zip(clips, ours, strict=True):
        threshold, _ = Masker(2048, 512, RATE).calculate_threshold_and_psd_maximum(clip.numpy())
        heard = np.isfinite(threshold)
        assert np.abs(levels[heard] - threshold[heard]).max() < 2e-3


def test_critical_bands_end_where_zwicker_has_them():
    """Edges of the bands 1 … 18 (Zwicker 1961), which the formula meets within 0.2 Bark."""
    edges = [100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700, 3150, 3700, 4400]
    found = bark(torch.tensor(edges, dtype=torch.float64))
    assert (found - torch.arange(1, 19)).abs().max() < 0.2


def test_ears_are_most_sensitive_near_three_kilohertz():
    frequencies = torch.linspace(50, 16000, 4000, dtype=torch.float64)
    quiet = threshold_in_quiet(frequencies)
    assert 3000 < frequencies[quiet.argmin()] < 3700
    at_one = threshold_in_quiet(torch.tensor([1000.0], dtype=torch.float64)) + 12
    assert at_one.item() == pytest.approx(3.64 - 6.5 * np.exp(-0.6 * 2.3**2) + 0.001)
    assert torch.isinf(threshold_in_quiet(torch.tensor([5.0, 21000.0], dtype=torch.float64))).all()


@pytest.mark.parametrize(
    ("frequency", "level", "audible"),
    [(1050, -30, False), (1050, -3, True), (4000, -30, True), (700, -30, True), (1200, -35, False)],
)
def test_a_tone_hides_others_near_and_above_it(frequency, level, audible):
    loud = tones((1000, 0))
    share = Masking(RATE).audible_share(loud, loud + tones((frequency, level)))
    assert share.item() > 0.9 if audible else share.item() < 0.1


def test_nothing_changed_is_nothing_heard_and_clips_do_not_mix():
    clips = torch.cat([tones((1000, 0)), tones((500, -30))])
    changed = clips + torch.stack([torch.zeros(clips.shape[1]), tones((4000, -20))[0]])
    masking = Masking(RATE)
    together = masking.audible_share(clips, changed)
    alone = torch.cat(
        [masking.audible_share(*pair) for pair in zip(clips[:, None], changed[:, None], strict=True)]
    )
    assert together[0] == 0
    assert torch.equal(together, alone)


def test_a_clip_shorter_than_a_frame_is_padded():
    clip = tones((1000, 0))[:, :500]
    assert Masking(RATE).threshold(clip).levels.shape == (1, 1025, 1)
