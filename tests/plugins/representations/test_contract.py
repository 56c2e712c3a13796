"""What holds for every representation."""

import json
import subprocess
import sys

import pytest
import torch

from soundproof.contract.discovery import discover
from soundproof.types import Kind, Ref
from soundproof_representations import (
    HPSS,
    LLFB,
    MFCC,
    RMSZCR,
    STFT,
    DWTTonnetz,
    Haar,
    Mel,
    MexicanHat,
    Morlet,
    MuLaw,
    STFTTonnetz,
    Tonnetz,
    Waveform,
    YAMNetPatch,
    soundproof_components,
)
from sounds import sound

IDS = [
    "dwt-haar", "dwt-mexican-hat", "dwt-morlet", "dwt-tonnetz", "hpss", "llfb", "mel", "mfcc", "mu-law", "rms-zcr",
    "stft", "stft-tonnetz", "tonnetz", "waveform", "yamnet-patch",
]  # fmt: skip
SMALL = (16, 24)
EVERY = [
    STFT(n_fft=256, size=SMALL),
    Mel(n_fft=256, hop=64, n_mels=16, size=SMALL),
    MFCC(n_fft=256, hop=64, n_mels=32, size=SMALL),
    Morlet(size=SMALL),
    Morlet(magnitude="linear", size=SMALL),
    Morlet(magnitude="log_real", size=SMALL),
    MexicanHat(size=SMALL),
    Haar(size=SMALL),
    LLFB(deltas="all", size=SMALL),
    HPSS(size=SMALL),
    HPSS(features="stft", size=SMALL),
    HPSS(features="power", size=SMALL),
    Waveform(),
    MuLaw(),
    RMSZCR(),
    YAMNetPatch(),
    Tonnetz(size=SMALL),
    STFTTonnetz(n_fft=256, size=SMALL),
    DWTTonnetz(size=SMALL),
]
DIFFERENTIABLE = [item for item in EVERY if item.differentiable]
named = pytest.mark.parametrize("representation", EVERY, ids=lambda item: item.id)
differentiable = pytest.mark.parametrize("representation", DIFFERENTIABLE, ids=lambda item: item.id)


def clips(count, samples=3000):
    kinds = ("noise", "tone", "clipping", "silence", "impulse", "quiet", "offset")
    return torch.stack([torch.from_numpy(sound(kinds[i % 7], samples, i)) for i in range(count)])


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


@named
def test_inputs_are_in_the_box_and_of_the_promised_shape(representation):
    waveforms = clips(9)
    inputs = representation.fit(waveforms[:5])(waveforms)
    assert inputs.shape == (9, *representation.shape(3000))
    assert inputs.dtype == torch.float32
    assert 0 <= inputs.min() <= inputs.max() <= 1


@named
def test_a_clip_s_input_does_not_depend_on_its_batch(representation):
    waveforms = clips(7)
    module = representation.fit(waveforms)
    together = module(waveforms)
    assert torch.equal(together, torch.cat([module(clip[None]) for clip in waveforms]))
    assert torch.equal(together, module(waveforms))


@named
def test_the_input_is_the_same_without_gradients(representation):
    waveforms = clips(3)
    module = representation.fit(waveforms)
    recorded = module(waveforms.clone().requires_grad_())
    with torch.inference_mode():
        assert torch.allclose(module(waveforms), recorded, atol=1e-5)


@named
def test_waveforms_are_left_alone(representation):
    waveforms = clips(3)
    before = waveforms.clone()
    with torch.inference_mode():
        representation.fit(waveforms)(waveforms)
    assert torch.equal(waveforms, before)


@named
def test_an_unfitted_representation_does_not_look_at_the_training_clips(representation):
    if representation.fitted:
        pytest.skip("it is fitted")
    waveforms = clips(4)
    assert torch.equal(
        representation.fit(waveforms[:1])(waveforms), representation.fit(torch.zeros(1, 3000))(waveforms)
    )


@differentiable
def test_gradients_are_those_of_finite_differences(representation):
    waveforms = torch.stack([torch.from_numpy(sound("noise", 3000, seed)) for seed in (1, 2)])
    module = representation.fit(waveforms).double()
    clip = waveforms[:1].double().mul(0.7).requires_grad_()
    assert torch.autograd.gradcheck(module, clip, eps=1e-7, atol=1e-4, rtol=1e-3, fast_mode=True)


@differentiable
def test_gradients_of_padded_and_of_silent_clips_are_numbers(representation):
    waveforms = clips(2)
    padded = torch.cat([waveforms[:1, :1000], torch.zeros(1, 2000)], 1)
    module = representation.fit(waveforms)
    for clip in (padded, torch.zeros(1, 3000)):
        clip = clip.clone().requires_grad_()
        (slope,) = torch.autograd.grad(module(clip).square().sum(), clip)
        assert slope.isfinite().all()


@differentiable
def test_gradients_reach_every_sample_that_is_heard(representation):
    clip = torch.from_numpy(sound("noise", 3000, 5))[None].requires_grad_()
    inputs = representation.fit(clip.detach())(clip)
    weights = torch.rand(inputs.shape, generator=torch.Generator().manual_seed(0))
    (slope,) = torch.autograd.grad((inputs * weights).sum(), clip)
    assert (slope != 0).float().mean() > 0.8


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@named
def test_a_gpu_gives_the_same_inputs(representation):
    waveforms = clips(7)
    on_cpu = representation.fit(waveforms)(waveforms)
    on_gpu = representation.fit(waveforms.cuda())(waveforms.cuda())
    assert on_gpu.device.type == "cuda"
    assert torch.allclose(on_gpu.cpu(), on_cpu, atol=2e-3)
