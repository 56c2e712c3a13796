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
from soundproof_representations._mothers import mother
from sounds import real_clips


@dataclass(frozen=True)
class Contest:
    """What is timed: our transform against a library's, and how many times as fast it must be."""

    representation: object
    library: object
    at_least: float


def transform_of(name, method="fft"):
    scales = mother(name).frequency * 8000 / np.geomspace(60, 4000, 128)
    wavelet = {"morlet": f"cmor2.0-{mother('morlet').frequency!r}", "mexican-hat": "mexh", "haar": "haar"}[name]
    return lambda clip: pywt.cwt(clip, scales, wavelet, method=method)


CONTESTS = {
    "stft": Contest(STFT(), lambda clip: np.abs(librosa.stft(clip)) ** 2, 1.0),
    "mel": Contest(Mel(), lambda clip: librosa.feature.melspectrogram(y=clip, sr=22050), 1.0),
    "mfcc": Contest(MFCC(), lambda clip: librosa.feature.mfcc(y=clip, sr=22050, hop_length=1024), 1.0),
    "dwt-morlet": Contest(Morlet(), transform_of("morlet"), 10.0),
    "dwt-mexican-hat": Contest(MexicanHat(), transform_of("mexican-hat"), 10.0),
    "dwt-haar": Contest(Haar(), transform_of("haar"), 10.0),
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", CONTESTS)
def test_transform(benchmark, real_audio, name, threads):
    contest = CONTESTS[name]
    clips, _ = real_clips(real_audio, contest.representation.rate)
    clips = clips[:4]
    transform = contest.representation.fit(clips).transform
    library_times = []

    def library():
        start = perf_counter()
        for clip in clips.numpy():
            contest.library(clip)
        library_times.append(perf_counter() - start)

    @torch.inference_mode()
    def ours():
        for pair in torch.split(clips, 2):  # as the pictures do
            transform(pair)

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
    theirs, mine = min(library_times), benchmark.stats.stats.min
    benchmark.extra_info.update(
        library_ms=1e3 * theirs / len(clips), ours_ms=1e3 * mine / len(clips), times_as_fast=theirs / mine
    )
    assert theirs / mine >= contest.at_least
