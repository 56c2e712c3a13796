"""Channels against what they are: closed forms, file sizes, and the acoustics of rooms."""

import io
from itertools import pairwise

import numpy as np
import pytest
import soundfile
import torch

from soundproof_channels.background import Background
from soundproof_channels.codecs import MP3, Vorbis
from soundproof_channels.pcm16 import PCM16
from soundproof_channels.resample import Resample
from soundproof_channels.room import Room
from soundproof_channels.shift import Shift

RATE = 16000


def drawn(seed=0):
    return torch.Generator().manual_seed(seed)


def tone(frequency, rate=RATE, seconds=1.0, level=0.3):
    return level * torch.sin(2 * torch.pi * frequency * torch.arange(round(seconds * rate)) / rate)[None]


def ratio(clean, arrived):
    return 10 * torch.log10(clean.square().sum(-1) / (arrived - clean).square().sum(-1))


def test_pcm16_is_what_a_wav_file_holds():
    clips = torch.rand(3, 500, generator=drawn()) * 2 - 1
    for clip, arrived in zip(clips, PCM16().carry(clips, RATE, drawn()), strict=True):
        file = io.BytesIO()
        soundfile.write(
            file, (clip.numpy() * 32768).round().clip(-32768, 32767).astype(np.int16), RATE, format="WAV"
        )
        file.seek(0)
        assert np.array_equal(soundfile.read(file, dtype="float32")[0], arrived.numpy())


@pytest.mark.parametrize("bitrate", [8, 24, 64, 160])
def test_the_codecs_delay_is_taken_away_at_every_bitrate(bitrate):
    click = torch.zeros(1, RATE)
    click[0, 7000:7008] = 0.9
    arrived = MP3(bitrate=bitrate).carry(click, RATE, drawn())
    assert abs(int(arrived.abs().argmax()) - 7004) < 24


def test_better_qualities_lose_less():
    noise = 0.1 * torch.randn(1, RATE, generator=drawn())
    # LAME lowers the level to 0.95.
    of_mp3 = [ratio(0.95 * noise, MP3(bitrate=each).carry(noise, RATE, drawn())).item() for each in (24, 64, 160)]
    of_vorbis = [ratio(noise, Vorbis(quality=each).carry(noise, RATE, drawn())).item() for each in (0.0, 0.5, 1.0)]
    assert of_mp3 == sorted(of_mp3)
    assert of_vorbis == sorted(of_vorbis)
    assert min(of_mp3[-1], of_vorbis[-1]) > 10


def test_a_narrow_band_keeps_what_lies_below_and_loses_what_lies_above():
    low, high = tone(2000), tone(6000)
    arrived = Resample(to=8000).carry(low + high, RATE, drawn())
    middle = slice(1000, -1000)
    assert ratio(low[:, middle], arrived[:, middle]).item() > 50
    assert Resample(to=16000).reason_to_skip(16000, 1) == (
        "resample: clips at 16000 Hz lose nothing by 16000 Hz; name a lower rate (to)"
    )


def test_shifts_are_of_whole_samples_and_differ_by_clip():
    clips = torch.arange(1, 1001).float().expand(50, -1) / 1000
    arrived = Shift(seconds=100 / RATE).carry(clips, RATE, drawn())
    shifts = []
    for clip in arrived:
        sounding = clip.nonzero()[:, 0]
        shift = int(sounding[0]) - round(clip[sounding[0]].item() * 1000) + 1
        expected = torch.zeros(1000)
        expected[max(0, shift) : 1000 + min(0, shift)] = clips[0, max(0, -shift) : 1000 - max(0, shift)]
        assert torch.equal(clip, expected)
        shifts.append(shift)
    assert len(set(shifts)) > 20
    assert max(map(abs, shifts)) <= 100


@pytest.mark.parametrize("colour", ["pink", "white"])
@pytest.mark.parametrize("snr", [-5.0, 20.0, 40.0])
def test_noise_has_its_level_and_colour(colour, snr):
    clips = torch.cat([tone(440, level=0.01), tone(440, level=0.1)])
    arrived = Background(snr=snr, colour=colour).carry(clips, RATE, drawn())
    assert torch.allclose(ratio(clips, arrived), torch.tensor(snr), atol=0.01)
    power = torch.fft.rfft(arrived - clips).abs().square()
    octaves = [power[:, low : 2 * low].sum() for low in (250, 500, 1000, 2000)]
    falls = [10 * torch.log10(above / below).item() for below, above in pairwise(octaves)]
    # Pink noise has the same power in every octave, white noise twice as much in the next.
    assert np.mean(falls) == pytest.approx(0 if colour == "pink" else 3, abs=0.7)


def test_silence_has_no_background():
    assert not Background().carry(torch.zeros(1, 1000), RATE, drawn()).any()


@pytest.fixture
def acoustics():
    return pytest.importorskip("pyroomacoustics")


def click(samples=RATE):
    return torch.eye(1, samples)[None, 0]


def test_the_direct_sound_arrives_first_and_as_it_was_sent(acoustics):
    response = Room().carry(0.5 * click(), RATE, drawn())[0]
    assert response[0].item() == pytest.approx(0.5, abs=1e-3)
    assert response[:20].abs().argmax() == 0


@pytest.mark.parametrize("rt60", [0.2, 0.5])
def test_rooms_reverberate_as_long_as_they_are_asked_to(acoustics, rt60):
    """Schroeder's integral of the response falls from -5 to -25 dB in a third of the time, within 30 %."""
    response = Room(rt60=rt60, rooms=1).carry(0.5 * click(), RATE, drawn())[0].double()
    decay = response.square().flip(0).cumsum(0).flip(0)
    levels = 10 * torch.log10(decay / decay[0])
    five, more = (int((levels < -fall).nonzero()[0]) for fall in (5, 25))
    assert 3 * (more - five) / RATE == pytest.approx(rt60, rel=0.3)


def test_rooms_are_numbered_and_the_same_every_time(acoustics):
    clips = 0.5 * click().expand(40, -1)
    arrived = Room(rooms=3).carry(clips, RATE, drawn())
    assert torch.equal(arrived, Room(rooms=3).carry(clips, RATE, drawn()))
    assert len(torch.unique(arrived, dim=0)) == 3


def test_without_the_library_a_room_says_what_to_install(monkeypatch):
    monkeypatch.setattr("soundproof_channels.room.find_spec", lambda name: None)
    assert Room().reason_to_skip(RATE, RATE) == "room needs pyroomacoustics: pip install 'soundproof[rooms]'"
