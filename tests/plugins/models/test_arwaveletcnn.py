"""ARWaveletCNN: the pyramid against a bare loop and PyWavelets, the layer table, the additive-margin softmax."""

import math
from dataclasses import replace

import numpy as np
import pytest
import pywt
import torch

from soundproof import Examples, Objective, Trainer, TrainingData
from soundproof_models._haar import HaarPyramid
from soundproof_models._heads import CosineLogits
from soundproof_models.arwaveletcnn import ARWaveletCNN


def looped(picture):
    """One level of one picture, value by value: LL, LH, HL, HH."""
    height, width = picture.shape
    bands = np.zeros((4, height // 2, width // 2))
    for i in range(height // 2):
        for j in range(width // 2):
            top, bottom = picture[2 * i, 2 * j : 2 * j + 2], picture[2 * i + 1, 2 * j : 2 * j + 2]
            low, high = (top + bottom) / 2, abs(top - bottom)
            bands[:, i, j] = [low.mean(), abs(low[0] - low[1]), high.mean(), abs(high[0] - high[1])]
    return bands


def test_the_pyramid_is_a_bare_loop():
    images = torch.rand(2, 3, 16, 24, dtype=torch.float64)
    levels = HaarPyramid(3)(images)
    for item, clip in enumerate(images.numpy()):
        for channel, picture in enumerate(clip):
            for level in levels:
                bands = looped(picture)
                np.testing.assert_allclose(level[item, 4 * channel : 4 * channel + 4], bands, atol=1e-12)
                picture = bands[0]


def test_the_signed_pyramid_is_pywavelets_haar():
    images = torch.rand(1, 1, 32, 16, dtype=torch.float64)
    picture = images[0, 0].numpy()
    for level in HaarPyramid(4, signed=True)(images):
        approximation, (horizontal, vertical, diagonal) = pywt.dwt2(picture, "haar")
        expected = [approximation / 2, vertical, horizontal, 2 * diagonal]
        np.testing.assert_allclose(level[0], expected, atol=1e-12)
        picture = approximation / 2


def test_levels_halve_the_picture():
    sizes = [tuple(level.shape[1:]) for level in HaarPyramid(4)(torch.rand(1, 3, 224, 224))]
    assert sizes == [(12, 112, 112), (12, 56, 56), (12, 28, 28), (12, 14, 14)]


def parameters(layers):
    """Kernel and bias of each convolution or dense layer."""
    return [
        layer.weight.numel() + layer.bias.numel()
        for layer in layers.modules()
        if isinstance(layer, (torch.nn.Conv2d, torch.nn.Linear))
    ]


def test_every_row_of_the_layer_table():
    with torch.device("meta"):
        network = ARWaveletCNN(head="softmax").build((3, 224, 224), 2)
    table = {
        "conv_1": [6_976, 36_928],
        "conv_a": [6_976],
        "conv_2": [147_584, 147_584],
        "conv_b": [6_976, 73_856],
        "conv_3": [590_080, 590_080],
        "conv_c": [6_976, 147_712, 590_080],
        "conv_4": [1_179_904, 590_080],
        "conv_5": [295_040],
        "dense": [12_847_104, 4_196_352],
        "head": [4_098],
    }
    assert {name: parameters(network.get_submodule(name)) for name in table} == table


@pytest.mark.parametrize(
    ("head", "channels", "trained"),
    [("softmax", 3, 21_477_314), ("softmax", 1, 21_458_882), ("margin", 3, 21_490_240 - 12_928)],
)
def test_totals(head, channels, trained):
    with torch.device("meta"):
        network = ARWaveletCNN(head=head).build((channels, 224, 224), 2)
    assert sum(parameter.numel() for parameter in network.parameters()) == trained
    statistics = sum(buffer.numel() for name, buffer in network.named_buffers() if "running" in name)
    # The last term standardises the input, which the published pipeline does before the network.
    assert statistics == 12_928 + 2 * channels


def test_maps_have_the_published_sizes():
    network = ARWaveletCNN().build((1, 224, 224), 2).eval()
    sizes = {}
    for name, layer in network.named_children():
        layer.register_forward_hook(lambda _, __, out, name=name: sizes.update({name: tuple(out[0].shape)}))
    with torch.inference_mode():
        network(torch.rand(1, 1, 224, 224))
    assert sizes["conv_1"] == sizes["conv_a"] == (64, 56, 56)
    assert sizes["conv_2"] == sizes["conv_b"] == (128, 28, 28)
    assert sizes["conv_3"] == sizes["conv_c"] == (256, 14, 14)
    assert sizes["conv_4"] == (256, 7, 7)
    assert sizes["pool"] == (128, 7, 7)


def test_the_pool_does_not_count_padding():
    pool = ARWaveletCNN().build((1, 64, 64), 2).pool
    maps = torch.rand(1, 2, 2, 2)
    torch.testing.assert_close(pool(maps), maps.mean(dim=(2, 3), keepdim=True).expand_as(maps))


@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 64, 128), (1, 128, 96)])
@pytest.mark.parametrize("head", ["margin", "softmax"])
def test_any_sides_that_32_divides(shape, head):
    model = ARWaveletCNN(head=head)
    assert model.reason_to_skip(shape, 5) is None
    assert model.build(shape, 5).eval()(torch.rand(2, *shape)).shape == (2, 5)


def test_other_sides_are_skipped():
    assert (
        ARWaveletCNN().reason_to_skip((1, 128, 100), 5) == "arwaveletcnn needs sides divisible by 32, not 128×100"
    )


def test_the_margin_belongs_to_its_head():
    assert ARWaveletCNN().recipe.margin == pytest.approx(30 * 0.35)
    assert ARWaveletCNN(head="softmax").recipe.margin == 0


def test_criterion_is_the_additive_margin_softmax():
    """Wang et al. 2018, Eq. 5, term by term."""
    torch.manual_seed(0)
    head = CosineLogits(6, 4).double()
    vectors = torch.randn(5, 6, dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 3, 1])
    expected = 0.0
    for vector, label in zip(vectors, labels.tolist(), strict=True):
        cosines = [float(vector @ weight / (vector.norm() * weight.norm())) for weight in head.weight.detach()]
        own = math.exp(30 * (cosines[label] - 0.35))
        others = sum(math.exp(30 * cosine) for k, cosine in enumerate(cosines) if k != label)
        expected -= math.log(own / (own + others)) / len(labels)
    loss = Objective(ARWaveletCNN().recipe).criterion(head(vectors), labels)
    assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_the_published_scaling_is_255_x_less_the_genuine_mean_over_the_genuine_deviation():
    torch.manual_seed(0)
    inputs = torch.rand(40, 3, 32, 32) * torch.linspace(0.2, 1, 40)[:, None, None, None]
    labels = torch.arange(40) % 2
    data = TrainingData(Examples(inputs, labels), Examples(inputs[:4], labels[:4]), 2)
    model = ARWaveletCNN(scaling="published")
    network = model.build((3, 32, 32), 2)
    model.fit(network, data, Trainer(replace(model.recipe, epochs=1, batch=20), 0))
    genuine = inputs[::2].double().numpy()
    expected = (255 * inputs.double().numpy() - genuine.mean()) / genuine.std()
    np.testing.assert_allclose(network.scaling(inputs), expected, rtol=1e-5, atol=1e-4)
    stored = model.build((3, 32, 32), 2).eval()
    stored.load_state_dict(network.state_dict())
    assert torch.equal(stored(inputs), network(inputs)), "the two numbers are stored with the weights"


def test_a_scaling_without_the_first_class_is_refused():
    data = TrainingData(Examples(torch.rand(4, 1, 32, 32), torch.ones(4).long()), None, 2)
    model = ARWaveletCNN(scaling="published")
    with pytest.raises(ValueError, match="no clip of the first class"):
        model.fit(model.build((1, 32, 32), 2), data, Trainer(model.recipe, 0))
