"""YAMNet: its table, the values it sees, trained weights from files, and a backbone that stays as it is."""

import pytest
import torch
from safetensors.torch import save_file

from soundproof import Examples, Recipe, SoundproofError, Trainer, TrainingData
from soundproof_models._yamnet import HIGHEST, LOWEST, Backbone
from soundproof_models.yamnet import YAMNet
from soundproof_representations.yamnet import YAMNetPatch


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.fixture(scope="module")
def trained():
    """A backbone whose weights and statistics are like nobody's."""
    torch.manual_seed(3)
    backbone = Backbone()
    for tensor in backbone.state_dict().values():
        if tensor.is_floating_point():
            tensor.add_(0.01 * torch.rand_like(tensor))
    return backbone.state_dict()


@pytest.fixture(scope="module")
def data():
    generator = torch.Generator().manual_seed(0)
    examples = Examples(torch.rand(4, 2, 64, 96, generator=generator), torch.arange(4) % 2)
    return TrainingData(examples, examples, 2)


def trainer():
    return Trainer(Recipe(epochs=2, batch=4, learning_rate=1e-2), seed=0)


def test_parameters_are_the_published_ones():
    with torch.device("meta"):
        network = YAMNet().build((3, 64, 96), 1)
    assert count(network.backbone) == 3_195_456
    assert count(network.head) == 590_593
    statistics = sum(buffer.numel() for name, buffer in network.named_buffers() if "running" in name)
    assert statistics == 21_888


def test_layers_have_the_published_sizes():
    sizes = []
    backbone = Backbone().eval()
    for layer in backbone.children():
        layer.register_forward_hook(lambda _, __, out: sizes.append(tuple(out.shape[1:])))
    with torch.inference_mode():
        embeddings = backbone(torch.rand(1, 1, 96, 64))
    assert sizes == [
        (32, 48, 32),
        (64, 48, 32),
        (128, 24, 16),
        (128, 24, 16),
        (256, 12, 8),
        (256, 12, 8),
        *[(512, 6, 4)] * 6,
        (1024, 3, 2),
        (1024, 3, 2),
    ]
    assert embeddings.shape == (1, 1024)


def test_convolutions_are_padded_as_tensorflow_does():
    """At stride 2 the first output looks at the first three rows, not at padding above them."""
    convolution = Backbone().double().eval().layer1.fused
    images = torch.rand(1, 1, 8, 8, dtype=torch.float64)
    kernel = convolution.conv.weight[0, 0]
    expected = (kernel * images[0, 0, :3, :3]).sum() / (1 + 1e-4) ** 0.5
    out = convolution(images)
    assert out.shape[2:] == (4, 4)
    torch.testing.assert_close(out[0, 0, 0, 0], expected.clamp(min=0))


def test_the_backbone_sees_the_log_mel_values_of_the_representation():
    transform = YAMNetPatch().fit(torch.zeros(1, 31_000))
    assert pytest.approx(float(transform.scale.low), abs=1e-5) == LOWEST
    assert pytest.approx(float(transform.scale.high), abs=1e-5) == HIGHEST
    waveforms = torch.rand(2, 31_000, generator=torch.Generator().manual_seed(1)) - 0.5
    values = transform.transform(torch.nn.functional.pad(waveforms, (0, transform.length - 31_000)))
    seen = []
    network = YAMNet().build((3, 64, 96), 4).eval()
    network.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(transform(waveforms))
    patches = seen[0].unflatten(0, (2, -1))
    for number in range(3):
        frames = values[:, :, 48 * number : 48 * number + 96]
        torch.testing.assert_close(patches[:, number, 0], frames.transpose(1, 2), atol=2e-5, rtol=1e-5)


def test_a_clip_is_as_its_loudest_embeddings():
    torch.manual_seed(0)
    network = YAMNet().build((3, 64, 96), 4).eval()
    images = torch.rand(1, 3, 64, 96)
    torch.testing.assert_close(network(images), network(images[:, [2, 0, 1]]))
    torch.testing.assert_close(network(images), network(images[:, [2, 0, 1, 1]]))
    apart = torch.stack([network.backbone((LOWEST + (HIGHEST - LOWEST) * p).T[None, None]) for p in images[0]])
    torch.testing.assert_close(network(images), network.head(apart.amax(dim=0)))


def test_other_pictures_are_skipped():
    assert YAMNet().reason_to_skip((9, 64, 96), 5) is None
    assert "yamnet-patch" in YAMNet().reason_to_skip((1, 128, 128), 5)


def test_random_starts_are_flagged(tmp_path):
    assert YAMNet().flags == ("random-start",)
    assert YAMNet().files == ()
    assert YAMNet(weights=str(tmp_path / "a.pth")).flags == ()
    assert YAMNet(weights=str(tmp_path / "a.pth")).files == (tmp_path / "a.pth",)


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_a_trained_backbone_stays_as_it_is(tmp_path, trained, data, ending):
    file = tmp_path / f"yamnet.{ending}"
    # As in the published file, there is a last layer more.
    state = {**trained, "classifier.weight": torch.zeros(521, 1024)}
    torch.save(state, file) if ending == "pth" else save_file(state, file)
    model = YAMNet(weights=str(file))
    network = model.build(data.shape, 2)
    before = {name: tensor.clone() for name, tensor in network.head.state_dict().items()}
    curve = model.fit(network, data, trainer())
    assert len(curve) == 2
    after = network.backbone.state_dict()
    for name, tensor in trained.items():
        assert torch.equal(after[name], tensor), name
    assert not any(torch.equal(before[name], tensor) for name, tensor in network.head.state_dict().items())


def test_without_weights_all_of_it_trains(data):
    model = YAMNet()
    network = model.build(data.shape, 2)
    before = {name: tensor.clone() for name, tensor in network.named_parameters()}
    model.fit(network, data, trainer())
    assert not any(torch.equal(before[name], tensor) for name, tensor in network.named_parameters())


def test_old_files_without_scales_or_counts_load(tmp_path, trained, data):
    file = tmp_path / "yamnet.pth"
    torch.save({k: v for k, v in trained.items() if not k.endswith(("bn.weight", "num_batches_tracked"))}, file)
    model = YAMNet(weights=str(file))
    model.fit(model.build(data.shape, 2), data, trainer())


def test_all_problems_of_a_file_are_named(tmp_path, trained, data):
    wrong = {**trained, "layer2.depthwise_conv.conv.weight": torch.zeros(3, 3)}
    del wrong["layer1.fused.bn.bias"], wrong["layer14.pointwise_conv.bn.running_var"]
    file = tmp_path / "yamnet.pth"
    torch.save(wrong, file)
    model = YAMNet(weights=str(file))
    with pytest.raises(SoundproofError) as caught:
        model.fit(model.build(data.shape, 2), data, trainer())
    told = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 3
    assert "no layer1.fused.bn.bias" in told
    assert "no layer14.pointwise_conv.bn.running_var" in told
    assert "layer2.depthwise_conv.conv.weight is (3, 3), not (32, 1, 3, 3)" in told


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.pth", b"rubbish", "no file of weights"),
        ("a.safetensors", b"rubbish", "no file of weights"),
        ("absent.pth", None, "no file of weights"),
        ("list.pth", [torch.zeros(2)], "no state dict"),
        ("other.pth", {"conv1.weight": torch.zeros(2)}, "more like these"),
    ],
)
def test_other_files_are_refused(tmp_path, data, name, content, told):
    file = tmp_path / name
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        torch.save(content, file)
    model = YAMNet(weights=str(file))
    with pytest.raises(SoundproofError, match=told) as caught:
        model.fit(model.build(data.shape, 2), data, trainer())
    assert name in str(caught.value)


def test_pickles_of_objects_are_not_loaded(tmp_path, data):
    file = tmp_path / "network.pth"
    torch.save(torch.nn.Linear(1, 1), file)
    model = YAMNet(weights=str(file))
    with pytest.raises(SoundproofError, match="no file of weights"):
        model.fit(model.build(data.shape, 2), data, trainer())
