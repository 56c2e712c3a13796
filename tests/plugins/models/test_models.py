"""Networks: parameter counts of the papers' tables, shapes, gradients, and that each can learn."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from soundproof import Domain
from soundproof.training.optimisation import penalty_of
from soundproof_models.arwaveletcnn import ARWaveletCNN
from soundproof_models.conv_gru_lstm import ConvGruLstm
from soundproof_models.densenet import DenseNet121
from soundproof_models.digit_resnet import DigitResNet
from soundproof_models.mel_cnn import MelCnn
from soundproof_models.mlp import MLP
from soundproof_models.mobilenet import MobileNetV2
from soundproof_models.resnet_cifar import ResNet56
from soundproof_models.torchvision_networks import AlexNet, GoogLeNet, ResNet18, ResNet34
from soundproof_models.vgg import VGG16
from soundproof_models.wavenet import WaveNet
from soundproof_models.yamnet import YAMNet

pytestmark = pytest.mark.slow

# Parameters for (1000 classes, 3 channels), (50, 3), (10, 3) and (10, 1).
TABLE = {
    AlexNet(): (61_100_840, 57_208_690, 57_044_810, 57_029_322),
    GoogLeNet(): (6_624_904, 5_651_154, 5_610_154, 5_603_882),
    ResNet18(): (11_689_512, 11_202_162, 11_181_642, 11_175_370),
    ResNet34(): (21_797_672, 21_310_322, 21_289_802, 21_283_530),
    ResNet56(): (917_368, 855_618, 853_018, 852_730),
    ResNet56(shortcuts="projection"): (920_120, 858_370, 855_770, 855_482),
    ResNet56(form="imagenet"): (27_791_400, 25_844_850, 25_762_890, 25_756_618),
    VGG16(): (138_357_544, 134_465_394, 134_301_514, 134_300_362),
    DenseNet121(): (7_978_856, 7_005_106, 6_964_106, 6_957_834),
}

# Every network, as small as it comes, with a shape that suits it.
SMALL = [
    (AlexNet(), (1, 63, 63)),
    (ARWaveletCNN(dropout=0), (1, 32, 32)),
    (ARWaveletCNN(head="softmax", signed=True, dropout=0), (1, 32, 32)),
    (ConvGruLstm(dropout=0), (1, 13, 24)),
    (DenseNet121(), (1, 32, 32)),
    (DenseNet121(head="dense", dropout=0), (1, 32, 32)),
    (DigitResNet(), (1, 32, 32)),
    (GoogLeNet(), (1, 32, 32)),
    (MelCnn(width=8, dropout=0), (1, 32, 32)),
    (MLP(hidden=(16,)), (6,)),
    (MobileNetV2(dropout=0), (1, 32, 32)),
    (ResNet18(), (1, 32, 32)),
    (ResNet56(depth=8, shortcuts="projection"), (1, 32, 32)),
    (ResNet56(form="imagenet"), (1, 32, 32)),
    (WaveNet(filters=8), (1, 800)),
    (WaveNet(variant="A", filters=8), (1, 400)),
    (YAMNet(), (1, 64, 96)),
]

# Those whose steps take no more than moments.
QUICK = [(model, shape) for model, shape in SMALL if model not in (AlexNet(), ResNet56(form="imagenet"))]


def named(value):
    return value.id if hasattr(value, "id") else ""


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("model", TABLE, ids=named)
def test_parameter_counts(model):
    with torch.device("meta"):
        counts = tuple(
            count(model.build((channels, 128, 128), classes))
            for classes, channels in ((1000, 3), (50, 3), (10, 3), (10, 1))
        )
    assert counts == TABLE[model]


@pytest.mark.parametrize(
    ("model", "shape", "classes", "parameters"),
    [
        (MelCnn(), (3, 128, 256), 1, 6_974_785),
        (MobileNetV2(), (3, 224, 224), 1, 2_223_872 + 328_193),
        (DenseNet121(head="dense"), (3, 224, 224), 2, 13_261_696),
        # VGG-16's convolutions without its dense layers, then the published head.
        (VGG16(head="convolution"), (3, 224, 224), 2, 14_714_688 + 295_104 + 34_304 + 1_026),
    ],
    ids=named,
)
def test_parameter_counts_with_published_heads(model, shape, classes, parameters):
    with torch.device("meta"):
        assert count(model.build(shape, classes)) == parameters


@pytest.mark.parametrize(("model", "shape"), QUICK, ids=named)
def test_weights_are_drawn_from_torchs_generator_and_can_be_stored(model, shape):
    def built(seed):
        torch.manual_seed(seed)
        return model.build(shape, 5).eval()

    first, same, other = built(0), built(0), built(1)
    inputs = torch.rand(2, *shape)
    with torch.inference_mode():
        assert torch.equal(first(inputs), same(inputs))
        assert not torch.equal(first(inputs), other(inputs))
        other.load_state_dict(first.state_dict())
        assert torch.equal(first(inputs), other(inputs))


@pytest.mark.parametrize(("model", "shape"), QUICK, ids=named)
def test_small_networks_can_learn_eight_random_inputs(model, shape):
    torch.manual_seed(0)
    network = model.build(shape, 4).train()
    inputs, labels = torch.rand(8, *shape), torch.arange(8) % 4
    optimizer = torch.optim.Adam(network.parameters(), lr=min(3e-3, 5 * model.recipe.learning_rate))
    for _ in range(150):
        loss = cross_entropy(network(inputs), labels)
        if loss.item() < 0.1 * math.log(4):
            return
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    pytest.fail(f"after 150 steps the loss is {loss.item():.2f}")


def test_domains():
    assert WaveNet.accepts == {Domain.WAVEFORM}
    assert MLP.accepts == {Domain.VECTOR}
    rest = {type(model) for model, _ in SMALL} - {WaveNet, MLP}
    assert all(model.accepts == {Domain.IMAGE} for model in rest)


@pytest.mark.parametrize(
    ("model", "layers"),
    [(DenseNet121(head="dense"), ["classifier"]), (VGG16(head="convolution"), ["avgpool", "classifier"])],
    ids=named,
)
def test_published_heads_are_under_l1_and_nothing_else_is(model, layers):
    with torch.device("meta"):
        network = model.build((3, 128, 128), 2)
    penalty_of(model.recipe, network)().backward()
    kernels = {
        f"{prefix}.{name}.weight"
        for prefix in layers
        for name, layer in network.get_submodule(prefix).named_modules()
        if isinstance(layer, (torch.nn.Linear, torch.nn.Conv2d))
    }
    assert {name for name, weight in network.named_parameters() if weight.grad is not None} == kernels
    assert model.recipe.l1 == 1e-4
    assert not DenseNet121().recipe.l1
    assert not VGG16().recipe.l1


@pytest.mark.parametrize(
    "model", [ResNet18(), ResNet56(depth=8), ResNet56(depth=14, width=4), MelCnn(width=4)], ids=lambda m: m.id
)
@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 24, 40), (1, 128, 128)])
def test_logits_of_any_picture(model, shape):
    assert model.reason_to_skip(shape, 7) is None
    logits = model.build(shape, 7)(torch.rand(2, *shape))
    assert logits.shape == (2, 7)
    assert torch.isfinite(logits).all()


def test_the_cifar_stages_halve_the_picture_and_double_the_maps():
    sizes = []
    network = ResNet56(depth=20).build((1, 64, 64), 10)
    for block in network.blocks:
        block.register_forward_hook(lambda _, __, maps: sizes.append(tuple(maps.shape[1:])))
    network(torch.rand(1, 1, 64, 64))
    assert sizes == [(16, 64, 64)] * 3 + [(32, 32, 32)] * 3 + [(64, 16, 16)] * 3


@pytest.mark.parametrize(("side", "first"), [(95, 95), (96, 48), (128, 64)])
def test_large_pictures_get_a_stem_of_stride_two(side, first):
    network = ResNet56(depth=8).build((1, side, side), 10)
    sizes = []
    network.stem.register_forward_hook(lambda _, __, maps: sizes.append(maps.shape[-1]))
    network(torch.rand(1, 1, side, side))
    assert sizes == [first]


def test_shortcuts_without_parameters_subsample_and_pad():
    block = ResNet56(depth=8).build((1, 32, 32), 10).blocks[1]
    for convolution in (block.conv1, block.conv2):
        torch.nn.init.zeros_(convolution.weight)
    maps = torch.rand(1, 16, 8, 8)
    out = block.eval()(maps)
    torch.testing.assert_close(out[:, 8:24], maps[:, :, ::2, ::2])
    assert not out[:, :8].any()
    assert not out[:, 24:].any()


def test_pictures_too_small_for_mel_cnn():
    assert "22×22" in MelCnn().reason_to_skip((1, 21, 128), 10)
    assert MelCnn().reason_to_skip((1, 22, 22), 10) is None
    MelCnn().build((1, 22, 22), 10)(torch.rand(1, 1, 22, 22))


def test_the_imagenet_form_has_no_other_parameters():
    with pytest.raises(ValueError, match="leave them out"):
        ResNet56(form="imagenet", depth=20)
    with pytest.raises(ValueError, match="leave them out"):
        ResNet56(form="imagenet", shortcuts="projection")


def test_projections_stand_only_where_the_shape_changes():
    blocks = ResNet56(depth=20, shortcuts="projection").build((1, 32, 32), 10).blocks
    projected = [not isinstance(block.shortcut, torch.nn.Identity) for block in blocks]
    assert projected == [False] * 3 + [True, False, False] * 2
