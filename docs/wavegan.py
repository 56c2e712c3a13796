"""Trains the small configuration of `wavegan-inversion` on FSDD and prints how well it recovers sounds.

    python docs/wavegan.py --data DIR --out FILE.safetensors

The takes 0 to 4 of every speaker and digit are held out, takes 5 to 9 choose between epochs, the rest trains. The
file serves as the defense's `weights`, for spoken digits at 8 kHz in clips of 4096 samples.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from soundproof import Examples, Kind, Recipe, Ref, Sounds, Trainer, TrainingData
from soundproof.contract.discovery import discover
from soundproof_defenses.wavegan import files
from soundproof_defenses.wavegan.fit import clips
from soundproof_defenses.wavegan.metrics import mean_squared_error, structural_similarity
from soundproof_defenses.wavegan.training import latents
from soundproof_defenses.wavegan_inversion import WaveganInversion

if TYPE_CHECKING:
    from soundproof_defenses.wavegan.inversion import Inversion

RATE, SAMPLES = 8000, 4096
TEST, VALIDATION = range(5), range(5, 10)
SEED = 0
BATCH = 50


def digits(root: Path) -> tuple[TrainingData, Examples]:
    """Training data and held-out clips, as the representation `waveform` shows them."""
    fsdd = discover().build(Ref(Kind.DATASET, "fsdd", {"seconds": SAMPLES / RATE, "held_out": "takes"}))
    index = fsdd.index(root)
    waveforms = fsdd.waveforms(root, RATE)
    takes = np.array([int(Path(name).stem.rpartition("_")[2]) for name in index.names])
    parts = [np.isin(takes, TEST), np.isin(takes, VALIDATION)]
    parts.append(~(parts[0] | parts[1]))
    test, validation, train = (
        Examples(represent(waveforms[part]), torch.from_numpy(index.labels[part])) for part in parts
    )
    sounds = Sounds(RATE, lambda: waveforms[parts[2]], lambda: waveforms[parts[1]], represent)
    return TrainingData(train, validation, len(index.classes), sounds), test


def represent(waveforms: np.ndarray) -> torch.Tensor:
    """Waveforms `[n, T]` as inputs `[n, 1, T]` in [0, 1]."""
    return (torch.from_numpy(waveforms)[:, None] + 1) / 2


class Referee:
    """A digit classifier that took no part in the training of the defense."""

    def __init__(self, data: TrainingData, inversion: Inversion, epochs: int) -> None:
        model = discover().build(Ref(Kind.MODEL, "resnet56", {"depth": 14, "stem_stride": 2}))
        self._image = inversion.encoder.spectrum.image
        shown = [Examples(self.images(part), part.labels) for part in (data.train, data.validation)]
        self._network = model.build(tuple(shown[0].inputs.shape[1:]), data.classes)
        recipe = replace(model.recipe, epochs=epochs)
        Trainer(recipe, SEED).fit(self._network, TrainingData(*shown, data.classes))

    def images(self, part: Examples) -> torch.Tensor:
        """What it sees of inputs."""
        return self._image(clips(part.inputs, SAMPLES))

    def digits(self, waveforms: torch.Tensor) -> torch.Tensor:
        """The digits it hears in waveforms `[n, T]` in [-1, 1]."""
        with torch.no_grad():
            return torch.cat([self._network(self._image(part)).argmax(dim=1) for part in waveforms.split(BATCH)])


def recovered(inversion: Inversion, waveforms: torch.Tensor, mode: str) -> torch.Tensor:
    """What becomes of waveforms: by a mode, or by a random latent vector each."""
    if mode == "random latents":
        draws = torch.Generator().manual_seed(SEED)
        with torch.no_grad():
            return inversion.generator(latents(inversion.generator, len(waveforms), draws))
    inversion.mode = mode
    with torch.no_grad():
        return torch.cat([inversion.recovered(part) for part in waveforms.split(BATCH)])


def table(title: str, inversion: Inversion, referee: Referee, waveforms: torch.Tensor, said: torch.Tensor) -> None:
    """Print how each mode recovers some sounds, of which the referee should hear the digits that were said."""
    spectrum = inversion.encoder.spectrum
    say(f"\n| {title} | waveform MSE | SSIM | digits | seconds a clip |\n|---|---|---|---|---|")
    heard = (referee.digits(waveforms) == said).float().mean()
    say(f"| the clips themselves | 0 | 1 | {heard:.1%} | |")
    for mode in ("random latents", "encoder", "gradient", "hybrid"):
        start = time.perf_counter()
        rebuilt = recovered(inversion, waveforms, mode)
        seconds = (time.perf_counter() - start) / len(waveforms)
        error = mean_squared_error(waveforms, rebuilt).mean()
        similarity = structural_similarity(spectrum(waveforms), spectrum(rebuilt)).mean()
        heard = (referee.digits(rebuilt) == said).float().mean()
        say(f"| {mode} | {error:.4f} | {similarity:.3f} | {heard:.1%} | {seconds:.3f} |")


def say(line: str) -> None:
    """Print a line at once: the next may be minutes away."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds free-spoken-digit-dataset/")
    parser.add_argument("--out", type=Path, required=True, help="safetensors file to write")
    parser.add_argument("--generator-steps", type=int, default=1000)
    parser.add_argument("--encoder-steps", type=int, default=300)
    parser.add_argument("--epochs", type=int, default=5, help="of the classifier whose maps E is judged by")
    parser.add_argument("--referee-epochs", type=int, default=15)
    parser.add_argument("--clips", type=int, default=100, help="held-out clips to recover")
    return parser.parse_args()


def main() -> None:
    """Train, write, measure."""
    given = arguments()
    start = time.perf_counter()
    data, test = digits(given.data)
    torch.manual_seed(SEED)
    defense = WaveganInversion(
        samples=SAMPLES,
        generator_steps=given.generator_steps,
        encoder_steps=given.encoder_steps,
        perceptual_epochs=given.epochs,
    )
    defended = defense.wrap(nn.Identity(), data.shape, data.classes)
    trainer = Trainer(Recipe(), SEED, build=discover().build)
    defense.fit(defended, data, trainer)
    inversion = defended.inversion
    files.save(inversion, given.out, defense.sizes(RATE))
    say(f"trained in {(time.perf_counter() - start) / 60:.1f} minutes")
    for name, values in trainer.reports.items():
        say(f"{name} of {len(values)} validation clips: {values.mean():.4f}")
    referee = Referee(data, inversion, given.referee_epochs)
    chosen = torch.linspace(0, len(test) - 1, given.clips).long()
    real = clips(test.inputs[chosen], SAMPLES)
    table(f"{given.clips} held-out clips", inversion, referee, real, test.labels[chosen])
    with torch.no_grad():
        made = inversion.generator(
            latents(inversion.generator, given.clips, torch.Generator().manual_seed(SEED + 1))
        )
    # Nobody said what these say: the digits to hear are those that the referee hears in them.
    table(f"{given.clips} generated clips", inversion, referee, made, referee.digits(made))


if __name__ == "__main__":
    main()
