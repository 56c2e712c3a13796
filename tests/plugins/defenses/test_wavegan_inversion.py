"""The defense: what a classifier hears behind it, and what gradients an attacker gets through it."""

import contextlib
from pathlib import Path

import pytest
import torch
from torch import nn

from soundproof import Adversary, DataError, Examples, Kind, Model, Recipe, Sounds, Trainer, TrainingData
from soundproof.contract.discovery import discover
from soundproof_defenses.wavegan import files
from soundproof_defenses.wavegan.encoder import Encoder
from soundproof_defenses.wavegan_inversion import WaveganInversion

pytestmark = pytest.mark.slow

SAMPLES, CLASSES = 256, 3
TINY = {
    "samples": SAMPLES,
    "width": 2,
    "latent": 4,
    "encoder_width": 2,
    "evaluations": 15,
    "generator_steps": 2,
    "critic_steps": 1,
    "encoder_steps": 2,
    "batch": 4,
}
MODES = ("encoder", "gradient", "hybrid")


class Listener(nn.Module):
    """Any smooth classifier."""

    def __init__(self, length=SAMPLES):
        super().__init__()
        self.layer = nn.Linear(length, CLASSES)

    def forward(self, inputs):
        return self.layer(inputs[:, 0]).tanh()


class Judge(nn.Module):
    """Stands in for the digit classifier: it has stages."""

    def __init__(self, classes):
        super().__init__()
        self.inner, self.head = nn.Conv2d(3, 2, 3, 2, padding=1), nn.Linear(2, classes)

    def stages(self, images):
        maps = self.inner(images).relu()
        return [maps, maps.mean(dim=(2, 3))]

    def forward(self, images):
        return self.head(self.stages(images)[-1])


class Digits(Model):
    id = "digit-resnet"
    recipe = Recipe(epochs=1, batch=4)

    def build(self, shape, classes):
        assert shape == (3, 129, 2)
        return Judge(classes)


def defense(**changes):
    return WaveganInversion(**{**TINY, **changes})


def defended(length=SAMPLES, seed=0, **changes):
    """A classifier behind a generator with random weights that make audible sounds."""
    torch.manual_seed(seed)
    module = defense(**changes).wrap(Listener(length), (1, length), CLASSES)
    with torch.no_grad():
        for parameter in module.inversion.generator.parameters():
            parameter *= 2
        module.inversion.encoder.head.weight *= 3
    return module.eval()


def inputs(count=3, length=SAMPLES, seed=0):
    return torch.rand(count, 1, length, generator=torch.Generator().manual_seed(seed))


def data(count=12):
    examples = Examples(inputs(count), torch.arange(count) % CLASSES)
    return TrainingData(examples, Examples(inputs(5, seed=1), torch.arange(5) % CLASSES), CLASSES)


def trainer(model=Digits):
    return Trainer(Recipe(), 0, build=lambda ref: model())


@pytest.mark.parametrize("mode", MODES)
def test_the_classifier_hears_what_the_generator_makes(mode):
    module = defended(mode=mode)
    heard = module.purified(inputs())
    assert heard.shape == (3, 1, SAMPLES)
    torch.testing.assert_close(module(inputs()), module.classifier(heard))
    waveforms = 2 * inputs()[:, 0] - 1
    level = waveforms.abs().amax(dim=1, keepdim=True)
    expected = module.inversion.recovered(waveforms / level) * level
    torch.testing.assert_close(2 * heard[:, 0] - 1, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("mode", ["gradient", "hybrid"])
def test_a_search_comes_nearer_than_its_start(mode):
    module = defended(mode=mode, evaluations=40)
    inversion = module.inversion
    with torch.no_grad():
        clips = inversion.generator(2 * torch.rand(6, 4) - 1)
        start = inversion.encoder(clips) if mode == "hybrid" else inversion.starts.expand(6, -1)
        before = inversion.distance(start, clips)
    after = inversion.distance(inversion._search(clips), clips)
    assert bool((after < before).all())
    # Not all: a start may lie in the valley of another sound.
    assert after.median() < 0.1 * before.median()


def test_more_starts_never_hurt_and_the_best_counts():
    clips = 2 * inputs()[:, 0] - 1
    one, many = defended(mode="gradient"), defended(mode="gradient", starts=5)
    many.inversion.generator.load_state_dict(one.inversion.generator.state_dict())
    many.inversion.encoder.load_state_dict(one.inversion.encoder.state_dict())
    many.inversion.starts[2] = one.inversion.starts[0]
    values = [m.inversion.distance(m.inversion._search(clips), clips) for m in (one, many)]
    assert bool((values[1] <= values[0] + 1e-5).all())
    assert bool((values[1] < values[0]).any())


@pytest.mark.parametrize("feature_weight", [0.0, 0.5])
def test_the_distance_is_the_formula(feature_weight):
    inversion = defended(feature_weight=feature_weight).inversion
    latents, clips = torch.rand(2, 4), torch.rand(2, SAMPLES)
    rebuilt, spectrum = inversion.generator(latents), inversion.encoder.spectrum
    expected = (rebuilt - clips).abs().mean(dim=1) + (spectrum(rebuilt) - spectrum(clips)).abs().mean(dim=(1, 2))
    maps = [inversion.encoder.stages(part)[1] for part in (rebuilt, clips)]
    expected = expected + feature_weight * (maps[0] - maps[1]).abs().mean(dim=(1, 2, 3))
    torch.testing.assert_close(inversion.distance(latents, clips), expected)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("length", [100, SAMPLES, 300])
def test_any_length_is_cut_or_padded_and_silence_stays_quiet(mode, length):
    module = defended(length, mode=mode)
    silence = torch.full((1, 1, length), 0.5)
    heard = module.purified(torch.cat([inputs(2, length), silence]))
    assert heard.shape == (3, 1, length)
    assert heard.min() >= 0
    assert heard.max() <= 1
    assert (heard[2] - 0.5).abs().max() < 1e-3
    assert bool((heard[:, :, SAMPLES:] == 0.5).all())


@pytest.mark.parametrize("mode", MODES)
def test_a_clip_sounds_the_same_in_any_company_and_mode_of_autograd(mode):
    module = defended(mode=mode).double()
    clips = inputs(4).double()
    together = module.purified(clips)
    for row in range(4):
        torch.testing.assert_close(module.purified(clips[row : row + 1])[0], together[row], atol=1e-7, rtol=0)
    torch.testing.assert_close(module.purified(clips.clone().requires_grad_()), together, atol=0, rtol=0)
    for context in (torch.no_grad, torch.inference_mode):
        with context():
            torch.testing.assert_close(module.purified(clips.clone()), together, atol=0, rtol=0)
    module.train()
    torch.testing.assert_close(module.purified(clips), together, atol=0, rtol=0)


def test_gradients_through_the_encoder_are_exact():
    module = defended().double()
    clips = inputs(2).double()

    def logits(images):
        return module(images)

    direction = torch.randn(clips.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    step = 1e-6
    numeric = (logits(clips + step * direction) - logits(clips - step * direction)).sum() / (2 * step)
    clips.requires_grad_()
    (gradient,) = torch.autograd.grad(logits(clips).sum(), clips)
    assert gradient.abs().sum() > 0
    torch.testing.assert_close((gradient * direction).sum(), numeric, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("mode", ["gradient", "hybrid"])
def test_past_a_search_gradients_pass_as_if_nothing_had_been_there(mode):
    module = defended(mode=mode, backward="identity")
    clips = inputs().requires_grad_()
    (through,) = torch.autograd.grad(module(clips).sum(), clips)
    heard = module.purified(inputs()).detach().requires_grad_()
    (direct,) = torch.autograd.grad(module.classifier(heard).sum(), heard)
    torch.testing.assert_close(through, direct)


@pytest.mark.parametrize("mode", ["gradient", "hybrid"])
def test_past_a_search_gradients_pass_through_the_encoder(mode):
    """The classifier's gradient at what it hears, pulled back through G(E(x))."""
    module = defended(mode=mode, backward="encoder")
    exact = defended(mode="encoder")
    clips = inputs().requires_grad_()
    (through,) = torch.autograd.grad(module(clips).sum(), clips)
    heard = module.purified(inputs()).detach().requires_grad_()
    (at_heard,) = torch.autograd.grad(module.classifier(heard).sum(), heard)
    encoded = exact.purified(clips)
    (expected,) = torch.autograd.grad((encoded * at_heard).sum(), clips)
    assert through.abs().sum() > 0
    torch.testing.assert_close(through, expected)


def test_frozen_weights_still_let_a_search_run():
    module = defended(mode="hybrid").requires_grad_(requires_grad=False)
    with torch.no_grad():
        assert torch.isfinite(module(inputs())).all()


@pytest.mark.parametrize("mode", MODES)
def test_fitting_trains_both_networks_and_reports_held_out_clips(mode):
    module, runner = defended(mode=mode), trainer()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    defense(mode=mode).fit(module, data(), runner)
    changed = {n.split(".")[1] for n, v in module.state_dict().items() if not torch.equal(v, before[n])}
    assert changed == {"generator", "encoder"}
    assert set(runner.reports) == {"reconstruction_mse", "reconstruction_ssim"}
    assert all(len(values) == 5 for values in runner.reports.values())
    fresh = defense(mode=mode).wrap(Listener(), (1, SAMPLES), CLASSES).eval()
    fresh.load_state_dict(module.state_dict())
    assert torch.equal(fresh(inputs()), module(inputs()))


def test_fitting_is_deterministic():
    modules = [defended(), defended()]
    for module in modules:
        torch.manual_seed(1)
        defense().fit(module, data(), trainer())
    pairs = zip(*(module.state_dict().values() for module in modules), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)


def test_the_judge_must_have_stages():
    class Plain(Digits):
        def build(self, shape, classes):
            return nn.Sequential(nn.Flatten(), nn.Linear(3 * 129 * 2, classes))

    with pytest.raises(ValueError, match="perceptual needs a model whose network has stages"):
        defense().fit(defended(), data(), trainer(Plain))


@contextlib.contextmanager
def written(tmp_path, **sizes):
    path = tmp_path / "weights.safetensors"
    trained = defended(seed=1)
    files.save(trained.inversion, path, {**defense().sizes(8000), **sizes})
    yield path, trained


def test_weights_are_read_from_a_file(tmp_path):
    with written(tmp_path) as (path, trained):
        component = defense(weights=str(path))
        assert component.files == (Path(path),)
        module = defended()
        component.fit(module, data(), trainer())
        expected = trained.inversion.state_dict()
        for name, value in module.inversion.state_dict().items():
            assert torch.equal(value, expected[name]) == (name != "starts")


def test_a_file_for_other_sizes_names_them_all(tmp_path):
    with written(tmp_path, rate=8000) as (path, _):
        component = defense(weights=str(path), width=3, latent=5)
        module = component.wrap(Listener(), (1, SAMPLES), CLASSES)
        sounds = Sounds(16000, *(lambda: None,) * 2, lambda waveforms: None)
        clips = data()
        at_16k = TrainingData(clips.train, clips.validation, CLASSES, sounds)
        with pytest.raises(DataError) as caught:
            component.fit(module, at_16k, trainer())
        assert [problem.split("trained for ")[1] for problem in caught.value.problems] == [
            "width 2, not 3; set width, or train anew",
            "latent 4, not 5; set latent, or train anew",
            "rate 8000, not 16000; set rate, or train anew",
        ]


@pytest.mark.parametrize("content", [b"", b"no tensors at all"])
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"weights\.safetensors: no safetensors file"):
        defense(weights=str(path)).fit(defended(), data(), trainer())


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ((1, SAMPLES), None),
        ((1, 100), None),
        ((1, 64, 64), "purifies waveforms"),
        ((4,), "purifies waveforms"),
        ((1, SAMPLES + 1), "makes 256 samples and the inputs have 257; set its samples"),
    ],
)
def test_only_whole_waveforms_are_purified(shape, reason):
    found = defense().reason_to_skip(Digits(), shape, CLASSES)
    assert (found is None) if reason is None else reason in found


def test_the_default_says_what_it_is():
    assert WaveganInversion().adversary is Adversary.EXACT
    assert (
        WaveganInversion(mode="gradient").adversary is WaveganInversion(mode="hybrid").adversary is Adversary.BPDA
    )
    assert WaveganInversion().files == ()
    assert isinstance(WaveganInversion().wrap(Listener(), (1, 4096), 2).inversion.encoder, Encoder)


def test_the_preset_is_the_published_network():
    """Parameter counts of the WaveGAN repository's generator and of the encoder with 100 outputs."""
    registry = discover()
    defense = registry.build(registry.reference(Kind.DEFENSE, {"id": "wavegan-inversion", "preset": "004"}))
    with torch.device("meta"):
        inversion = defense.wrap(nn.Identity(), (1, 16384), 10).inversion
    assert sum(values.numel() for values in inversion.generator.parameters()) == 19_065_345
    assert sum(values.numel() for values in inversion.encoder.parameters()) == 11_232_612
    assert defense.mode == "hybrid"
