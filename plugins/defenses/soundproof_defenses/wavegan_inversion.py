"""Purification of waveforms by inverting a generator of sounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from soundproof import Adversary, Defense, Kind, Model, Ref

if TYPE_CHECKING:
    from torch import nn

    from soundproof import Trainer, TrainingData
    from soundproof_defenses.wavegan.fit import Lessons

# Samples of the generator's first layer; each further layer makes four times, the last perhaps twice as many.
_SEED = 16
_ADVERSARIES = {"encoder": Adversary.EXACT, "gradient": Adversary.BPDA, "hybrid": Adversary.BPDA}


@dataclass(frozen=True, kw_only=True)
class WaveganInversion(Defense):
    """The classifier hears G(z*(x)), the sound nearest to x that a WaveGAN makes.

    G is the generator of Donahue et al. 2019; z* comes from an encoder E, from a search by L-BFGS, or from both
    (arXiv 2010.08534). Trained on the classifier's own training clips unless `weights` names a file. The defaults
    are a small configuration, for clips of 4096 samples.

    An informed attacker has exact gradients through E and G in the mode `encoder`. In the other two the
    backward pass is approximated: see `backward`.

    Attributes:
        perceptual: The model whose features E is trained in, if it is.
    """

    id: ClassVar[str] = "wavegan-inversion"
    trial: ClassVar = {
        "samples": 1024,
        "width": 2,
        "encoder_width": 2,
        "generator_steps": 2,
        "encoder_steps": 2,
        "perceptual_epochs": 1,
        "evaluations": 5,
    }
    training_cost: ClassVar[float] = 100.0
    # WaveGAN's own sizes, the published recovery script's search, and 150 epochs of SC09's 18,620 clips for E.
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "004": {
            "mode": "hybrid",
            "samples": 16384,
            "width": 64,
            "encoder_width": 64,
            "picture": "real-part",
            "generator_steps": 200_000,
            "critic_steps": 5,
            "learning_rate": 1e-4,
            "encoder_steps": 43_650,
            "batch": 64,
        }
    }
    mode: Annotated[
        Literal["encoder", "gradient", "hybrid"],
        Field(description="z* is E(x); found from random starts; or found from E(x)"),
    ] = "encoder"
    weights: Annotated[
        str | None, Field(min_length=1, description="safetensors file of G and E; none trains them")
    ] = None
    samples: Annotated[
        int, Field(description="samples of a generated clip: 16·4ⁿ or 8·4ⁿ; 16384 in the paper")
    ] = 4096
    width: Annotated[int, Field(ge=1, description="channels before G's last layer; 64 in the paper")] = 16
    latent: Annotated[int, Field(ge=1, description="values of z")] = 100
    encoder_width: Annotated[int, Field(ge=1, description="channels of E's first stage; 64 in the paper")] = 16
    picture: Annotated[
        Literal["log-magnitude", "real-part"],
        Field(description="what of the spectrum E reads; the paper's code takes the real part"),
    ] = "log-magnitude"
    evaluations: Annotated[int, Field(ge=1, description="passes through G that a search takes")] = 200
    starts: Annotated[int, Field(ge=1, description="random starts of the mode gradient, the best counts")] = 1
    feature_weight: Annotated[float, Field(ge=0, description="weight of E's maps in a search")] = 1.0
    backward: Annotated[
        Literal["identity", "encoder"],
        Field(description="what an attacker's gradients pass instead of a search: nothing, or G(E(x))"),
    ] = "encoder"
    perceptual: Ref = field(default_factory=lambda: Ref(Kind.MODEL, "digit-resnet"))
    perceptual_epochs: Annotated[int, Field(ge=1, description="epochs that the model `perceptual` trains for")] = 5
    generator_steps: Annotated[int, Field(ge=1, description="training steps of G; 200000 in the paper")] = 1000
    critic_steps: Annotated[int, Field(ge=1, description="steps of the critic for one of G; 5 in the paper")] = 2
    learning_rate: Annotated[
        float, Field(gt=0, description="of Adam for G and the critic; 0.0001 in the paper")
    ] = 5e-4
    encoder_steps: Annotated[int, Field(ge=1, description="training steps of E")] = 300
    batch: Annotated[int, Field(ge=1, description="clips a training step; 64 in the paper")] = 32

    def __post_init__(self) -> None:
        if not self.strides:
            raise ValueError(f"samples must be 16·4ⁿ or 8·4ⁿ, such as 4096, 8192 or 16384, not {self.samples}")

    @property
    def strides(self) -> tuple[int, ...]:
        """By how much each layer of G lengthens; empty if no such layers make so many samples."""
        found: list[int] = []
        length = _SEED
        while length < self.samples:
            found.append(2 if 2 * length == self.samples else 4)
            length *= found[-1]
        return tuple(found) if length == self.samples else ()

    @property
    def adversary(self) -> Adversary:  # type: ignore[override]
        """Exact gradients where z* is E(x), an approximate backward pass where it is searched for."""
        return _ADVERSARIES[self.mode]

    @classmethod
    def capabilities(cls) -> dict[str, Any]:
        """Adversary by mode: how an informed attacker gets gradients."""
        return {"adversary": {mode: str(adversary) for mode, adversary in _ADVERSARIES.items()}}

    @property
    def files(self) -> tuple[Path, ...]:
        """The weights, if a file is named."""
        return () if self.weights is None else (Path(self.weights),)

    def reason_to_skip(self, model: Model, data_shape: tuple[int, ...], classes: int) -> str | None:  # noqa: ARG002
        """It hears nothing but waveforms, and the whole of them."""
        if len(data_shape) != 2 or data_shape[0] != 1:
            return f"{self.id} purifies waveforms (1, T); these inputs are {data_shape}"
        if data_shape[1] > self.samples:
            return (
                f"{self.id} makes {self.samples} samples and the inputs have {data_shape[1]}; "
                "set its samples, or the representation's length"
            )
        return None

    def wrap(self, classifier: nn.Module, data_shape: tuple[int, ...], classes: int) -> nn.Module:  # noqa: ARG002
        """The classifier behind G and E with random weights."""
        from soundproof_defenses.wavegan.encoder import Encoder
        from soundproof_defenses.wavegan.inversion import Inversion, Purified
        from soundproof_defenses.wavegan.networks import Generator

        inversion = Inversion(
            Generator(self.latent, self.width, self.strides),
            Encoder(self.latent, self.encoder_width, self.picture),
            samples=self.samples,
            latent=self.latent,
            mode=self.mode,
            starts=self.starts,
            evaluations=self.evaluations,
            feature_weight=self.feature_weight,
        )
        return Purified(classifier, inversion, self.backward)

    def sizes(self, rate: int | None) -> dict[str, object]:
        """Sizes that a file of weights must agree with; an unknown sampling rate (Hz) is not compared."""
        names = ("samples", "width", "latent", "encoder_width", "picture")
        return {name: getattr(self, name) for name in names} | ({} if rate is None else {"rate": rate})

    def fit(self, defended: nn.Module, data: TrainingData, trainer: Trainer) -> None:
        """Load G and E or train them, and report how they rebuild the validation clips."""
        from soundproof_defenses.wavegan import files
        from soundproof_defenses.wavegan.fit import report, train
        from soundproof_defenses.wavegan.inversion import Purified
        from soundproof_defenses.wavegan.networks import Critic

        assert isinstance(defended, Purified)
        if self.weights is None:
            model = trainer.component(self.perceptual)
            assert isinstance(model, Model)
            critic = Critic(self.width, self.strides)
            train(defended.inversion, critic, model, self._lessons(), data, trainer)
        else:
            rate = None if data.sounds is None else data.sounds.rate
            files.load(defended.inversion, Path(self.weights), self.sizes(rate))
        defended.eval()
        report(defended.inversion, data.validation.inputs, trainer)

    def _lessons(self) -> Lessons:
        from soundproof_defenses.wavegan.fit import Lessons

        return Lessons(
            generator_steps=self.generator_steps,
            critic_steps=self.critic_steps,
            learning_rate=self.learning_rate,
            encoder_steps=self.encoder_steps,
            batch=self.batch,
            classifier_epochs=self.perceptual_epochs,
        )
