"""What holds for every representation that is installed."""

import dataclasses
import json
import re
import subprocess
import sys

import pytest
import torch

from installed import registry
from soundproof import Kind, Ref
from soundproof.conformance import checks_of, promised
from soundproof.contract.discovery import discover
from soundproof_representations import soundproof_components
from sounds import KINDS, sound

pytestmark = pytest.mark.slow

IDS = [
    "dwt-haar", "dwt-mexican-hat", "dwt-morlet", "dwt-tonnetz", "hpss", "llfb", "mel", "mfcc", "mu-law", "rms-zcr",
    "stft", "stft-tonnetz", "tonnetz", "waveform", "yamnet-patch",
]  # fmt: skip
SMALL = (16, 24)
SAMPLES = 3000


@pytest.fixture(scope="module")
def representation(varied_representation):
    """A representation in small pictures."""
    sized = "size" in varied_representation.parameters()
    return dataclasses.replace(varied_representation, size=SMALL) if sized else varied_representation


@pytest.fixture(scope="module")
def waveforms():
    """A clip of each kind of sound."""
    return torch.stack([torch.from_numpy(sound(kind, SAMPLES, seed)) for seed, kind in enumerate(KINDS)])


@pytest.fixture(scope="module")
def module(representation, waveforms):
    """The representation fitted to all clips but the last two."""
    return representation.fit(waveforms[:-2])


@pytest.fixture(scope="module")
def inputs(module, waveforms):
    """What it makes of all."""
    return module(waveforms)


def test_all_ids_are_found_through_the_entry_point():
    registry = discover()
    assert set(IDS) <= set(registry.ids(Kind.REPRESENTATION))
    assert sorted(component.id for component in soundproof_components()) == IDS
    for name in IDS:
        registry.build(Ref(Kind.REPRESENTATION, name))


def test_listing_loads_neither_torch_nor_librosa():
    code = "import sys, json, soundproof_representations; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
    assert not {"torch", "librosa", "pywt", "scipy", "numpy"} & set(loaded)


@pytest.fixture(scope="module")
def promises(varied_representation):
    """The checks of what every representation promises, by name."""
    return {check.name: check for check in checks_of(varied_representation, registry=registry())}


@pytest.mark.parametrize("name", promised("representation"))
def test_it_keeps_its_promises(promises, name):
    promises[name]()


def noise(*seeds):
    return torch.stack([torch.from_numpy(sound("noise", SAMPLES, seed)) for seed in seeds])


def test_gradients_reach_every_sample_that_is_heard(representation):
    if not representation.differentiable:
        pytest.skip("it has no gradients")
    clip = noise(5).requires_grad_()
    made = representation.fit(clip.detach())(clip)
    weights = torch.rand(made.shape, generator=torch.Generator().manual_seed(0))
    (slope,) = torch.autograd.grad((made * weights).sum(), clip)
    assert (slope != 0).float().mean() > 0.8


def test_presets_are_named_after_their_source_and_run(preset_representation):
    assert all(re.fullmatch(r"\d{3}(-[a-z0-9-]+)?", name) for name in preset_representation.presets)
    rate = preset_representation.rate
    clip = torch.from_numpy(sound("noise", rate))[None]
    made = preset_representation.fit(clip)(clip)
    assert made.shape[1:] == preset_representation.shape(rate)
    assert 0 <= made.min() <= made.max() <= 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_gives_the_same_inputs(representation, waveforms, inputs):
    on_gpu = representation.fit(waveforms[:-2].cuda())(waveforms.cuda())
    assert on_gpu.device.type == "cuda"
    assert torch.allclose(on_gpu.cpu(), inputs, atol=2e-3)
