"""Input transformations against libjpeg, the definition of total variation and torch's own resize."""

import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from classifiers import convolutions
from soundproof import Adversary, Examples, Kind, Recipe, Ref, Trainer, TrainingData
from soundproof.contract.discovery import discover
from soundproof.training.objective import accuracy
from soundproof_defenses._total_variation import TotalVariation, differences, divergence
from soundproof_defenses._transforms import BitDepth, CropRescale, Jpeg
from soundproof_defenses.input_transform import InputTransform

pytestmark = pytest.mark.slow

REGISTRY = discover()
KINDS = ["bit-depth", "jpeg", "total-variation", "crop-rescale"]


def pictures(count=3, height=20, width=29, seed=0):
    """Smooth pictures with some noise, exact zeros and ones among their values."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 1, 4, 5, generator=generator)
    smooth = nn.functional.interpolate(coarse, (height, width), mode="bicubic")
    return (smooth * 1.4 - 0.2 + 0.03 * torch.randn(smooth.shape, generator=generator)).clamp(0, 1)


def libjpeg(clip, quality):
    """A picture `[1, H, W]` through Pillow."""
    coded = io.BytesIO()
    Image.fromarray((clip[0] * 255).round().byte().numpy()).save(coded, "jpeg", quality=quality)
    return torch.from_numpy(np.array(Image.open(coded))).float()[None] / 255


def defense(kind):
    return REGISTRY.build(Ref(Kind.DEFENSE, "input-transform", {"kind": kind}))


@given(bits=st.integers(1, 8), values=st.lists(st.floats(0, 1, width=32), min_size=1))
def test_bit_depth_goes_to_the_nearest_level(bits, values):
    inputs = torch.tensor(values)[None]
    rounded = BitDepth(bits)(inputs).double()
    levels = torch.linspace(0, 1, 2**bits, dtype=torch.float64)
    nearest = (inputs.double()[..., None] - levels).abs().amin(dim=-1)
    torch.testing.assert_close((rounded - inputs.double()).abs(), nearest, atol=1e-6, rtol=0)
    assert (rounded[..., None] - levels).abs().amin(dim=-1).max() < 1e-7


@pytest.mark.parametrize("quality", [1, 10, 50, 75, 95, 100])
def test_jpeg_has_libjpegs_tables(quality):
    coded = io.BytesIO()
    Image.new("L", (8, 8)).save(coded, "jpeg", quality=quality)
    assert Image.open(coded).quantization[0] == Jpeg(quality).table.flatten().int().tolist()


@pytest.mark.parametrize("quality", [10, 50, 75, 95])
@pytest.mark.parametrize("size", [(20, 29), (64, 64)])
def test_jpeg_is_libjpegs(quality, size):
    """Up to coefficients within 0.01 steps of a half, which libjpeg's transform in integers may take elsewhere."""
    clips = pictures(4, *size)
    theirs = torch.stack([libjpeg(clip, quality) for clip in clips])
    difference = (Jpeg(quality)(clips) - theirs).abs() * 255
    assert (difference < 1.5).float().mean() > 0.9
    assert difference.square().mean().sqrt() < 1


def test_total_variation_of_two_halves_in_closed_form():
    """Each half moves by 2λ/W towards the other: the fall of the edge's variation against the squares."""
    weight, width = 0.05, 8
    clip = torch.zeros(1, 1, 6, width, dtype=torch.float64)
    clip[..., width // 2 :] = 1
    expected = clip + (0.5 - clip).sign() * 2 * weight / width
    torch.testing.assert_close(TotalVariation(weight, steps=2000)(clip), expected, atol=1e-4, rtol=0)


def test_divergence_is_minus_the_adjoint_of_differences():
    clips, field = pictures().double(), torch.randn(2, 3, 1, 20, 29, dtype=torch.float64)
    torch.testing.assert_close((differences(clips) * field).sum(), -(clips * divergence(field)).sum())


def test_total_variation_is_near_its_minimum():
    """By the default number of steps the objective lies within 1 % of where many more steps bring it."""
    clips, weight = pictures(2, 64, 64).double(), 0.03

    def objective(u):
        variation = differences(u).square().sum(dim=0).sqrt().flatten(1).sum(dim=1)
        return (u - clips).square().flatten(1).sum(dim=1) / 2 + weight * variation

    fast, slow = objective(TotalVariation(weight)(clips)), objective(TotalVariation(weight, 3000)(clips))
    assert (slow <= fast + 1e-9).all()
    assert (fast < 1.01 * slow).all()
    assert (slow < 0.8 * objective(clips)).all()


def test_total_variation_has_exact_gradients():
    clips = pictures(1, 6, 7).double().requires_grad_()
    assert torch.autograd.gradcheck(TotalVariation(0.03, steps=5), clips)
    flat = torch.full((1, 1, 5, 5), 0.5, requires_grad=True)
    (gradient,) = torch.autograd.grad(TotalVariation(0.03)(flat).sum(), flat)
    torch.testing.assert_close(gradient, torch.ones_like(gradient))


def test_a_window_is_torchs_bilinear_resize():
    clips = pictures(5)
    torch.testing.assert_close(CropRescale(1.0)(clips), clips)
    torch.manual_seed(0)
    windows = CropRescale(0.8)(clips)
    torch.manual_seed(0)
    starts = [torch.rand(5, 1)[:, 0] * 0.2 * (length - 1) for length in (20, 29)]
    for clip, window, top, left in zip(clips, windows, *starts, strict=True):
        rows, columns = top + 0.8 * torch.arange(20), left + 0.8 * torch.arange(29)
        grid = torch.stack(torch.meshgrid(2 * columns / 28 - 1, 2 * rows / 19 - 1, indexing="xy"), dim=-1)
        expected = nn.functional.grid_sample(clip[None], grid[None], align_corners=True)
        torch.testing.assert_close(window[None], expected, atol=1e-5, rtol=0)


def test_windows_are_drawn_for_every_picture_and_pass():
    clips = pictures(1).expand(6, -1, -1, -1)
    once, again = CropRescale(0.8)(clips), CropRescale(0.8)(clips)
    assert len({window.sum().item() for window in torch.cat([once, again])}) == 12


@pytest.mark.parametrize("kind", KINDS)
def test_it_stays_in_the_box_and_lets_gradients_through(kind):
    wrapped = defense(kind).wrap(convolutions(1, 4), (1, 20, 29), 4).eval()
    clips = pictures().requires_grad_()
    transformed = wrapped[0](clips)
    assert transformed.shape == clips.shape
    assert transformed.min() >= -1e-6
    assert transformed.max() <= 1 + 1e-6
    (gradient,) = torch.autograd.grad(wrapped(clips).sum(), clips)
    assert (gradient.flatten(1).norm(dim=1) > 0).all()


@pytest.mark.parametrize("kind", KINDS[:3])
def test_a_picture_does_not_see_its_batch(kind):
    transform = defense(kind).wrap(nn.Identity(), (1, 20, 29), 4)[0]
    clips = pictures(4)
    torch.testing.assert_close(transform(clips)[2:3], transform(clips[2:3]), atol=1e-6, rtol=0)


def test_the_adversary_and_its_draws_depend_on_the_kind():
    found = {kind: (defense(kind).adversary, defense(kind).draws) for kind in KINDS}
    assert found == {
        "bit-depth": (Adversary.BPDA, 1),
        "jpeg": (Adversary.BPDA, 1),
        "total-variation": (Adversary.EXACT, 1),
        "crop-rescale": (Adversary.EOT, 10),
    }
    assert set(json.loads(json.dumps(InputTransform.capabilities()))["adversary"]) == set(KINDS)


def test_the_parameter_kind_is_not_the_kind_of_component():
    assert InputTransform.kind is Kind.DEFENSE
    assert InputTransform().kind == "bit-depth"
    assert InputTransform() == defense("bit-depth") != defense("jpeg")


def test_parameters_of_other_kinds_are_refused():
    with pytest.raises(ValueError, match="bits and weight have no effect when kind = 'jpeg'"):
        InputTransform(kind="jpeg", bits=2, weight=0.1)


def test_only_rounding_serves_inputs_that_are_no_pictures():
    for kind in KINDS:
        network, forest = (SimpleNamespace(id="some", retrainable=trains) for trains in (True, False))
        reason = defense(kind).reason_to_skip(network, (1, 16000), 4)
        assert (reason is None) == (kind == "bit-depth")
        assert defense(kind).reason_to_skip(network, (1, 64, 64), 4) is None
        assert "cannot be trained" in defense(kind).reason_to_skip(forest, (1, 64, 64), 4)


def test_the_classifier_learns_to_read_what_the_transformation_leaves():
    """Two levels of grey on the same side of the threshold of one bit: the noise around them decides."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(200) % 2
    inputs = 0.3 + 0.1 * labels[:, None, None, None] + 0.1 * torch.randn(200, 1, 8, 8, generator=generator)
    data = TrainingData(
        *(Examples(inputs[part].clamp(0, 1), labels[part]) for part in (range(100), range(100, 200))), 2
    )
    torch.manual_seed(0)
    classifier = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    Trainer(Recipe(epochs=10, batch=20, learning_rate=0.1), 0).fit(classifier, data)
    one_bit = InputTransform(bits=1)
    defended = one_bit.wrap(classifier, (1, 8, 8), 2).eval()
    before = accuracy(defended, data.validation)
    one_bit.fit(defended, data, Trainer(Recipe(epochs=10, batch=20, learning_rate=0.1), 0))
    assert accuracy(defended, data.validation) > before + 0.2
