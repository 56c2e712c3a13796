"""Representations against librosa and PyWavelets, clip for clip, in one run.

Each round times the library and then ours, on the same real clips with the same number of threads;
`extra_info` holds milliseconds a clip and the ratio of the best rounds. Run with `--benchmark-enable`.
"""

from dataclasses import dataclass
from time import perf_counter

import librosa
import numpy as np
import pytest
import pywt
import torch
from threadpoolctl import threadpool_limits

from soundproof_representations import MFCC, STFT, Haar, Mel, MexicanHat, Morlet
from soundproof_representations._batches import in_parallel
from soundproof_representations._mothers import haar, mexican_hat, morlet
from sounds import real_clips

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Contest:
    """Our transform against a library's, which gets so many clips, and how many times as fast it should be."""

    representation: object
    library: object
    clips: int
    wanted: float


def cwt(mother, wavelet):
    scales = mother.frequency * 8000 / np.geomspace(60, 4000, 128)
    return lambda clip: pywt.cwt(clip, scales, wavelet, method="fft")


CONTESTS = {
    "stft": Contest(STFT(), lambda clip: np.abs(librosa.stft(clip)) ** 2, 10, 1.0),
    "mel": Contest(Mel(), lambda clip: librosa.feature.melspectrogram(y=clip, sr=22050), 10, 1.0),
    "mfcc": Contest(MFCC(), lambda clip: librosa.feature.mfcc(y=clip, sr=22050, hop_length=1024), 10, 1.0),
    "dwt-morlet": Contest(Morlet(), cwt(morlet(), f"cmor2.0-{morlet().frequency!r}"), 2, 10.0),
    "dwt-mexican-hat": Contest(MexicanHat(), cwt(mexican_hat(), "mexh"), 2, 10.0),
    # PyWavelets has no continuous Haar wavelet; its next shortest is the Mexican hat.
    "dwt-haar": Contest(Haar(), cwt(haar(), "mexh"), 2, 10.0),
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", CONTESTS)
def test_transform(benchmark, real_audio, name, threads):
    contest = CONTESTS[name]
    clips, _ = real_clips(real_audio, contest.representation.rate)
    transform = contest.representation.fit(clips).transform
    library_times = []

    def library():
        start = perf_counter()
        for clip in clips.numpy()[: contest.clips]:
            contest.library(clip)
        library_times.append((perf_counter() - start) / contest.clips)

    @torch.inference_mode()
    def ours():
        in_parallel(transform, clips)

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with threadpool_limits(threads):
            ours()
            benchmark.group = f"{name}, {threads} threads"
            benchmark.pedantic(ours, setup=library, rounds=1 if benchmark.disabled else 7)
    finally:
        torch.set_num_threads(before)
    if benchmark.disabled:
        return
    theirs, mine = min(library_times), benchmark.stats.stats.min / len(clips)
    benchmark.extra_info.update(library_ms=1e3 * theirs, ours_ms=1e3 * mine, times_as_fast=theirs / mine)
    benchmark.extra_info["wanted"] = contest.wanted
