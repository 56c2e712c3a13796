"""The contract of every plugin: seven kinds of component, each a frozen dataclass.

The fields of a component are its parameters: typed, documented and validated (annotate them with
`pydantic.Field` for limits and help), so that equal parameters mean equal components and equal cache keys.
Its methods are its behaviour. A class attribute `id` names it in suites and results; the first line of its
docstring is its summary in `bench ls`.

A module that defines components should import torch inside methods or under `TYPE_CHECKING`: listing plugins
then stays instant.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping  # noqa: TC003 - parameters are described from the annotations
from typing import TYPE_CHECKING, Any, ClassVar

from soundproof.contract.hashing import kept_hash
from soundproof.types import Access, Adversary, Domain, Download, Inverse, Kind, Recipe, Surface

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import Self

    import numpy as np
    import numpy.typing as npt
    import torch
    from torch import nn

    from soundproof.training.trainer import Epoch, Trainer
    from soundproof.types import Budget, ClipIndex, TrainingData
    from soundproof.victim.ball import Ball
    from soundproof.victim.metered import Victim


class Component(ABC):
    """Base of the components of all kinds.

    Attributes:
        kind: Set by the kinds below.
        id: Lower-case letters, digits and hyphens.
        version: Part of the cache key. None, the default, stands for a digest of the source that the
            component runs (docs/reliability.md); set a string to decide by hand when numbers change.
        presets: Parameters that a published source uses, by the source's name. A suite writes
            `{ id = "bim-b", preset = "001" }`; what stands beside the preset overrides it.
        trial: Parameters that make it cheap, with which `bench check` tries it; none where it is cheap already.
        portable: Whether id and parameters say what it is on any machine. Not so where they name code or files of
            the user's: submissions of it cannot be verified.
    """

    kind: ClassVar[Kind]
    id: ClassVar[str]
    version: ClassVar[str | None] = None
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    trial: ClassVar[Mapping[str, Any]] = {}
    portable: ClassVar[bool] = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # A dataclass leaves alone what stands in the class.
        if "__hash__" not in vars(cls):
            cls.__hash__ = kept_hash  # type: ignore[method-assign]

    @property
    def files(self) -> tuple[Path, ...]:
        """Files of the user that parameters name: they must exist, and their content is part of cache keys."""
        return ()

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring, empty where there is none."""
        text = (cls.__doc__ or "").strip()
        # A dataclass without a docstring gets its signature for one.
        return "" if text.startswith(f"{cls.__name__}(") else text.partition("\n")[0].rstrip(".")

    @classmethod
    def capabilities(cls) -> dict[str, Any]:
        """Facts of this component that a planner or a reader should know, as JSON."""
        return {}

    @classmethod
    def numeric_defaults(cls) -> dict[str, float]:
        """The parameters whose default is a number: a board that draws a study of one needs to know it."""
        found = {each.name: each.default for each in dataclasses.fields(cls)}  # type: ignore[arg-type]
        return {
            name: value
            for name, value in found.items()
            if isinstance(value, (int, float)) and not isinstance(value, bool)
        }

    def parameters(self) -> dict[str, Any]:
        """Every parameter by name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]


class Dataset(Component):
    """Labelled clips of one nominal length.

    `root` below is the user's data folder; a generated data set ignores it.

    Attributes:
        folder: What it is called below the data folder; empty where that is a parameter or it is generated.
        licence: Its licence, in the publisher's words.
        homepage: Where it is described.
        downloads: What `bench data fetch` gets.
        class_names: The classes as published, in their order; empty where that is unknown.
        class_sizes: Clips of every class as published, in the order of the classes; empty where that is unknown.
        fold_sizes: Clips of every fold as published, in ascending order of their numbers. A part of a data set
            can be used; `bench data check` compares with these two, and `bench plan` takes them for absent audio.
        fold_numbers: Those numbers; empty for 0, 1, …
    """

    kind = Kind.DATASET
    folder: ClassVar[str] = ""
    licence: ClassVar[str] = ""
    homepage: ClassVar[str] = ""
    downloads: ClassVar[tuple[Download, ...]] = ()
    class_names: ClassVar[tuple[str, ...]] = ()
    class_sizes: ClassVar[tuple[int, ...]] = ()
    fold_sizes: ClassVar[tuple[int, ...]] = ()
    fold_numbers: ClassVar[tuple[int, ...]] = ()

    @property
    @abstractmethod
    def seconds(self) -> float:
        """Length of every clip; shorter recordings are padded with zeros, longer ones cut."""

    @abstractmethod
    def index(self, root: Path) -> ClipIndex:
        """Names, labels, groups, folds and checksum of all clips.

        Raises:
            DataError: Files are missing or damaged; it lists all of them.
        """

    @abstractmethod
    def waveforms(self, root: Path, rate: int) -> npt.NDArray[np.float32]:
        """All clips in the order of `index`, mono in [-1, 1], resampled to `rate` Hz: `[N, seconds * rate]`.

        Raises:
            DataError: A file does not decode, or holds no or non-finite samples; it lists all of them.
        """

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags to stand beside every number measured on it, e.g. `ungrouped` where recordings are unknown."""
        return ()

    def sample_count(self, rate: int) -> int:
        """Samples of one clip at a sampling rate."""
        return round(self.seconds * rate)

    def unexpected(self, root: Path) -> list[str]:  # noqa: ARG002
        """Files below its folder that do not belong to it; they change nothing and are only named."""
        return []


class Representation(Component):
    """A map from waveforms to what a classifier sees, scaled to the box [0, 1].

    Attributes:
        domain: The shape it produces.
        differentiable: Whether gradients flow through it to the waveform.
        surrogate: Whether a representation that is not differentiable gives gradients all the same: those of its
            backward pass stand in for what it computes (BPDA, Athalye et al. 2018). Attacks on the sound use them.
        fitted: Whether `fit` looks at the training clips. If not, its inputs are shared by all folds.
        inverse: The way back to sound that the module of `fit` has, None if it has none.
    """

    kind = Kind.REPRESENTATION
    domain: ClassVar[Domain] = Domain.IMAGE
    differentiable: ClassVar[bool] = True
    surrogate: ClassVar[bool] = False
    fitted: ClassVar[bool] = False
    inverse: ClassVar[Inverse | None] = None

    @classmethod
    def capabilities(cls) -> dict[str, Any]:
        """Domain, gradients for attacks on the sound, whether it is fitted to training clips, and the way back."""
        inverse = None if cls.inverse is None else vars(cls.inverse)
        return {
            "domain": cls.domain,
            "differentiable": cls.differentiable,
            "surrogate": cls.surrogate,
            "fitted": cls.fitted,
            "inverse": inverse,
        }

    @property
    @abstractmethod
    def rate(self) -> int:
        """Sampling rate it wants its waveforms in, Hz."""

    @abstractmethod
    def shape(self, samples: int) -> tuple[int, ...]:
        """Shape of one input for clips of so many samples: `(C, H, W)`, `(1, T)` or `(D,)`."""

    @property
    def fitted_class(self) -> str | None:
        """Name of the only class whose training clips `fit` gets; None for all."""
        return None

    @abstractmethod
    def fit(self, waveforms: torch.Tensor) -> nn.Module:
        """Build the transform.

        Args:
            waveforms: float32 `[N, T]`, the training clips (those of `fitted_class`); only a `fitted`
                representation looks at them.

        Returns:
            A module from waveforms `[n, T]` to inputs in [0, 1]; row 0 of an image is the lowest frequency. Where
            there is an `inverse`, the module's method `inverse(inputs, reference)` gives waveforms `[n, T]` of
            inputs `[n, ...]`; the reference, waveforms `[n, T]` of the clips that inputs were made from, gives
            what inputs do not hold, e.g. phase and level.
        """

    def reason_to_skip(self, samples: int) -> str | None:  # noqa: ARG002
        """Why clips of so many samples cannot be represented, or None."""
        return None

    def reason_without_inverse(self) -> str | None:
        """Why inputs cannot be turned back into sound with these parameters, or None."""
        return f"{self.id} has no way back to sound" if self.inverse is None else None


class Model(Component):
    """A classifier's architecture and how it is trained.

    Attributes:
        accepts: The domains it can read.
        recipe: How it is trained unless the suite says otherwise.
        differentiable: Whether logits have a useful gradient; if not, white-box attacks are skipped.
        retrainable: Whether epochs of gradient descent improve it, as defenses that train further need.
    """

    kind = Kind.MODEL
    accepts: ClassVar[frozenset[Domain]] = frozenset({Domain.IMAGE})
    recipe: ClassVar[Recipe] = Recipe()
    differentiable: ClassVar[bool] = True
    retrainable: ClassVar[bool] = True

    @classmethod
    def capabilities(cls) -> dict[str, Any]:
        """The domains it accepts, whether it has gradients, and whether it can be trained further."""
        return {
            "accepts": sorted(cls.accepts),
            "differentiable": cls.differentiable,
            "retrainable": cls.retrainable,
        }

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags to stand beside every number of it, e.g. `random-start` instead of published weights."""
        return ()

    @property
    def pretrained(self) -> bool:
        """Whether it comes trained, so that no clip is needed to train it."""
        return False

    @abstractmethod
    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        """An untrained network from inputs `[n, *shape]` in [0, 1] to logits `[n, classes]`.

        Trained weights are stored and loaded through it, so its structure must not depend on data.
        """

    def prepare(self, module: nn.Module, data: TrainingData) -> None:
        """Put in place what epochs do not learn: published weights, a scaling measured on the training part.

        Both `fit` and defenses that start from new weights begin with it.
        """

    def fit(self, module: nn.Module, data: TrainingData, trainer: Trainer) -> list[Epoch]:
        """Train what `build` returned, in place, and return the learning curve.

        The default prepares it and runs the trainer's epochs. Override it to fit in another way; a model that is
        not trained in epochs returns an empty curve.
        """
        self.prepare(module, data)
        return trainer.fit(module, data)

    def reason_to_skip(self, shape: tuple[int, ...], classes: int) -> str | None:  # noqa: ARG002
        """Why it cannot be built for these inputs, or None."""
        return None


class Defense(Component):
    """A way from a trained classifier to one that should be harder to fool.

    Attributes:
        adversary: How an informed attacker gets gradients through it. Where they are not exact, the module that
            `wrap` returns has the surrogate backward pass built in.
        training_cost: About how many times an epoch of `fit` costs a plain epoch; only time estimates use it.
    """

    kind = Kind.DEFENSE
    adversary: ClassVar[Adversary] = Adversary.EXACT
    training_cost: ClassVar[float] = 1.0

    @classmethod
    def capabilities(cls) -> dict[str, Any]:
        """Adversary of the defense: how an informed attacker gets gradients."""
        return {"adversary": cls.adversary}

    @property
    def draws(self) -> int:
        """Passes that an attacker averages over because the defended classifier is random; 1 if it is not."""
        return 1

    @property
    def smoothing(self) -> float | None:
        """Standard deviation σ of the Gaussian noise that the classifier votes over; None if it does not vote.

        The protocol `certified` then counts the votes of the module that `wrap` returns, which has to add that
        noise to every row by itself, and nothing else at random.
        """
        return None

    @property
    def from_scratch(self) -> bool:
        """Whether `fit` starts from new weights, so that the undefended classifier need not be trained first."""
        return False

    def under(self, budget: Budget) -> Self:  # noqa: ARG002
        """The defense with the parameters that it leaves to the suite's budget filled in."""
        return self

    def reason_to_skip(self, model: Model, data_shape: tuple[int, ...], classes: int) -> str | None:  # noqa: ARG002
        """Why it cannot defend such a classifier, or None."""
        return None

    def wrap(self, classifier: nn.Module, data_shape: tuple[int, ...], classes: int) -> nn.Module:  # noqa: ARG002
        """The defended classifier's structure, before any training; by default the classifier itself.

        Weights are stored and loaded through this structure, so it must not depend on data.
        """
        return classifier

    @abstractmethod
    def fit(self, defended: nn.Module, data: TrainingData, trainer: Trainer) -> None:
        """Train what `wrap` returned, in place.

        Args:
            defended: Holds the weights of the trained, undefended classifier.
            data: What it may learn from.
            trainer: Runs epochs with the model's recipe and early stopping, and resolves inner attacks.
        """


class Attack(Component):
    """A search for examples that the victim gets wrong.

    Subclass `BoundedAttack` or `MinimumNormAttack`. An attack returns images and claims nothing: the harness
    recomputes predictions, norms and box membership.

    Attributes:
        access: What it needs of the victim.
        surface: Where it works, None for everywhere. One that works on sound finds the sampling rate of its clips
            in `victim.rate`.
    """

    kind = Kind.ATTACK
    access: ClassVar[Access] = Access.WHITE_BOX
    surface: ClassVar[Surface | None] = None

    @classmethod
    def capabilities(cls) -> dict[str, Any]:
        """Access and whether its size is bounded or minimised."""
        minimises = issubclass(cls, MinimumNormAttack)
        where = {} if cls.surface is None else {"surface": cls.surface}
        return {"access": cls.access, "search": "minimum-norm" if minimises else "bounded", **where}

    @property
    def is_targeted(self) -> bool:
        """Whether the victim's goal should hold a random wrong class for each clip."""
        return False

    @property
    @abstractmethod
    def planned_gradients(self) -> int:
        """Backward rows a clip that one run costs at most; `bench plan` adds them up."""

    @property
    def planned_queries(self) -> int:
        """Forward rows a clip that one run costs at most."""
        return max(1, self.planned_gradients)


class BoundedAttack(Attack):
    """An attack that looks for the worst example within a given ball.

    Attributes:
        radius_per_clip: Whether `perturb` takes a ball with a radius for each clip, `[N]`. The protocol `reach`
            then refines all clips in one batch, not a batch for each radius.
    """

    radius_per_clip: ClassVar[bool] = False

    @abstractmethod
    def perturb(self, victim: Victim, ball: Ball, generator: torch.Generator) -> torch.Tensor:
        """Attack every clip of the victim.

        Args:
            victim: Holds the clean images and the goal; meters every pass.
            ball: Where the result must lie, besides the box [0, 1].
            generator: The only source of randomness, on the victim's device.

        Returns:
            Images of the shape of `victim.clean`.
        """

    def climb(self, victim: Victim, balls: Iterable[Ball], generator: torch.Generator) -> Iterator[torch.Tensor]:
        """Attack within one ball after the other, from small to large, until the caller has seen enough.

        The default runs `perturb` for each; override it where rungs can share work.
        """
        for ball in balls:
            yield self.perturb(victim, ball, generator)

    def ladder_gradients(self, rungs: int) -> int:
        """Backward rows a clip that `climb` over so many rungs costs at most."""
        return rungs * self.planned_gradients

    def ladder_queries(self, rungs: int) -> int:
        """Forward rows a clip that `climb` over so many rungs costs at most."""
        return rungs * self.planned_queries


class MinimumNormAttack(Attack):
    """An attack that looks for the smallest perturbation that fools; the harness reads its trace."""

    @abstractmethod
    def minimise(self, victim: Victim, generator: torch.Generator) -> torch.Tensor:
        """Attack every clip of the victim; a clip that cannot be fooled may be returned clean."""


class Augmentation(Component):
    """A change to training waveforms that keeps their labels."""

    kind = Kind.AUGMENTATION

    @property
    def copies(self) -> int:
        """Copies it makes of each clip."""
        return 1

    @abstractmethod
    def augment(
        self, waveforms: npt.NDArray[np.float32], rate: int, generator: np.random.Generator
    ) -> npt.NDArray[np.float32]:
        """Augmented copies of clips `[N, T]` in [-1, 1], drawn per clip: float32 `[copies, N, T]` in [-1, 1].

        What it draws must not depend on `rate`, so that a clip sounds the same to every representation.
        """


class Channel(Component):
    """What happens to a sound between the attacker and the classifier: a codec, a room, a microphone.

    Attributes:
        differentiable: Whether gradients flow through `carry` to the waveforms.
    """

    kind = Kind.CHANNEL
    differentiable: ClassVar[bool] = False

    @classmethod
    def capabilities(cls) -> dict[str, Any]:
        """Whether gradients flow through it."""
        return {"differentiable": cls.differentiable}

    @abstractmethod
    def carry(self, waveforms: torch.Tensor, rate: int, generator: torch.Generator) -> torch.Tensor:
        """Play clips through the channel.

        What it draws depends on the generator and on how many clips there are, not on how they sound: a clip and
        its attacked copy then meet the same channel.

        Args:
            waveforms: float32 `[n, T]` in [-1, 1].
            rate: Sampling rate, Hz.
            generator: The only source of randomness, on the CPU.

        Returns:
            What arrives, `[n, T]` in [-1, 1], neither earlier nor later than it was sent unless that is the point.
        """

    def reason_to_skip(self, rate: int, samples: int) -> str | None:  # noqa: ARG002
        """Why clips of so many samples at a rate cannot be played through it, or None."""
        return None


KINDS: Sequence[type[Component]] = (Dataset, Representation, Model, Defense, Attack, Augmentation, Channel)
