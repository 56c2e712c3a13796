"""Pictures, also changed ones, back into sound."""

import pytest
import torch
from sounds import difference, sound

from soundproof_representations import STFT, Haar, Mel, MexicanHat, Morlet

INVERTIBLE = [STFT(), Mel(), Morlet(), MexicanHat(), Haar()]


def made(representation, seconds=1):
    return torch.from_numpy(sound("noise", seconds * representation.rate))[None]


@pytest.mark.parametrize("representation", INVERTIBLE, ids=lambda item: item.id)
def test_its_own_picture_gives_a_clip_back(representation):
    clip = made(representation)
    module = representation.fit(clip)
    assert difference(module.inverse(module(clip), clip), clip) < 1e-4


@pytest.mark.parametrize("representation", INVERTIBLE, ids=lambda item: item.id)
def test_the_sound_of_a_changed_picture_has_that_picture(representation):
    clip = made(representation)
    module = representation.fit(clip)
    picture = module(clip)
    coarse = torch.rand(1, 1, 4, 4, generator=torch.Generator().manual_seed(1)) - 0.5
    change = torch.nn.functional.interpolate(coarse, picture.shape[-2:], mode="bicubic")
    wanted = (picture + 3 * change / change.norm()).clamp(0, 1)
    got = module(module.inverse(wanted, clip))
    # Overlapping frames and scales share their sound, so that not every picture is the picture of one.
    assert (got - wanted).norm() < 0.5 * (picture - wanted).norm()


@pytest.mark.parametrize("representation", INVERTIBLE, ids=lambda item: item.id)
def test_silence_stays_silent(representation):
    silence = torch.zeros(1, representation.rate)
    module = representation.fit(silence)
    assert not module.inverse(module(silence), silence).any()
