"""Robust accuracy by `strongest` beside AutoAttack of ART and of torchattacks, on small ESC-10 networks.

Two adversarially trained networks and one behind a purifier, STFT pictures of 64×64, official fold 1 held out. The
libraries get the same clips, radius, network, steps and queries. Their passes are counted at the network's input.
Beside them what a suite of FGSM and BIM alone would say.

    SOUNDPROOF_DATA=… python scripts/strongest.py FOLDER    # keeps inputs and weights in FOLDER; needs
    torchattacks

The table in docs/honest-evaluation.md comes from here.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from soundproof import Ball, BoundedAttack, Budget, Examples, Goal, Norm, Recipe, Trainer, TrainingData, Victim
from soundproof.planning.splits import split
from soundproof.types import Scheme
from soundproof_attacks.bim import BimB
from soundproof_attacks.fgsm import Fgsm
from soundproof_attacks.pgd import Pgd
from soundproof_attacks.strongest import Strongest
from soundproof_datasets.esc import ESC10
from soundproof_defenses.adversarial_training import AdversarialTraining
from soundproof_defenses.input_transform import InputTransform, Transform
from soundproof_models.resnet_cifar import ResNet56
from soundproof_representations.stft import STFT

# As large per value as 3 on pictures of 128×128.
RADIUS = 1.5
# Of every contestant, so that a core is done in an hour; AutoAttack has 100, 100 and 5000.
STEPS, FAB_STEPS, QUERIES = 100, 30, 1000
NETWORKS = {
    "FGSM training, depth 8": (8, 1, Fgsm(), 0.5, False),
    "FGSM training, depth 8, behind total variation": (8, 1, Fgsm(), 0.5, True),
    "PGD training, depth 14": (14, 0, Pgd(steps=4), 0.0, False),
}


class Counted(nn.Module):
    """Counts the rows that go through a network, and the rows of gradient that come back."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.forwards, self.backwards = network, 0, 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits of the network."""
        self.forwards += len(images)
        if images.requires_grad:
            images = images.view_as(images)
            images.register_hook(self._back)
        return self.network(images)

    def _back(self, gradient: torch.Tensor) -> None:
        self.backwards += len(gradient)


def parts(root: Path, kept: Path) -> dict[str, Examples]:
    """The parts of the split as pictures."""
    stored = kept / "inputs.safetensors"
    if not stored.exists():
        waveforms = torch.from_numpy(ESC10().waveforms(root, STFT().rate))
        transform = STFT(size=(64, 64)).fit(waveforms)
        with torch.inference_mode():
            inputs = torch.cat([transform(part) for part in waveforms.split(64)])
        index = ESC10().index(root)
        divided, tensors = split(index, Scheme.OFFICIAL, 0), {}
        for name in ("train", "validation", "test"):
            rows = torch.from_numpy(getattr(divided, name))
            tensors |= {name: inputs[rows].clone(), f"{name}-labels": torch.from_numpy(index.labels)[rows]}
        save_file(tensors, stored)
    found = load_file(stored)
    return {name: Examples(found[name], found[f"{name}-labels"]) for name in ("train", "validation", "test")}


def trained(
    depth: int, seed: int, attack: object, alpha: float, data: dict[str, Examples], kept: Path
) -> nn.Module:
    """An adversarially trained network, from the folder if it is there."""
    model = ResNet56(depth=depth, stem_stride=2)
    torch.manual_seed(seed)
    network = model.build((1, 64, 64), 10).to(memory_format=torch.channels_last)
    path = kept / f"depth-{depth}.safetensors"
    if not path.exists():
        recipe = Recipe(epochs=25, batch=16, learning_rate=model.recipe.learning_rate)
        trainer = Trainer(recipe, seed, build=lambda _: attack)
        training = TrainingData(data["train"], data["validation"], classes=10)
        AdversarialTraining(alpha=alpha).under(Budget(epsilon=RADIUS)).fit(network, training, trainer)
        save_file({name: value.contiguous() for name, value in network.state_dict().items()}, path)
    network.load_state_dict(load_file(path))
    return network


def _ours(attack: BoundedAttack, network: nn.Module, clean: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Examples of an attack of this project, in batches of 64 as a run attacks them."""
    found = []
    for rows in torch.arange(len(clean)).split(64):
        victim = Victim(network, clean[rows], Goal(labels[rows]), traced=False)
        found.append(attack.perturb(victim, Ball(Norm.L2, RADIUS), torch.Generator().manual_seed(0)))
    return torch.cat(found)


def by_torchattacks(network: nn.Module, clean: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Examples of AutoAttack's four attacks from torchattacks, with the steps of the paper.

    Its class `AutoAttack` runs 10 steps of each, and is weaker.
    """
    import torchattacks

    common = {"eps": RADIUS, "norm": "L2", "seed": 0}
    attacks = [
        torchattacks.APGD(network, **common, steps=STEPS, loss="ce"),
        torchattacks.APGDT(network, **common, steps=STEPS, n_classes=10),
        torchattacks.FAB(network, **common, steps=FAB_STEPS, multi_targeted=True, n_classes=10),
        torchattacks.Square(network, **common, n_queries=QUERIES),
    ]
    return torchattacks.MultiAttack(attacks)(clean, labels)


def by_art(network: nn.Module, clean: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Examples of ART's AutoAttack: Auto-PGD on two losses, DeepFool and Square, one start each."""
    from art.attacks.evasion import AutoAttack, AutoProjectedGradientDescent, DeepFool, SquareAttack
    from art.estimators.classification import PyTorchClassifier

    estimator = PyTorchClassifier(
        network, nn.CrossEntropyLoss(), tuple(clean.shape[1:]), 10, clip_values=(0.0, 1.0), device_type="cpu"
    )
    ball = {"norm": 2, "eps": RADIUS}
    climbing = {**ball, "eps_step": 2 * RADIUS, "max_iter": STEPS, "nb_random_init": 1, "batch_size": 64}
    attacks = [
        AutoProjectedGradientDescent(estimator, **climbing, loss_type="cross_entropy", verbose=False),
        AutoProjectedGradientDescent(estimator, **climbing, loss_type="difference_logits_ratio", verbose=False),
        DeepFool(estimator, max_iter=20, epsilon=1e-3, nb_grads=10, batch_size=64, verbose=False),
        SquareAttack(estimator, **ball, max_iter=QUERIES, nb_restarts=1, batch_size=64, verbose=False),
    ]
    attack = AutoAttack(estimator, **ball, eps_step=2 * RADIUS, attacks=attacks, batch_size=64)
    made = torch.from_numpy(attack.generate(clean.numpy(), np.eye(10, dtype=np.float32)[labels.numpy()]))
    return Ball(Norm.L2, RADIUS).project(made, clean)


def say(line: str = "", end: str = "\n", *, flush: bool = True) -> None:
    """Write a line at once."""
    sys.stdout.write(line + end)
    if flush:
        sys.stdout.flush()


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    kept = Path(sys.argv[1])
    kept.mkdir(parents=True, exist_ok=True)
    data = parts(Path(os.environ["SOUNDPROOF_DATA"]), kept)
    inputs, labels = data["test"].inputs, data["test"].labels
    say("| network | attack | robust accuracy | gradients | queries | seconds |")
    say("|---|---|---|---|---|---|")
    for name, (depth, seed, attack, alpha, purified) in NETWORKS.items():
        network = trained(depth, seed, attack, alpha, data, kept)
        if purified:
            network = InputTransform(kind=Transform.TOTAL_VARIATION).wrap(network, (1, 64, 64), 10)
        network = network.eval().requires_grad_(requires_grad=False)
        with torch.no_grad():
            right = (network(inputs).argmax(dim=1) == labels).nonzero()[:, 0]
        clean, own = inputs[right], labels[right]
        say(f"| {name} | none | {len(right) / len(labels):.1%} | | | |")
        clips = clean, own
        contestants = {
            "FGSM": partial(_ours, Fgsm()),
            "BIM, 10 steps": partial(_ours, BimB()),
            "`strongest`": partial(_ours, Strongest(steps=STEPS, queries=QUERIES)),
            "torchattacks 3.5.1, AutoAttack's four": by_torchattacks,
            "ART 1.20, AutoAttack": by_art,
        }
        for title, run in contestants.items():
            counted, start = Counted(network), time.perf_counter()
            examples = run(counted, *clips).detach()
            seconds = time.perf_counter() - start
            sizes = (examples - clean).flatten(1).norm(dim=1)
            assert sizes.max() <= RADIUS * (1 + 1e-5), f"{title} left the ball: {sizes.max()}"
            with torch.no_grad():
                resisting = network(examples).argmax(dim=1) == own
            cost = (counted.backwards / len(clean), counted.forwards / len(clean), seconds)
            robust = int(resisting.sum()) / len(labels)
            say(
                f"| {name} | {title} | {robust:.1%} | {cost[0]:,.0f} | {cost[1]:,.0f} | {cost[2]:,.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
