"""Tonal centroids against librosa, alone and joined with spectrograms."""

import librosa
import numpy as np
import pytest
import soxr
import torch

from soundproof_representations import STFT, DWTTonnetz, Morlet, STFTTonnetz, Tonnetz
from soundproof_representations._picture import Resize
from sounds import difference, sound

pytestmark = pytest.mark.slow


def test_real_clips_agree_with_librosa(clips):
    waveforms = clips(22050)[::4]
    ours = Tonnetz().fit(waveforms).transform(waveforms)
    for row, clip in zip(ours, waveforms.numpy(), strict=True):
        assert difference(row, librosa.feature.tonnetz(y=clip, sr=22050)) <= 1e-4


@pytest.mark.filterwarnings("ignore:n_fft")
def test_centroids_are_the_chroma_on_three_circles():
    time = np.arange(22050) / 22050
    chord = sum(np.sin(2 * np.pi * pitch * time) for pitch in (261.63, 329.63, 392.0)).astype(np.float32) / 3
    ours = Tonnetz().fit(torch.from_numpy(chord)[None]).transform(torch.from_numpy(chord)[None])[0]
    chroma = librosa.feature.chroma_cqt(y=chord, sr=22050)
    chroma = chroma / chroma.sum(0)
    pitch = np.arange(12)
    for rows, radius, step in ((0, 1, 7 / 6), (2, 1, 3 / 2), (4, 0.5, 2 / 3)):
        assert difference(ours[rows], radius * np.sin(np.pi * step * pitch) @ chroma) < 1e-4
        assert difference(ours[rows + 1], radius * np.cos(np.pi * step * pitch) @ chroma) < 1e-4


@pytest.mark.parametrize("kind", ["silence", "impulse", "quiet", "clipping"])
def test_sounds_without_a_key_are_pictures_too(kind):
    clip = torch.from_numpy(sound(kind, 6000))[None]
    picture = Tonnetz().fit(clip)(clip)
    assert 0 <= picture.min() <= picture.max() <= 1
    if kind == "silence":
        assert torch.equal(picture, torch.full_like(picture, 0.5))


def test_harmonic_change_is_where_the_chord_changes():
    time = np.arange(22050 * 3) / 22050
    pitch = np.where(time < 1.5, 261.63, 369.99)
    clip = torch.from_numpy(np.sin(2 * np.pi * pitch * time).astype(np.float32))[None]
    change = Tonnetz(output="hcdf", sigma=2.0).fit(clip)(clip)[0, 0, 0]
    assert change[20:-20].argmax().item() + 20 == pytest.approx(64, abs=3)


JOINED = [(STFTTonnetz(), STFT), (STFTTonnetz(sr=8000), STFT), (DWTTonnetz(scales=75), Morlet)]


@pytest.mark.parametrize(("joined", "spectral"), JOINED, ids=["stft", "stft-8-kHz", "dwt"])
def test_joined_pictures_are_both_parts_each_from_its_own_rate(clips, joined, spectral):
    """The spectrogram agrees to what resampling in two steps leaves, the centroids with librosa on 22.05 kHz."""
    assert joined.rate == 22050
    waveforms = clips(22050)[1::4]
    picture = joined.fit(waveforms)(waveforms)
    assert picture.shape[1:] == joined.shape(waveforms.shape[1]) == (1, 128, 128)
    alone = spectral(sr=joined.sr, size=(75, 128))
    below = alone.fit(clips(joined.sr))(clips(joined.sr)[1::4])
    assert (picture[:, :, :75] - below).abs().mean() < 2e-4
    assert (picture[:, :, :75] - below).abs().max() < 0.02  # the highest row lies where the filters fall off
    centroids = np.stack([librosa.feature.tonnetz(y=clip, sr=22050) for clip in waveforms.numpy()])
    resize = Resize(centroids.shape[1:], (53, 128))
    assert difference(picture[:, 0, 75:], resize(torch.from_numpy((centroids + 1) / 2).float())) < 1e-5


def test_a_rate_above_the_centroids_is_the_joined_picture_s():
    joined = DWTTonnetz(sr=24000, size=(32, 32))
    clip = torch.from_numpy(sound("noise", 24000))[None]
    assert joined.rate == 24000
    at_22_khz = torch.from_numpy(soxr.resample(clip[0].numpy(), 24000, 22050, quality="HQ"))[None]
    above = Tonnetz(size=(13, 32))
    assert torch.allclose(joined.fit(clip)(clip)[:, :, 19:], above.fit(at_22_khz)(at_22_khz), atol=1e-6)


def test_joined_channels_are_full_pictures():
    clip = torch.from_numpy(sound("noise", 22050))[None]
    joined = STFTTonnetz(join="channels")
    pictures = joined.fit(clip)(clip)
    assert pictures.shape[1:] == joined.shape(22050) == (2, 128, 128)
    assert torch.allclose(pictures[:, :1], STFT().fit(clip)(clip), atol=1e-6)
    assert torch.allclose(pictures[:, 1:], Tonnetz().fit(clip)(clip), atol=1e-6)


def test_the_paper_s_picture_has_768_and_540_rows():
    clip = torch.zeros(1, 4096)
    module = STFTTonnetz(size=(1308, 1568)).fit(clip)
    assert module.first(clip).shape[-2:] == (768, 1568)
    assert module.second(clip).shape[-2:] == (540, 1568)


def test_clips_too_short_for_the_spectrogram_are_skipped():
    assert "longer than the clip of 363 samples" in DWTTonnetz().reason_to_skip(1000)


def test_one_row_has_no_room_for_both_parts():
    with pytest.raises(ValueError, match="no room for both parts"):
        STFTTonnetz(size=(1, 8)).fit(torch.zeros(1, 4096))
