"""Two classifiers of real sound for benchmarks of attacks: trained once, kept in a folder of the user's.

The suite `esc10`'s STFT (2048/512, 128×128) and `resnet56` of depth 14 with its recipe, official fold 1 held out;
once trained on the clips themselves, and once on FGSM examples at ‖ε‖₂ = 3.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from soundproof import Budget, Examples, Recipe, Trainer, TrainingData
from soundproof.planning.splits import split
from soundproof.types import Scheme
from soundproof_attacks.fgsm import Fgsm
from soundproof_datasets.esc import ESC10
from soundproof_defenses.adversarial_training import AdversarialTraining
from soundproof_models.resnet_cifar import ResNet56
from soundproof_representations.stft import STFT

TRAININGS = ("standard", "adversarial")
MODEL = ResNet56(depth=14)


class Task(NamedTuple):
    """A frozen classifier and held-out clips that it gets right.

    Attributes:
        network: Channels last, in evaluation mode.
        clean: `[n, 1, 128, 128]` in [0, 1].
        labels: int64 `[n]`.
        accuracy: On the 80 clips of the held-out fold.
    """

    network: nn.Module
    clean: torch.Tensor
    labels: torch.Tensor
    accuracy: float


def task(training: str, root: Path, clips: int = 64) -> Task:
    """The first clips that the classifier gets right, of the held-out fold and, if it has too few, of validation.

    Args:
        training: One of `TRAININGS`.
        root: The data folder, with ESC-50-master/.
        clips: How many, at most.
    """
    kept = Path(os.environ.get("SOUNDPROOF_CLASSIFIERS") or "")
    if not kept.name:
        raise ValueError("SOUNDPROOF_CLASSIFIERS must name a folder for the weights, which take minutes to train")
    kept.mkdir(parents=True, exist_ok=True)
    parts = _inputs(root, kept)
    network = MODEL.build((1, 128, 128), 10).to(memory_format=torch.channels_last)
    weights = kept / f"{training}.safetensors"
    if not weights.exists():
        _train(training, parts, weights)
    network.load_state_dict(load_file(weights))
    network.requires_grad_(requires_grad=False).eval()
    inputs, labels = (
        torch.cat([getattr(parts[part], what) for part in ("test", "validation")]) for what in ("inputs", "labels")
    )
    with torch.no_grad():
        right = network(inputs).argmax(dim=1) == labels
    chosen = right.nonzero()[:clips, 0]
    accuracy = right[: len(parts["test"].labels)].double().mean().item()
    return Task(network, inputs[chosen], labels[chosen], accuracy)


def _inputs(root: Path, kept: Path) -> dict[str, Examples]:
    """The parts of the split, as the classifiers see them."""
    stored = kept / "inputs.safetensors"
    if not stored.exists():
        waveforms = torch.from_numpy(ESC10().waveforms(root, STFT().rate))
        transform = STFT(n_fft=2048, hop=512).fit(waveforms)
        with torch.inference_mode():
            inputs = torch.cat([transform(part) for part in waveforms.split(64)])
        index = ESC10().index(root)
        parts = split(index, Scheme.OFFICIAL, 0)
        tensors = {}
        for name in ("train", "validation", "test"):
            rows = torch.from_numpy(getattr(parts, name))
            tensors |= {name: inputs[rows].clone(), f"{name}-labels": torch.from_numpy(index.labels)[rows]}
        save_file(tensors, stored)
    found = load_file(stored)
    return {name: Examples(found[name], found[f"{name}-labels"]) for name in ("train", "validation", "test")}


def _train(training: str, parts: dict[str, Examples], path: Path) -> None:
    recipe = Recipe(epochs=30, batch=16, learning_rate=MODEL.recipe.learning_rate)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = MODEL.build((1, 128, 128), 10).to(memory_format=torch.channels_last)
        trainer = Trainer(recipe, 0, build=lambda _: Fgsm())
        data = TrainingData(parts["train"], parts["validation"], classes=10)
        if training == "standard":
            trainer.fit(network, data)
        else:
            AdversarialTraining().under(Budget()).fit(network, data, trainer)
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, path)
