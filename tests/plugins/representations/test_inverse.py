"""Pictures, also changed ones, back into sound."""

import pytest
import torch

from soundproof_representations import STFT, Haar, Mel, MexicanHat, Morlet
from sounds import difference, sound

pytestmark = pytest.mark.slow

INVERTIBLE = [STFT(), Mel(), Morlet(), MexicanHat(), Haar()]


def made(representation, seconds=1):
    return torch.from_numpy(sound("noise", seconds * representation.rate))[None]


@pytest.mark.parametrize("representation", INVERTIBLE, ids=lambda item: item.id)
def test_its_own_picture_gives_a_clip_back(representation):
    clip = made(representation)
    module = representation.fit(clip)
    assert difference(module.inverse(module(clip), clip), clip) < 1e-4


# The broader a row's band, the more of its neighbours' sound it holds, and the less each can change alone.
@pytest.mark.parametrize(
    ("representation", "missing"),
    [(STFT(), 0.1), (Mel(), 0.1), (Morlet(), 0.1), (MexicanHat(), 0.2), (Haar(), 0.4)],
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
