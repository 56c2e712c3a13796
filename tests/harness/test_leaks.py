"""Splits by recording leave nothing to cheat with, and a split by clip does: seen by a classifier's eyes."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from leaky import CLASSES, RATE, RECORDINGS, TAKES, Leaky
from soundproof.planning.splits import fold_count, split
from soundproof.types import Scheme

pytestmark = pytest.mark.slow

NOWHERE = Path("nowhere")
CHANCE = 1 / CLASSES
# scikit-learn's solver needs no more to tell tones apart, and both have nothing random about them.
CLASSIFIERS = {
    "logistic regression": lambda: LogisticRegression(C=100.0, max_iter=2000),
    "nearest neighbour": lambda: KNeighborsClassifier(1),
}


@pytest.fixture(scope="module")
def spectra():
    waveforms = Leaky().waveforms(NOWHERE, RATE)
    return np.abs(np.fft.rfft(waveforms)) / waveforms.shape[1]


def accuracy(spectra, classifier, scheme, fold):
    index = Leaky().index(NOWHERE)
    parts = split(index, scheme, fold)
    fitted = CLASSIFIERS[classifier]().fit(spectra[parts.train], index.labels[parts.train])
    return parts, fitted.score(spectra[parts.test], index.labels[parts.test])


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_recordings_torn_apart_give_the_class_away(spectra, classifier):
    parts, score = accuracy(spectra, classifier, Scheme.PAPER, 0)
    assert parts.leaky
    assert score > 0.9


@pytest.mark.parametrize("classifier", CLASSIFIERS)
@pytest.mark.parametrize("scheme", [Scheme.GROUP70, Scheme.OFFICIAL])
def test_whole_recordings_leave_nothing_but_chance(spectra, classifier, scheme):
    index = Leaky().index(NOWHERE)
    scores, tested = [], set()
    for fold in range(fold_count(index, scheme)):
        parts, score = accuracy(spectra, classifier, scheme, fold)
        assert not parts.leaky
        scores.append(score)
        tested |= set(index.groups[parts.test])
    # At worst all clips of a recording are guessed alike: then so many recordings are so many guesses.
    deviation = np.sqrt(CHANCE * (1 - CHANCE) / len(tested))
    assert abs(np.mean(scores) - CHANCE) < 3 * deviation


def test_every_recording_has_one_class_and_nothing_else_tells_it(spectra):
    index = Leaky().index(NOWHERE)
    assert len(np.unique(np.stack([index.labels, index.groups]), axis=1).T) == CLASSES * RECORDINGS
    assert np.bincount(index.labels).tolist() == [RECORDINGS * TAKES] * CLASSES
    # Classes do not differ in level, which is all that the phase and the noise of a take leave but the tone.
    level = np.sqrt((Leaky().waveforms(NOWHERE, RATE) ** 2).mean(axis=1))
    means = [level[index.labels == label].mean() for label in range(CLASSES)]
    assert np.ptp(means) < level.std()
