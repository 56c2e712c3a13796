"""Fit of the defense to a classifier's training data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from soundproof import Domain, Examples
from soundproof_defenses.wavegan.metrics import mean_squared_error, structural_similarity
from soundproof_defenses.wavegan.training import at_full_scale, train_encoder, train_generator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from soundproof import Model, Trainer, TrainingData
    from soundproof_defenses.wavegan.encoder import Spectrum
    from soundproof_defenses.wavegan.inversion import Inversion
    from soundproof_defenses.wavegan.networks import Critic

# Clips rebuilt at once for the report; only memory depends on it.
_BATCH = 64


@dataclass(frozen=True)
class Lessons:
    """Lengths of the networks' training, and how much they learn from at a time.

    Attributes:
        generator_steps: Of G.
        critic_steps: Of its critic, for one of G's.
        learning_rate: Of Adam for both.
        encoder_steps: Of E.
        batch: Clips a step, of all three.
        classifier_epochs: Of the classifier whose maps E is judged by.
    """

    generator_steps: int
    critic_steps: int
    learning_rate: float
    encoder_steps: int
    batch: int
    classifier_epochs: int


def train(
    inversion: Inversion, critic: Critic, model: Model, lessons: Lessons, data: TrainingData, trainer: Trainer
) -> None:
    """Train G against a critic, then a classifier of the same clips, then E with its maps to judge by.

    Raises:
        ValueError: The model's network has no stages.
    """
    heard = clips(data.train.inputs, inversion.samples)
    train_generator(
        inversion.generator,
        critic.to(heard.device),
        heard,
        trainer.generator,
        steps=lessons.generator_steps,
        batch=lessons.batch,
        critic_steps=lessons.critic_steps,
        learning_rate=lessons.learning_rate,
    )
    inversion.generator.requires_grad_(requires_grad=False)
    train_encoder(
        inversion.encoder,
        inversion.generator,
        _judge(model, lessons.classifier_epochs, inversion, data, trainer),
        heard,
        trainer.generator,
        steps=lessons.encoder_steps,
        batch=lessons.batch,
    )


def _judge(
    model: Model, epochs: int, inversion: Inversion, data: TrainingData, trainer: Trainer
) -> Callable[[torch.Tensor], Sequence[torch.Tensor]]:
    """Train the classifier whose maps tell what E's errors sound like.

    Returns:
        What maps waveforms `[n, T]` in [-1, 1] to its maps after each stage.
    """
    inputs_of = _inputs_of(model, inversion.encoder.spectrum)
    parts = (data.train, data.validation)
    shown = [Examples(inputs_of(clips(part.inputs, inversion.samples)), part.labels) for part in parts]
    network = model.build(tuple(shown[0].inputs.shape[1:]), data.classes).to(shown[0].inputs.device)
    stages = getattr(network, "stages", None)
    if stages is None:
        raise ValueError(f"perceptual needs a model whose network has stages; {model.id!r} has none")
    recipe = replace(model.recipe, epochs=epochs)
    trainer.fit(network, replace(data, train=shown[0], validation=shown[1], sounds=None), recipe=recipe)
    network.requires_grad_(requires_grad=False)
    return lambda waveforms: stages(inputs_of(waveforms))


def report(inversion: Inversion, inputs: torch.Tensor, trainer: Trainer) -> None:
    """Tell how near held-out clips at full scale are to what becomes of them."""
    held_out = clips(inputs, inversion.samples)
    with torch.no_grad():
        rebuilt = torch.cat([inversion.recovered(part) for part in torch.split(held_out, _BATCH)])
        pictures = inversion.encoder.spectrum(held_out), inversion.encoder.spectrum(rebuilt)
    trainer.report("reconstruction_mse", mean_squared_error(held_out, rebuilt).cpu().numpy())
    trainer.report("reconstruction_ssim", structural_similarity(*pictures).cpu().numpy())


def clips(inputs: torch.Tensor, samples: int) -> torch.Tensor:
    """Inputs `[n, 1, T]` in [0, 1] as G learns them: `[n, samples]` in [-1, 1], each at full scale."""
    waveforms = 2 * inputs[:, 0] - 1
    return at_full_scale(functional.pad(waveforms, (0, samples - waveforms.shape[1])))


def _inputs_of(model: Model, spectrum: Spectrum) -> Callable[[torch.Tensor], torch.Tensor]:
    """Conversion of waveforms in [-1, 1] for a model: as such where it reads waveforms, else as E sees them."""
    if Domain.WAVEFORM in model.accepts:
        return lambda waveforms: ((waveforms + 1) / 2)[:, None]
    return spectrum.image
