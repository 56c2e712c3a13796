"""What holds for every channel that is installed."""

import pytest
import torch

from installed import registry
from soundproof.conformance import checks_of, promised
from soundproof.contract.discovery import discover
from soundproof.types import Kind
from soundproof_channels import soundproof_components

IDS = ["background", "mp3", "pcm16", "resample", "room", "shift", "vorbis"]


@pytest.fixture(scope="module")
def promises(varied_channel):
    """The checks of what every channel promises, by name."""
    return {check.name: check for check in checks_of(varied_channel, registry=registry())}


@pytest.mark.parametrize("name", promised("channel"))
def test_it_keeps_its_promises(promises, name):
    promises[name]()


def test_all_ids_are_found_through_the_entry_point():
    assert set(IDS) <= set(discover().ids(Kind.CHANNEL))
    assert sorted(component.id for component in soundproof_components()) == IDS


@pytest.mark.parametrize("rate", [8000, 16384, 22050, 44100])
def test_a_sound_arrives_in_time_at_every_rate(every_channel, rate):
    """But for what a shift is, the loudest agreement of what arrives with what was sent is at no delay."""
    if every_channel.reason_to_skip(rate, rate) is not None:
        pytest.skip(every_channel.reason_to_skip(rate, rate))
    clip = 0.3 * torch.randn(1, rate, generator=torch.Generator().manual_seed(1)).clamp(-3, 3)
    arrived = every_channel.carry(clip, rate, torch.Generator().manual_seed(2))
    spectra = [torch.fft.rfft(each[0], 2 * rate) for each in (arrived, clip)]
    delay = int(torch.fft.irfft(spectra[0] * spectra[1].conj()).argmax())
    if every_channel.id == "shift":
        most = round(every_channel.seconds * rate)
        assert 0 < min(delay, 2 * rate - delay) <= most
    else:
        assert delay == 0
