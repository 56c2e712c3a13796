"""Pictures, also changed ones, back into sound."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from soundproof_representations import (
    MFCC,
    STFT,
    DWTTonnetz,
    Haar,
    Mel,
    MexicanHat,
    Morlet,
    MuLaw,
    STFTTonnetz,
    Tonnetz,
    Waveform,
)
from sounds import difference, sound, sounds

pytestmark = pytest.mark.slow

INVERTIBLE = [STFT(), Mel(), MFCC(), Morlet(), MexicanHat(), Haar(), STFTTonnetz(), DWTTonnetz()]


def made(representation, seconds=1):
    return torch.from_numpy(sound("noise", seconds * representation.rate))[None]


@pytest.mark.parametrize("representation", INVERTIBLE, ids=lambda item: item.id)
def test_its_own_picture_gives_a_clip_back(representation):
    clip = made(representation)
    module = representation.fit(clip)
    assert difference(module.inverse(module(clip), clip), clip) < 1e-4


def missed(representation, clips, others=None):
    """RMS by which the sound of clips' own inputs misses these inputs, a clip; others are fitted to, too."""
    module = representation.fit(clips if others is None else torch.cat([clips, others]))
    inputs = module(clips)
    return (module(module.inverse(inputs, clips)) - inputs).square().flatten(1).mean(1).sqrt()


@pytest.mark.parametrize(
    "representation",
    [STFT(n_fft=256), Mel(n_fft=1024, n_mels=40), MFCC(n_fft=1024, n_mels=40, hop=256), Morlet(size=(24, 24)),
     Waveform(length=1000), MuLaw(length=3000)],
    ids=lambda item: item.id,
)  # fmt: skip
@given(data=st.data())
@settings(max_examples=15)
def test_any_sound_comes_back_within_the_stated_error(representation, data):
    clip = torch.from_numpy(data.draw(sounds(2048, 2049, 4000)))[None]
    # A range that is fitted to one clip without any variety is as small as rounding, which it would then measure.
    others = torch.from_numpy(sound("noise", clip.shape[-1]))[None]
    assert missed(representation, clip, others).item() <= representation.inverse.error


@pytest.mark.parametrize("representation", INVERTIBLE, ids=lambda item: item.id)
def test_recordings_come_back_within_the_stated_error(representation, clips):
    recordings = torch.as_tensor(clips(representation.rate))[:, : representation.rate]
    assert missed(representation, recordings).max() <= representation.inverse.error


# The broader a row's band, the more of its neighbours' sound it holds, and the less each can change alone.
@pytest.mark.parametrize(
    ("representation", "missing"),
    [
        (STFT(), 0.1),
        (Mel(), 0.1),
        (Morlet(), 0.1),
        (MexicanHat(), 0.2),
        (Haar(), 0.4),
    ],
    ids=lambda item: getattr(item, "id", None),
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_sound_of_a_changed_picture_has_that_picture_up_to_its_level(representation, missing, seed):
    clip = made(representation)
    module = representation.fit(clip)
    picture = module(clip)
    coarse = torch.rand(1, 1, 4, 4, generator=torch.Generator().manual_seed(seed)) - 0.5
    change = torch.nn.functional.interpolate(coarse, picture.shape[-2:], mode="bilinear")
    wanted = (picture + 3 * change / change.norm()).clamp(0, 1)
    left = module(module.inverse(wanted, clip)) - wanted
    assert (left - left.mean()).norm() < missing * (picture - wanted).norm()


@pytest.mark.parametrize("representation", INVERTIBLE, ids=lambda item: item.id)
def test_silence_stays_silent(representation):
    silence = torch.zeros(1, representation.rate)
    module = representation.fit(silence)
    assert not module.inverse(module(silence), silence).any()


def rows_of(representation, module, sound):
    """What a module shows of a sound below the tonal centroids, if it shows any."""
    pictures = module(sound)
    return pictures[:, :, : round(pictures.shape[-2] * 768 / 1308)]


@pytest.mark.parametrize("representation", [STFTTonnetz(), DWTTonnetz()], ids=lambda item: item.id)
def test_beside_centroids_the_spectrogram_is_carried_and_they_are_not(representation):
    clip = made(representation)
    module = representation.fit(clip)
    picture = module(clip)
    lower, rows = picture.clone(), rows_of(representation, module, clip).shape[-2]
    lower[:, :, rows // 2 : rows] -= 0.1
    above = picture.clone()
    above[:, :, rows:] = (above[:, :, rows:] + 0.1).clamp(0, 1)
    assert difference(module.inverse(above, clip), clip) < 1e-4
    changed = rows_of(representation, module, module.inverse(lower.clamp(0, 1), clip)) - picture[:, :, :rows]
    wanted = lower[:, :, :rows] - picture[:, :, :rows]
    assert (changed * wanted).sum() / (changed.norm() * wanted.norm()) > 0.9
    assert "centroids" in representation.inverse.lost


def test_kept_coefficients_are_carried_and_the_rest_of_the_bands_stays_the_clips_own():
    representation = MFCC(n_mfcc=13, hop=512)
    clip = made(representation)
    module = representation.fit(torch.cat([clip, 0.1 * clip.roll(5000)]))
    wanted = module.transform(clip)
    wanted[:, 1:4] += 6.0
    back = module.transform.inverse(wanted, clip)
    change = module.transform(back) - module.transform(clip)
    assert change[:, 1:4].mean().item() == pytest.approx(6.0, rel=0.1)
    assert change[:, 4:].abs().mean() < 1.0
    # A cosine beyond those kept is in the bands of both sounds as before.
    bands = [10 * module.transform.mel(each).log10() for each in (clip, back)]
    further = torch.cos(torch.pi / 128 * (torch.arange(128) + 0.5) * 40)
    before, after = (torch.einsum("nft,f->nt", each, further) for each in bands)
    assert (after - before).abs().mean() < 0.2 * before.abs().mean()


@pytest.mark.parametrize(
    ("representation", "reason"),
    [
        (STFT(values="real"), "Re X has lost Im X"),
        (STFT(framing="end-padded"), "only centred windows"),
        (STFT(n_fft=512, hop=300), "only centred windows"),
        (STFTTonnetz(values="real"), "Re X has lost Im X"),
        (Tonnetz(), "tonnetz has no way back to sound"),
    ],
)
def test_what_has_no_way_back_says_why(representation, reason):
    assert reason in representation.reason_without_inverse()


def test_what_a_shorter_input_does_not_hold_is_the_references():
    clip = torch.linspace(-1, 1, 10)[None]
    back = Waveform(length=4).fit(clip).inverse(torch.full((1, 1, 4), 0.75), clip)
    assert torch.equal(back, torch.cat([torch.full((1, 4), 0.5), clip[:, 4:]], 1))
    assert Waveform(length=20).fit(clip).inverse(torch.ones(1, 1, 20), clip).shape == clip.shape
