"""Audio classifiers of transformers: small ones with random weights, saved and loaded as real checkpoints are."""

import json
import pickle

import numpy as np
import pytest
import torch

from soundproof import Examples, Kind, SoundproofError, Sounds, Trainer, TrainingData
from soundproof_models.transformers_folder import Transformers

transformers = pytest.importorskip("transformers")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

RATE, SAMPLES = 16000, 4000
LABELS = {0: "dog bark", 1: "rain", 2: "sea_waves", 3: "Baby cry"}
NAMES = ("baby_cry", "dog_bark", "rain")


def configured(cls, **parameters):
    return cls(id2label=LABELS, label2id={name: number for number, name in LABELS.items()}, **parameters)


SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
CONVOLUTIONS = {
    "conv_dim": (8, 8, 8),
    "conv_kernel": (10, 8, 4),
    "conv_stride": (5, 4, 4),
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "classifier_proj_size": 12,
}


def ast():
    config = configured(transformers.ASTConfig, num_mel_bins=32, max_length=40, **SMALL)
    extractor = transformers.ASTFeatureExtractor(num_mel_bins=32, max_length=40)
    return transformers.ASTForAudioClassification(config), extractor


def wav2vec2():
    config = configured(transformers.Wav2Vec2Config, **SMALL, **CONVOLUTIONS)
    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True)
    return transformers.Wav2Vec2ForSequenceClassification(config), extractor


def hubert():
    config = configured(transformers.HubertConfig, **SMALL, **CONVOLUTIONS, feat_extract_norm="layer")
    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=False)
    return transformers.HubertForSequenceClassification(config), extractor


def whisper():
    config = configured(
        transformers.WhisperConfig,
        num_mel_bins=16,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=24,
        decoder_ffn_dim=24,
        max_source_positions=50,
        vocab_size=50,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
        classifier_proj_size=12,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    extractor = transformers.WhisperFeatureExtractor(feature_size=16, chunk_length=1)
    return transformers.WhisperForAudioClassification(config), extractor


MADE = {"ast": ast, "wav2vec2": wav2vec2, "hubert": hubert, "whisper": whisper}


@pytest.fixture(scope="module", params=MADE)
def saved(request, tmp_path_factory):
    """A folder as `save_pretrained` writes it, the model and the extractor."""
    torch.manual_seed(0)
    model, extractor = MADE[request.param]()
    folder = tmp_path_factory.mktemp(request.param)
    model.eval().save_pretrained(folder)
    extractor.save_pretrained(folder)
    assert (folder / "model.safetensors").exists()
    return folder, model, extractor


@pytest.fixture(scope="module")
def sounds():
    """Speech-like, faint, silent in parts, and loud: `[4, SAMPLES]`."""
    generator = np.random.default_rng(0)
    time = np.arange(SAMPLES) / RATE
    tones = 0.3 * np.sin(2 * np.pi * np.outer([200, 440, 1000, 3000], time))
    found = tones * np.array([1, 1e-2, 1, 3])[:, None] + generator.normal(0, 1e-3, (4, SAMPLES))
    found[2, 1500:] = 0
    return torch.from_numpy(found.clip(-1, 1).astype(np.float32))


def data(names=NAMES, rate=RATE):
    none = Examples(torch.zeros(0, 1, SAMPLES), torch.zeros(0, dtype=torch.int64))
    heard = Sounds(rate, lambda: None, lambda: None, lambda _: None)
    return TrainingData(none, none, len(names), heard, names)


def fitted(folder, names=NAMES, **parameters):
    model = Transformers(path=str(folder), **parameters)
    assert model.reason_to_skip((1, SAMPLES), len(names)) is None
    module = model.build((1, SAMPLES), len(names))
    assert model.fit(module, data(names), Trainer(model.recipe, 0)) == []
    return module


def test_the_front_end_is_the_librarys_extractor(saved, sounds):
    folder, _, extractor = saved
    front = Transformers(path=str(folder)).build((1, SAMPLES), 3).front
    (due,) = extractor(list(sounds.numpy()), sampling_rate=RATE, return_tensors="pt").values()
    assert torch.allclose(front(sounds), due, atol=1e-4), (front(sounds) - due).abs().max()


def test_logits_are_the_models_own_in_the_order_of_the_data_sets_classes(saved, sounds):
    folder, model, extractor = saved
    module = fitted(folder)
    features = extractor(list(sounds.numpy()), sampling_rate=RATE, return_tensors="pt")
    with torch.no_grad():
        due = model(**features).logits
        found = module((sounds[:, None] + 1) / 2)
    assert torch.allclose(found, due[:, [3, 0, 1]], atol=1e-3)
    # What was stored is loaded through the structure, the order of classes too.
    again = Transformers(path=str(folder)).build((1, SAMPLES), 3)
    again.load_state_dict(module.state_dict())
    with torch.no_grad():
        assert torch.equal(again.eval()((sounds[:, None] + 1) / 2), found)


def test_gradients_reach_the_waveform_and_are_right(saved, sounds):
    module = fitted(saved[0]).requires_grad_(requires_grad=False)
    inputs = ((sounds[[0, 3], None] + 1) / 2).requires_grad_()

    def score(values):
        logits = module(values)
        return logits[:, 0] - logits[:, 1]

    (gradient,) = torch.autograd.grad(score(inputs).sum(), inputs)
    assert torch.isfinite(gradient).all()
    assert (gradient.flatten(1).norm(dim=1) > 0).all()
    # Along itself the score rises as the gradient says.
    step = 1e-3 * gradient / gradient.flatten(1).norm(dim=1)[:, None, None]
    with torch.no_grad():
        rise = (score(inputs + step) - score(inputs - step)) / 2e-3
    assert torch.allclose(rise, gradient.flatten(1).norm(dim=1), rtol=0.1)


def test_a_suite_attacks_it_on_the_waveform(tmp_path):
    from soundproof.contract.discovery import discover
    from soundproof.engine.environment import Environment
    from soundproof.engine.runner import Runner
    from soundproof.engine.store import Store
    from soundproof.planning.product import make_plan
    from soundproof.planning.suite import load_suite

    registry = discover()
    torch.manual_seed(1)
    model, extractor = wav2vec2()
    synth = {"id": "synth", "recordings": 4, "takes": 1}
    names = registry.build(registry.reference(Kind.DATASET, synth)).index(tmp_path).classes
    model = type(model)(configured_for(model.config, names))
    model.save_pretrained(tmp_path / "model")
    extractor.save_pretrained(tmp_path / "model")
    suite = {
        "name": "heard",
        "datasets": [synth],
        "representations": [{"id": "waveform", "sr": RATE, "length": 4000}],
        "models": [{"id": "transformers", "path": str(tmp_path / "model")}],
        "attacks": [{"id": "bim-b", "steps": 4}],
        "protocols": ["clean", "bounded"],
        "split": {"scheme": "all"},
    }
    plan = make_plan(load_suite(suite, registry), tmp_path)
    rows = Runner(registry, Environment("cpu", "", 1), Store(tmp_path / "cache"), tmp_path).run(plan).rows
    assert [row.status for row in rows] == ["ok", "ok"], [row.reason for row in rows]
    attacked = next(row for row in rows if row.protocol == "bounded")
    assert attacked.metrics["fooling_auc"].value > 0.5
    wrong = replace_sr(suite, 8000)
    plan = make_plan(load_suite(wrong, registry), tmp_path)
    rows = Runner(registry, Environment("cpu", "", 1), Store(tmp_path / "cache"), tmp_path).run(plan).rows
    assert all("hears 16000 Hz: write representations" in row.reason for row in rows)


def configured_for(config, names):
    found = config.to_dict() | {
        "id2label": dict(enumerate(names)),
        "label2id": {n: i for i, n in enumerate(names)},
    }
    return type(config).from_dict(found)


def replace_sr(suite, rate):
    return {**suite, "representations": [{"id": "waveform", "sr": rate, "length": 2000}]}


def test_names_of_classes_that_the_model_lacks_are_told_at_once(tmp_path):
    model, extractor = wav2vec2()
    model.save_pretrained(tmp_path)
    extractor.save_pretrained(tmp_path)
    with pytest.raises(SoundproofError) as error:
        fitted(tmp_path, ("dog", "rain", "seawaves"))
    assert "no class 'dog'" in str(error.value)
    assert "'seawaves': did you mean 'sea_waves'" in str(error.value)
    module = fitted(tmp_path, ("dog", "rain", "sea"), labels=("dog bark", "Rain", "sea waves"))
    assert module.order.tolist() == [0, 1, 2]
    with pytest.raises(SoundproofError, match="labels names 1 classes"):
        fitted(tmp_path, labels=("rain",))
    with pytest.raises(SoundproofError, match="two classes of the data set would be one"):
        fitted(tmp_path, labels=("rain", "rain", "sea_waves"))
    reason = Transformers(path=str(tmp_path)).reason_to_skip((1, SAMPLES), 10)
    assert reason.endswith("has 4 classes, and the data set 10")


class Exploding:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


def test_what_is_no_trained_classifier_as_safetensors_is_refused(tmp_path):
    model, extractor = wav2vec2()
    model.save_pretrained(tmp_path)
    extractor.save_pretrained(tmp_path)
    component = Transformers(path=str(tmp_path))
    assert {file.name for file in component.files} == {
        "config.json",
        "preprocessor_config.json",
        "model.safetensors",
    }
    # Weights of the encoder alone, whose head would be random.
    model.wav2vec2.save_pretrained(tmp_path / "encoder")
    extractor.save_pretrained(tmp_path / "encoder")
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "encoder" / "config.json").write_text(json.dumps(config))
    with pytest.raises(SoundproofError, match=r"weights lack classifier\.bias"):
        fitted(tmp_path / "encoder")
    # A pickle instead of safetensors.
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(Exploding()))
    with pytest.raises(SoundproofError, match=r"pickles \(.bin, .pt\) are never loaded"):
        fitted(tmp_path)
    with pytest.raises(SoundproofError, match="there is no such folder"):
        Transformers(path=str(tmp_path / "none")).build((1, SAMPLES), 3)


def test_code_in_a_folder_is_not_run(tmp_path):
    model, extractor = wav2vec2()
    model.save_pretrained(tmp_path)
    extractor.save_pretrained(tmp_path)
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')")
    config = json.loads((tmp_path / "config.json").read_text())
    auto = {"AutoConfig": "evil.Config", "AutoModelForAudioClassification": "evil.Model"}
    (tmp_path / "config.json").write_text(json.dumps({**config, "model_type": "evil", "auto_map": auto}))
    with pytest.raises(SoundproofError, match="no audio classifier of transformers"):
        Transformers(path=str(tmp_path)).build((1, SAMPLES), 3)
    assert not (tmp_path / "run").exists()
