"""What holds for every representation that is installed."""

import dataclasses
import json
import re
import subprocess
import sys
from itertools import pairwise

import pytest
import torch

from soundproof import Kind, Ref
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


def test_inputs_are_in_the_box_and_of_the_promised_shape(representation, inputs):
    assert representation.reason_to_skip(SAMPLES) is None
    assert inputs.shape == (len(KINDS), *representation.shape(SAMPLES))
    assert inputs.dtype == torch.float32
    assert torch.isfinite(inputs).all()
    assert 0 <= inputs.min() <= inputs.max() <= 1


def test_a_clip_s_input_does_not_depend_on_its_batch(module, waveforms, inputs):
    assert torch.equal(inputs, torch.cat([module(clip[None]) for clip in waveforms]))


def test_the_same_clips_give_the_same_bytes(representation, waveforms, inputs):
    assert torch.equal(inputs, representation.fit(waveforms[:-2])(waveforms))


def test_the_input_is_the_same_without_gradients(module, waveforms):
    recorded = module(waveforms[:3].clone().requires_grad_())
    with torch.inference_mode():
        assert torch.allclose(module(waveforms[:3]), recorded, atol=1e-5)


def test_waveforms_are_left_alone(module, waveforms):
    before = waveforms.clone()
    with torch.inference_mode():
        module(waveforms)
    assert torch.equal(waveforms, before)


def test_only_a_fitted_representation_looks_at_the_training_clips(representation, waveforms, inputs):
    other = representation.fit(0.1 * waveforms[-2:])(waveforms)
    assert torch.equal(other, inputs) is not representation.fitted


def exact(module, clip):
    """Whether its gradients are those of finite differences, along random directions."""
    module, clip = module.double(), clip.double().requires_grad_()
    made = module(clip)
    if not made.requires_grad:
        return False
    generator = torch.Generator().manual_seed(0)
    outer = torch.rand(made.shape, dtype=torch.float64, generator=generator)
    (slope,) = torch.autograd.grad((made * outer).sum(), clip)
    along = torch.randn(clip.shape, dtype=torch.float64, generator=generator)
    with torch.no_grad():
        rise = ((module(clip + 1e-7 * along) - module(clip - 1e-7 * along)) * outer).sum() / 2e-7
    return torch.allclose((slope * along).sum(), rise, rtol=1e-3, atol=1e-4)


def noise(*seeds):
    return torch.stack([torch.from_numpy(sound("noise", SAMPLES, seed)) for seed in seeds])


def test_it_is_differentiable_if_and_only_if_it_says_so(representation):
    # Another clip than those fitted to: theirs lie on the bounds, where gradients have a kink.
    assert exact(representation.fit(noise(1, 2)), 0.7 * noise(3)) is representation.differentiable


def test_gradients_of_padded_and_of_silent_clips_are_numbers(representation, module):
    if not representation.differentiable:
        pytest.skip("it has no gradients")
    padded = torch.cat([noise(3)[:, :1000], torch.zeros(1, 2000)], 1)
    for clip in (padded, torch.zeros(1, SAMPLES)):
        clip = clip.clone().requires_grad_()
        (slope,) = torch.autograd.grad(module(clip).square().sum(), clip)
        assert slope.isfinite().all()


def test_gradients_reach_every_sample_that_is_heard(representation):
    if not representation.differentiable:
        pytest.skip("it has no gradients")
    clip = noise(5).requires_grad_()
    made = representation.fit(clip.detach())(clip)
    weights = torch.rand(made.shape, generator=torch.Generator().manual_seed(0))
    (slope,) = torch.autograd.grad((made * weights).sum(), clip)
    assert (slope != 0).float().mean() > 0.8


def test_longer_clips_are_never_harder_to_represent(varied_representation):
    lengths = (1, 100, 1000, 10_000, 100_000)
    possible = [varied_representation.reason_to_skip(samples) is None for samples in lengths]
    assert all(later or not earlier for earlier, later in pairwise(possible))
    assert possible[-1]


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
