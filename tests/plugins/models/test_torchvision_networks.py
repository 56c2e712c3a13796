"""Torchvision's networks: the same functions as torchvision's, the sizes it needs, and its ImageNet weights."""

import hashlib

import pytest
import torch
from torchvision import models as torchvision
from torchvision.models import get_weight

from soundproof import Examples, Recipe, SoundproofError, Trainer, TrainingData
from soundproof_models import _imagenet
from soundproof_models.densenet import DenseNet121
from soundproof_models.mobilenet import MobileNetV2
from soundproof_models.torchvision_networks import AlexNet, GoogLeNet, ResNet18, ResNet34
from soundproof_models.vgg import VGG16

pytestmark = pytest.mark.slow

# What torchvision calls them.
NETWORKS = {
    AlexNet: "alexnet",
    DenseNet121: "densenet121",
    GoogLeNet: "googlenet",
    MobileNetV2: "mobilenet_v2",
    ResNet18: "resnet18",
    ResNet34: "resnet34",
    VGG16: "vgg16",
}
SMALL = [DenseNet121, GoogLeNet, ResNet18]


def named(model):
    return model.id


def reference(model, classes=1000):
    """Torchvision's own network."""
    options = {"init_weights": False} if model is GoogLeNet else {}
    return torchvision.get_model(NETWORKS[model], weights=None, num_classes=classes, **options)


@pytest.mark.parametrize("model", SMALL, ids=named)
def test_functions_are_torchvisions(model):
    options = {"aux_logits": False, "init_weights": False} if model is GoogLeNet else {}
    theirs = torchvision.get_model(NETWORKS[model], weights=None, num_classes=10, **options).eval()
    ours = model().build((3, 64, 64), 10).eval()
    theirs.load_state_dict(ours.state_dict())
    images = torch.rand(2, 3, 64, 64)
    assert torch.equal(ours(images), theirs(images))


@pytest.mark.parametrize("model", [AlexNet, VGG16], ids=named)
def test_large_ones_have_torchvisions_layers(model):
    with torch.device("meta"):
        ours, theirs = model().build((3, 64, 64), 10), reference(model, 10)
    assert str(ours) == str(theirs)


def test_mobilenet_is_torchvisions_up_to_its_head():
    ours = MobileNetV2().build((3, 64, 64), 10).eval()
    theirs = reference(MobileNetV2).eval()
    theirs.features.load_state_dict(ours.features.state_dict())
    images = torch.rand(2, 3, 64, 64)
    assert torch.equal(ours.features(images), theirs.features(images))
    assert torch.equal(ours(images), ours.classifier(theirs.features(images).mean(dim=(2, 3))))


@pytest.mark.parametrize("model", NETWORKS, ids=named)
def test_the_smallest_pictures_are_torchvisions(model):
    assert (model.smallest, model.smallest) == get_weight(model.published).meta["min_size"]
    side = model.smallest
    assert model().reason_to_skip((1, side, side), 5) is None
    if side > 1:
        message = f"{model.id} needs pictures of at least {side}×{side}, not {side}×{side - 1}"
        assert model().reason_to_skip((1, side, side - 1), 5) == message


@pytest.mark.parametrize("model", [AlexNet, DenseNet121, GoogLeNet, MobileNetV2, ResNet18], ids=named)
def test_the_smallest_pictures_have_logits(model):
    side = model.smallest
    assert model().build((1, side, side), 5).eval()(torch.rand(2, 1, side, side)).shape == (2, 5)


def test_other_heads_have_needs_and_margins_of_their_own():
    assert "head = 'dense'" in VGG16(head="convolution").reason_to_skip((1, 95, 96), 5)
    assert VGG16(head="convolution").reason_to_skip((1, 96, 96), 5) is None
    assert DenseNet121().recipe.margin == 0
    assert DenseNet121(head="dense").recipe.margin == pytest.approx(10.5)


def test_the_convolutional_head_of_vgg():
    network = VGG16(head="convolution").build((1, 96, 96), 5).eval()
    with torch.inference_mode():
        maps = network.features(torch.rand(1, 1, 96, 96))
        assert network.avgpool[0](maps).shape == (1, 64, 1, 1)
        assert network(torch.rand(2, 1, 96, 96)).shape == (2, 5)


def test_published_weights_are_fine_tuned_at_a_tenth():
    for model in NETWORKS:
        rate = model().recipe.learning_rate
        assert model(weights="imagenet").recipe.learning_rate == pytest.approx(rate / 10)


def test_published_weights_want_one_channel_or_three():
    assert ResNet18().reason_to_skip((2, 64, 64), 5) is None
    assert "1 or 3 channels, not 2" in ResNet18(weights="imagenet").reason_to_skip((2, 64, 64), 5)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("model", NETWORKS, ids=named)
def test_published_names_and_shapes_fit(model, channels, monkeypatch):
    """On the meta device, where even VGG-16 weighs nothing."""
    with torch.device("meta"):
        monkeypatch.setattr(_imagenet, "_download", lambda _: reference(model).state_dict())
        network = model(weights="imagenet").build((channels, 64, 64), 7).network
        new = model().new
        _imagenet.load_imagenet(network, model.published, first=model.first, new=new)
        named = set(network.state_dict()) - set(reference(model).state_dict())
    assert all(name.startswith(tuple(new)) for name in named)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Torch hub with a cache of its own, and a place that publishes one network's weights."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def publish(model, state):
        draft = tmp_path / "draft"
        torch.save(state, draft)
        digest = hashlib.sha256(draft.read_bytes()).hexdigest()[:8]
        file = draft.rename(tmp_path / f"{NETWORKS[model]}-{digest}.pth")
        monkeypatch.setattr(get_weight(model.published).value, "url", file.as_uri())
        return file

    publish.cache = tmp_path / "cache" / "hub" / "checkpoints"
    return publish


def data(channels, side=32):
    images = torch.rand(4, channels, side, side, generator=torch.Generator().manual_seed(0))
    examples = Examples(images, torch.arange(4) % 2)
    return TrainingData(examples, examples, 2)


def fitted(model, data, epochs=0):
    network = model.build(data.shape, data.classes)
    model.fit(network, data, Trainer(Recipe(epochs=epochs, batch=4, learning_rate=1e-3), seed=0))
    return network


def distinct(network):
    """Statistics unlike those of any other untrained network."""
    for name, tensor in network.state_dict().items():
        if "running" in name:
            tensor.add_(torch.rand_like(tensor))
    return network.eval()


@pytest.mark.parametrize("channels", [1, 3])
def test_imagenet_weights_are_loaded(hub, channels):
    theirs = distinct(reference(MobileNetV2))
    hub(MobileNetV2, theirs.state_dict())
    examples = data(channels)
    network = fitted(MobileNetV2(weights="imagenet"), examples)
    # A grey picture is one with three equal channels; its kernels add up.
    images = examples.train.inputs.expand(-1, 3, -1, -1)
    if channels == 1:
        expected = theirs.features((images - 0.449) / 0.226)
    else:
        mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        expected = theirs.features((images - mean[:, None, None]) / deviation[:, None, None])
    seen = []
    network.network.classifier.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(examples.train.inputs)
    torch.testing.assert_close(seen[0], expected.mean(dim=(2, 3)), atol=1e-4, rtol=1e-4)


def test_old_names_of_densenet_are_understood(hub):
    theirs = distinct(reference(DenseNet121)).state_dict()
    old = {name.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): value for name, value in theirs.items()}
    assert old.keys() != theirs.keys()
    hub(DenseNet121, old)
    loaded = fitted(DenseNet121(weights="imagenet"), data(3)).network.state_dict()
    for name, tensor in theirs.items():
        if not name.startswith("classifier"):
            assert torch.equal(loaded[name], tensor), name


def test_googlenet_gets_the_range_it_was_trained_on(hub):
    theirs = distinct(torchvision.googlenet(weights=None, init_weights=False, transform_input=True))
    hub(GoogLeNet, theirs.state_dict())
    network = fitted(GoogLeNet(weights="imagenet"), data(3)).network
    ours = fitted(GoogLeNet(weights="imagenet"), data(3))
    images = data(3).train.inputs
    mean, deviation = torch.tensor(_imagenet.MEAN), torch.tensor(_imagenet.DEVIATION)
    theirs.fc = ours.network.fc
    expected = theirs((images - mean[:, None, None]) / deviation[:, None, None])
    torch.testing.assert_close(ours(images), expected, atol=1e-4, rtol=1e-4)
    assert network.aux1 is None


def test_all_but_the_last_block_stays_frozen(hub):
    theirs = distinct(reference(MobileNetV2)).state_dict()
    hub(MobileNetV2, theirs)
    trained = fitted(MobileNetV2(weights="imagenet"), data(3), epochs=2).network.features.state_dict()
    for name, tensor in trained.items():
        early = int(name.partition(".")[0]) < 17
        assert torch.equal(tensor, theirs[f"features.{name}"]) == early, name
    free = fitted(MobileNetV2(weights="imagenet", trained="all"), data(3), epochs=1).network.features.state_dict()
    assert not torch.equal(free["0.0.weight"], theirs["features.0.0.weight"])


def test_random_weights_are_never_frozen():
    with pytest.raises(ValueError, match="use weights = 'imagenet'"):
        MobileNetV2(trained="last-block")


def test_a_cache_is_enough(hub):
    file = hub(MobileNetV2, reference(MobileNetV2).state_dict())
    hub.cache.mkdir(parents=True)
    file.rename(hub.cache / file.name)
    fitted(MobileNetV2(weights="imagenet"), data(3))


def test_weights_that_cannot_be_had(hub):
    file = hub(MobileNetV2, reference(MobileNetV2).state_dict())
    file.unlink()
    with pytest.raises(SoundproofError) as caught:
        fitted(MobileNetV2(weights="imagenet"), data(3))
    (problem,) = caught.value.problems
    for told in (file.name, str(hub.cache), "TORCH_HOME", "weights = 'none'"):
        assert told in problem


def test_damaged_weights_are_refused(hub):
    file = hub(MobileNetV2, reference(MobileNetV2).state_dict())
    hub.cache.mkdir(parents=True)
    (hub.cache / file.name).write_bytes(file.read_bytes()[:-9])
    with pytest.raises(SoundproofError, match="is damaged"):
        fitted(MobileNetV2(weights="imagenet"), data(3))


def test_weights_of_another_network_are_refused(hub):
    hub(MobileNetV2, {"conv1.weight": torch.zeros(1, 3, 1, 1), "features.0.0.weight": torch.zeros(1, 3, 1, 1)})
    with pytest.raises(SoundproofError, match="another network's"):
        fitted(MobileNetV2(weights="imagenet"), data(3))
