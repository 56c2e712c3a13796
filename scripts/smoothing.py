"""Certified accuracy beside attacked accuracy of a smoothed ESC-10 network, over radii.

STFT pictures of 64×64, ResNet of depth 8, official fold 1 held out, trained on noise of σ = 0.1.

    SOUNDPROOF_DATA=… python scripts/smoothing.py FOLDER    # keeps inputs and weights in FOLDER

The table in docs/honest-evaluation.md comes from here; it stops with an error if a proof and an attack contradict.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from strongest import parts
from torch import nn

from soundproof import Ball, Examples, Goal, Norm, Recipe, Trainer, TrainingData, Victim
from soundproof.measuring.certificate import certify
from soundproof.victim.expectation import Expectation
from soundproof.victim.prediction import logits_of
from soundproof_attacks.pgd import Pgd
from soundproof_defenses.randomized_smoothing import RandomizedSmoothing
from soundproof_models.resnet_cifar import ResNet56

RADII = (0.05, 0.1, 0.15, 0.2, 0.3)
DEFENSE = RandomizedSmoothing(sigma=0.1)


def network(data: dict[str, Examples], kept: Path) -> nn.Module:
    """The smoothed network, from the folder if it is there."""
    model = ResNet56(depth=8, stem_stride=2)
    torch.manual_seed(0)
    defended = DEFENSE.wrap(model.build((1, 64, 64), 10).to(memory_format=torch.channels_last), (1, 64, 64), 10)
    path = kept / "smoothed.safetensors"
    if not path.exists():
        trainer = Trainer(Recipe(epochs=25, batch=16, learning_rate=model.recipe.learning_rate), 0)
        DEFENSE.fit(defended, TrainingData(data["train"], data["validation"], classes=10), trainer)
        save_file({name: value.contiguous() for name, value in defended.state_dict().items()}, path)
    defended.load_state_dict(load_file(path))
    return defended.eval().requires_grad_(requires_grad=False)


def say(line: str = "", end: str = "\n", *, flush: bool = True) -> None:
    """Write a line at once."""
    sys.stdout.write(line + end)
    if flush:
        sys.stdout.flush()


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    kept = Path(sys.argv[1])
    kept.mkdir(parents=True, exist_ok=True)
    data = parts(Path(os.environ["SOUNDPROOF_DATA"]), kept)
    defended = network(data, kept)
    inputs, labels = data["test"].inputs, data["test"].labels
    torch.manual_seed(0)
    found = certify(defended, inputs, DEFENSE.sigma, 10)
    right = torch.from_numpy(found.prediction) == labels
    radius = torch.from_numpy(found.radius)
    mean = Expectation(defended, DEFENSE.draws)
    clean = logits_of(mean, inputs).argmax(dim=1) == labels
    say(f"vote: {right.float().mean():.1%} right, {(found.prediction < 0).mean():.1%} abstained; ", end="")
    say(f"mean of logits: {clean.float().mean():.1%} right\n")
    say("| radius ‖ε‖₂ | certified ≥ | attacked ≤ |\n|---|---|---|")
    for limit in RADII:
        victim = Victim(mean, inputs, Goal(labels), traced=False)
        attack = Pgd(steps=10)
        examples = attack.perturb(victim, Ball(Norm.L2, limit), torch.Generator().manual_seed(0))
        attacked = (clean & (logits_of(mean, examples).argmax(dim=1) == labels)).float().mean().item()
        certified = (right & (radius >= limit)).float().mean().item()
        say(f"| {limit} | {certified:.1%} | {attacked:.1%} |")
        assert certified <= attacked, f"proven {certified}, attacked {attacked}"


if __name__ == "__main__":
    main()
