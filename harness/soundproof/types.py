"""The words the whole project speaks: kinds, domains, norms, goals, budgets and tables of clips.

Nothing here computes, and importing it loads neither torch nor numpy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    import numpy.typing as npt
    import torch


class Kind(StrEnum):
    """Kind of a component: what it is for; the singular form is the key used in results."""

    DATASET = "dataset"
    REPRESENTATION = "representation"
    MODEL = "model"
    DEFENSE = "defense"
    ATTACK = "attack"
    AUGMENTATION = "augmentation"
    CHANNEL = "channel"


class Domain(StrEnum):
    """The shape of a model's input: `[N, C, H, W]`, `[N, 1, T]` or `[N, D]`, float32 in [0, 1]."""

    IMAGE = "image"
    WAVEFORM = "waveform"
    VECTOR = "vector"

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> Domain:
        """Domain of inputs of this shape, without the batch dimension."""
        return {1: cls.VECTOR, 2: cls.WAVEFORM}.get(len(shape), cls.IMAGE)

    @property
    def zero(self) -> float:
        """Value that nothing has, from which sizes of inputs are taken: waveforms are mapped from [-1, 1]."""
        return 0.5 if self is Domain.WAVEFORM else 0.0


class Surface(StrEnum):
    """Attack surface: what a classifier sees, or the sound before its representation."""

    INPUT = "input"
    WAVEFORM = "waveform"


class Norm(StrEnum):
    """Norm of a perturbation: how its size is measured, over all values of one clip."""

    L2 = "l2"
    LINF = "linf"


class Access(StrEnum):
    """Access to the victim that an attack needs; it decides how its rows are compared."""

    WHITE_BOX = "white-box"
    BLACK_BOX = "black-box"
    CONTROL = "control"


class Adversary(StrEnum):
    """Adversary of a defense: how an informed attacker gets gradients through it (Athalye et al. 2018)."""

    EXACT = "exact gradients"
    BPDA = "backward pass approximated (BPDA)"
    EOT = "expectation over its randomness (EOT)"
    BPDA_EOT = "backward pass approximated (BPDA), expectation over its randomness (EOT)"


class Status(StrEnum):
    """Status of a cell: how it ended. Only `ok` rows carry metrics."""

    OK = "ok"
    SKIPPED = "skipped"
    FAILED = "failed"
    DIVERGED = "diverged"
    INVALID = "invalid"

    @property
    def broken(self) -> bool:
        """Whether something went wrong, as opposed to a combination that cannot be."""
        return self in {Status.FAILED, Status.DIVERGED, Status.INVALID}


class Scheme(StrEnum):
    """Scheme of dividing clips; `paper` ignores recordings and leaks on purpose, to compare with the papers.

    `all` tests every clip and leaves none to train on: for classifiers that come trained.
    """

    GROUP70 = "group70"
    OFFICIAL = "official"
    PAPER = "paper"
    ALL = "all"


@dataclass(frozen=True)
class Inverse:
    """A representation's way back from inputs to sound, as it states it.

    Attributes:
        error: At most so much does representation(inverse(representation(x), x)) differ from representation(x), as
            the root mean square over the values of any clip x.
        lost: What no sound of a changed input carries, in words; empty where that is only what no sound can have.
    """

    error: float
    lost: str = ""


@dataclass(frozen=True)
class Ref:
    """A component named inside another one's parameters, as a suite names it.

    Attributes:
        kind: The kind it must be of.
        id: Its id, e.g. `fgsm`.
        parameters: Those that differ from its defaults.
        component: The component itself, where the registry has built what holds the reference. It follows from the
            rest, so that references with and without it are equal.
    """

    kind: Kind
    id: str
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)
    component: object | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, eq=False)
class ClipIndex:
    """Index of a data set's clips: what it knows without decoding them; row i of every field is clip i.

    With augmentation the copies of all clips follow, copy after copy: row c·N + i is the c-th copy of clip i.

    Attributes:
        names: A stable name a clip, unique in the data set.
        labels: int64 `[N]`, an index into `classes`.
        groups: int64 `[N]`; clips cut from one recording (or spoken by one person) share a number.
        folds: int64 `[N]` with the publisher's own folds, or None where there are none. Every number from 0 on
            is the test part of one official fold; `TRAINING` and `VALIDATION` mark clips that none tests.
        classes: The class names.
        checksum: A digest of the audio and the labels; it changes when any of them does.
    """

    names: tuple[str, ...]
    labels: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]
    folds: npt.NDArray[np.int64] | None
    classes: tuple[str, ...]
    checksum: str

    TRAINING: ClassVar[int] = -1
    VALIDATION: ClassVar[int] = -2


@dataclass(frozen=True)
class Download:
    """A file that a data set is published as.

    Attributes:
        url: Where it is.
        size: Bytes; 0 where the publisher does not say.
        checksum: `sha256:…` or `md5:…`, as published; None where it is not.
        into: Folder below the data folder that it is unpacked into.
    """

    url: str
    size: int = 0
    checksum: str | None = None
    into: str = "."


@dataclass(frozen=True, eq=False)
class Split:
    """Clips that train, choose and test one classifier: disjoint int64 arrays of rows of a `ClipIndex`."""

    train: npt.NDArray[np.int64]
    validation: npt.NDArray[np.int64]
    test: npt.NDArray[np.int64]
    leaky: bool = False


@dataclass(frozen=True, eq=False)
class Examples:
    """Inputs of a classifier with their labels, on one device.

    Attributes:
        inputs: float32 in [0, 1], first dimension N.
        labels: int64 `[N]`.
    """

    inputs: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Sounds:
    """The training clips as they sound, for defenses that change waveforms.

    Attributes:
        rate: Sampling rate, Hz.
        waveforms: Makes the clips of the training part, float32 `[n, T]` in [-1, 1]: originals only, in the order
            in which they lead `TrainingData.train`.
        validation: Makes those of the validation part, in the order of `TrainingData.validation`.
        represent: Maps waveforms `[m, T]` to inputs `[m, ...]` on the device, as the classifier sees them.
    """

    rate: int
    waveforms: Callable[[], npt.NDArray[np.float32]]
    validation: Callable[[], npt.NDArray[np.float32]]
    represent: Callable[[npt.NDArray[np.float32]], torch.Tensor]


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Data that a classifier may learn from. Test clips are never among it.

    Attributes:
        train: Original clips first, then augmented copies.
        validation: Original clips that choose between epochs.
        classes: Number of classes.
        sounds: The same clips as waveforms; None where there are none, as in many tests.
        names: Of the classes, in the order of their numbers; empty where nobody has told.
    """

    train: Examples
    validation: Examples
    classes: int
    sounds: Sounds | None = None
    names: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input, without the batch dimension."""
        return tuple(self.train.inputs.shape[1:])


class Optimizer(StrEnum):
    """Rule for turning gradients into steps; weight decay is decoupled in `adamw` and an l2 penalty otherwise."""

    ADAMW = "adamw"
    ADAM = "adam"
    SGD = "sgd"


class Schedule(StrEnum):
    """Course of the learning rate: up and down once, not at all, or down in cosines of doubling length."""

    ONE_CYCLE = "one-cycle"
    CONSTANT = "constant"
    COSINE_RESTARTS = "cosine-restarts"


class Kept(StrEnum):
    """Weights that training ends with: of the best validation accuracy, or of the last epoch, come what may."""

    BEST = "best"
    LAST = "last"


class Precision(StrEnum):
    """The number format of matrix products in training; measurements are always in float32."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


@dataclass(frozen=True)
class Recipe:
    """Recipe of a model's training, unless the suite overrides it; the limits are those of the suite's table.

    After every epoch the validation accuracy is measured. By default training stops after `patience` epochs
    without a new best, and the best weights are kept.

    Attributes:
        epochs: At most so many passes over the training part.
        batch: Clips a step.
        learning_rate: The highest of the schedule.
        weight_decay: As the optimizer takes it.
        label_smoothing: Mass given to the wrong classes in the cross-entropy, in [0, 1).
        patience: Epochs without a better validation accuracy before training stops.
        optimizer: `sgd` has a momentum of 0.9.
        schedule: `cosine-restarts` falls to 5 % of the learning rate in each period.
        period: Epochs of the first period of `cosine-restarts`.
        l1: Weight of the sum of absolute kernel values of convolutions and dense layers in the loss.
        l1_layers: Names of the model's submodules whose kernels count; empty for all.
        mixup: α of mixup (Zhang et al. 2018, arXiv 1710.09412): every batch is mixed with a permutation of
            itself in shares λ and 1 - λ, λ ~ Beta(α, α), and so are its labels; 0 does not mix.
        margin: Subtracted from the true class's logit in training (additive-margin softmax, Wang et al. 2018).
        balanced: Every batch holds the same number of clips of every class, as many as fit and at least one. An
            epoch lasts as long as the rarest class fills batches; of the others it draws as many, anew each time.
        kept: Which weights training ends with; `last` runs all epochs, whatever the patience.
        precision: Of training.
    """

    epochs: Annotated[int, Field(ge=1)] = 30
    batch: Annotated[int, Field(ge=2)] = 32
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 1e-2
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    patience: Annotated[int, Field(ge=1)] = 30
    optimizer: Optimizer = Optimizer.ADAMW
    schedule: Schedule = Schedule.ONE_CYCLE
    period: Annotated[int, Field(ge=1)] = 40
    l1: Annotated[float, Field(ge=0)] = 0.0
    l1_layers: tuple[str, ...] = ()
    mixup: Annotated[float, Field(ge=0)] = 0.0
    margin: Annotated[float, Field(ge=0)] = 0.0
    balanced: bool = False
    kept: Kept = Kept.BEST
    precision: Precision = Precision.FLOAT32


# Ways of giving the size of a perturbation ε of an input x with D values (docs/metrics.md §3).
SizeUnit = Literal["epsilon", "rms", "relative", "snr_db"]
SIZE_UNITS: tuple[SizeUnit, ...] = ("epsilon", "rms", "relative", "snr_db")
# What l∞ makes of them: the largest value over the largest value; energies need l2.
_ENERGIES = frozenset({"rms", "snr_db"})


@dataclass(frozen=True)
class Budget:
    """The limits under which every attack of a suite works; a suite's table `[budget]` has the same keys.

    The size of a perturbation is given once, in one of four units; ‖ε‖ = 3 if in none.

    Attributes:
        norm: The norm of the ball.
        epsilon: Its radius in the protocol `bounded`, ‖ε‖ in units of the input, which spans [0, 1].
        target_auc: The fooling AUC that the protocol `reach` waits for.
        max_gradients: Backward rows one clip may cost in one cell; None is no limit.
        max_queries: Forward rows one clip may cost in one cell; None is no limit.
        rms: The radius as ‖ε‖₂/√D.
        relative: The radius as ‖ε‖/‖x‖ of each clip x.
        snr_db: The radius as 20·log₁₀(‖x‖₂/‖ε‖₂) of each clip x, dB.
        domain: Where ε is added.
    """

    norm: Norm = Norm.L2
    epsilon: Annotated[float, Field(ge=0)] | None = None
    target_auc: Annotated[float, Field(gt=0.5, lt=1)] = 0.9
    max_gradients: Annotated[int, Field(ge=1)] | None = None
    max_queries: Annotated[int, Field(ge=1)] | None = None
    rms: Annotated[float, Field(ge=0, le=1)] | None = None
    relative: Annotated[float, Field(ge=0)] | None = None
    snr_db: float | None = None
    domain: Surface = Surface.INPUT

    def __post_init__(self) -> None:
        given = [unit for unit in SIZE_UNITS if getattr(self, unit) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are given: give the size of perturbations once")
        if not given:
            object.__setattr__(self, "epsilon", 3.0)
        if self.norm is Norm.LINF and self.unit in _ENERGIES:
            raise ValueError(f"{self.unit} is a ratio of energies: give norm = 'l2', or epsilon or relative")

    @property
    def unit(self) -> SizeUnit:
        """Unit in which the size is given."""
        return next(unit for unit in SIZE_UNITS if getattr(self, unit) is not None)

    @property
    def size(self) -> float:
        """Number that it is given as."""
        return float(getattr(self, self.unit))

    def to_json(self) -> dict[str, Any]:
        """As results and keys hold it: the one size that is given, and the domain where it is not the input."""
        unsaid: set[str] = {unit for unit in SIZE_UNITS if getattr(self, unit) is None}
        unsaid |= {"domain"} if self.domain is Surface.INPUT else set()
        return {name: value for name, value in vars(self).items() if name not in unsaid}

    def but(self, **changes: Any) -> Budget:
        """The budget with some keys changed; a size takes the place of the one that was given."""
        kept = self.to_json()
        if any(unit in changes for unit in SIZE_UNITS):
            del kept[self.unit]
        return Budget(**{**kept, **changes})
