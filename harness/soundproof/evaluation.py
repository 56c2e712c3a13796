"""Evaluation of a classifier of the user's own, on clips of their own: rows and boards, and nothing is trained."""

from __future__ import annotations

import copy
import hashlib
import secrets
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import nn

from soundproof import frames
from soundproof.api import execute
from soundproof.contract.components import Dataset, Model
from soundproof.contract.discovery import discover
from soundproof.contract.registry import BUILT_IN, Registered
from soundproof.digest import digest
from soundproof.errors import SoundproofError, hint
from soundproof.measuring.metrics.renaming import renaming
from soundproof.types import ClipIndex, Domain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

    from soundproof.api import Finished
    from soundproof.engine.events import Listener

ATTACKS = ("fgsm", "bim-a", "bim-b", "noise")


class _Heard(nn.Module):
    """A classifier of waveforms `[n, T]` in [-1, 1] as one of inputs `[n, 1, T]` in [0, 1]."""

    def __init__(self, classifier: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits `[n, K]`."""
        return self.classifier(2 * inputs[:, 0] - 1)


def evaluate(
    classifier: Callable[[torch.Tensor], torch.Tensor],
    clips: npt.NDArray[np.floating[Any]],
    labels: Sequence[int] | Sequence[str] | npt.NDArray[Any],
    *,
    rate: int,
    classes: Sequence[str],
    groups: Sequence[Any] | npt.NDArray[Any] | None = None,
    representation: str | Mapping[str, Any] | None = None,
    attacks: Sequence[str | Mapping[str, Any]] = ATTACKS,
    budget: Mapping[str, Any] | None = None,
    differentiable: bool = True,
    name: str = "mine",
    out: str | Path | None = None,
    cache: str | Path | None = None,
    device: str = "auto",
    listeners: Sequence[Listener] = (),
) -> pd.DataFrame:
    """Measure how robust a trained classifier is; write its results folder with the boards, and return the rows.

    Args:
        classifier: A `torch.nn.Module`, or any function, from waveforms `[n, T]` in [-1, 1] to logits `[n, K]`;
            with a `representation` from its inputs `[n, ...]` in [0, 1]. Of a module a copy is measured, in
            evaluation mode.
        clips: float `[N, T]` in [-1, 1]. All are test clips: give none that the classifier was trained on.
        labels: `[N]`, indices into `classes`, or their names.
        rate: Sampling rate of the clips, Hz.
        classes: Names in the order of the logits.
        groups: `[N]`, the recording or speaker of every clip; without them rows are flagged `ungrouped`.
        representation: What stands before the classifier, as in a suite; None attacks the waveform itself.
        attacks: As in a suite.
        budget: As a suite's table `[budget]`; by default ‖ε‖₂ ≤ 3, which is loud on samples scaled to [0, 1].
            `{"snr_db": 40}` is 40 dB below each clip; with a `representation` also `"domain": "waveform"`.
        differentiable: Whether it has gradients; without them white-box attacks are skipped.
        name: What boards call it.
        out: The results folder; `results/<name>` by default.
        cache: Where artifacts are kept between runs.
        device: `auto`, `cpu` or `cuda`.
        listeners: Told of everything.

    Returns:
        As `soundproof.run`.

    Raises:
        SoundproofError: Clips, labels and classifier do not fit each other; it lists every problem.
    """
    measured = measure(
        classifier,
        clips,
        labels,
        rate=rate,
        classes=classes,
        groups=groups,
        representation=representation,
        attacks=attacks,
        budget=budget,
        differentiable=differentiable,
        name=name,
        out=out,
        cache=cache,
        device=device,
        listeners=listeners,
    )
    return frames.cells(measured.results)


def measure(
    classifier: Callable[[torch.Tensor], torch.Tensor],
    clips: npt.NDArray[np.floating[Any]],
    labels: Sequence[int] | Sequence[str] | npt.NDArray[Any],
    *,
    rate: int,
    classes: Sequence[str],
    groups: Sequence[Any] | npt.NDArray[Any] | None = None,
    representation: str | Mapping[str, Any] | None = None,
    attacks: Sequence[str | Mapping[str, Any]] = ATTACKS,
    budget: Mapping[str, Any] | None = None,
    differentiable: bool = True,
    name: str = "mine",
    out: str | Path | None = None,
    cache: str | Path | None = None,
    device: str = "auto",
    listeners: Sequence[Listener] = (),
) -> Finished:
    """The same as `evaluate`; returns the results with their pages."""
    waveforms, indices = _checked(clips, labels, classes)
    module = classifier if isinstance(classifier, nn.Module) else _Function(classifier)
    dataset = _dataset(waveforms, rate, indices, classes, groups)
    whole = module if representation else _Heard(module)
    model = _model(whole, differentiable=differentiable, plain=module is classifier)
    if representation is None:
        _check_logits(module, waveforms, indices, classes)
    registry = discover()
    for component in (dataset, model):
        registry.components[component.kind, component.id] = Registered(component, BUILT_IN, version(BUILT_IN))
    suite = {
        "name": name,
        "datasets": [dataset.id],
        "representations": [representation or {"id": "waveform", "sr": rate}],
        "models": [{"id": model.id, "label": name}],
        "attacks": list(attacks),
        "protocols": ["clean", "bounded", "reach"],
        "split": {"scheme": "all"},
        "budget": dict(budget or {}),
    }
    return execute(
        suite,
        out=out or Path("results") / name,
        cache=cache,
        device=device,
        isolate="none",  # no other process knows what was given here
        listeners=listeners,
        registry=registry,
    )


class _Function(nn.Module):
    """A function as a module without weights."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """What it returns."""
        return self.function(inputs)


def _checked(
    clips: npt.NDArray[Any], labels: Sequence[Any] | npt.NDArray[Any], classes: Sequence[str]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Clips as float32 and labels as indices."""
    problems = []
    waveforms = np.asarray(clips)
    if waveforms.ndim != 2 or waveforms.dtype.kind != "f":
        raise SoundproofError(
            f"clips must be floating-point [N, T], not {waveforms.dtype} {list(waveforms.shape)}"
        )
    if not np.isfinite(waveforms).all() or np.abs(waveforms).max(initial=0) > 1:
        problems.append(f"clips must lie in [-1, 1]; they reach {np.abs(waveforms).max():.4g}: scale or mend them")
    if len(labels) != len(waveforms):
        problems.append(f"{len(labels)} labels for {len(waveforms)} clips")
    if len(set(classes)) < len(classes) or len(classes) < 2:
        problems.append("classes must be at least two different names, in the order of the logits")
    names = list(classes)
    indices = []
    for label in dict.fromkeys(np.asarray(labels).tolist()):
        if isinstance(label, str) and label not in names:
            problems.append(f"label {label!r} is none of the classes: {hint(label, names)}")
        elif not isinstance(label, str) and not (isinstance(label, int) and 0 <= label < len(names)):
            problems.append(f"label {label!r} is no index into {len(names)} classes")
    if problems:
        raise SoundproofError(problems)
    indices = [names.index(each) if isinstance(each, str) else each for each in np.asarray(labels).tolist()]
    return waveforms.astype(np.float32), np.array(indices, np.int64)


def _check_logits(
    module: nn.Module, waveforms: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], classes: Sequence[str]
) -> None:
    """Raise SoundproofError if it does not give one logit a class, or gives them in another order."""
    few = torch.from_numpy(waveforms[:256])
    with torch.no_grad():
        logits: object = copy.deepcopy(module).cpu().eval()(few)
    due = (len(few), len(classes))
    shape = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
    if not isinstance(logits, torch.Tensor) or shape != due:
        raise SoundproofError(
            f"the classifier gives {shape} for {len(few)} clips, where logits {due} are due, one a class"
        )
    found = renaming(labels[:256], logits.argmax(dim=1).numpy(), len(classes))
    if found is not None:
        pairs = ", ".join(f"{classes[label]} → {classes[output]}" for label, output in found.outputs.items())
        raise SoundproofError(
            f"the classifier is right on {found.right:.0%} of the clips, and on {found.renamed:.0%} if classes "
            f"are renamed ({pairs}): give classes in the order of its logits"
        )


def _dataset(
    waveforms: npt.NDArray[np.float32],
    own_rate: int,
    labels: npt.NDArray[np.int64],
    names: Sequence[str],
    groups: Sequence[Any] | npt.NDArray[Any] | None,
) -> type[Dataset]:
    """A data set of clips that are in memory."""
    recordings = (
        np.arange(len(labels)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    )
    content = hashlib.sha256(waveforms.tobytes() + labels.tobytes() + recordings.tobytes()).hexdigest()
    index_ = ClipIndex(
        names=tuple(f"clip-{row}" for row in range(len(labels))),
        labels=labels,
        groups=recordings.astype(np.int64),
        folds=None,
        classes=tuple(names),
        checksum=digest([content, own_rate, list(names)]),
    )

    @dataclass(frozen=True)
    class Given(Dataset):
        """Clips that were given to `soundproof.evaluate`."""

        id: ClassVar[str] = "given-clips"
        version: ClassVar[str] = "1"

        @property
        def seconds(self) -> float:
            return float(waveforms.shape[1] / own_rate)

        @property
        def flags(self) -> tuple[str, ...]:
            return ("ungrouped",) if groups is None else ()

        def index(self, root: Path) -> ClipIndex:  # noqa: ARG002
            return index_

        def waveforms(self, root: Path, rate: int) -> npt.NDArray[np.float32]:  # noqa: ARG002
            if rate == own_rate:
                return waveforms
            import soxr

            moved = soxr.resample(waveforms.T, own_rate, rate).T[:, : self.sample_count(rate)]
            padded = np.zeros((len(waveforms), self.sample_count(rate)), np.float32)
            padded[:, : moved.shape[1]] = moved.clip(-1, 1)
            return padded

    return Given


def _model(module: nn.Module, *, differentiable: bool, plain: bool) -> type[Model]:
    """A model that is there already."""
    # A function's state cannot be read: nothing of it is taken from the cache.
    known = digest([repr(module), _weights(module)]) if plain else secrets.token_hex(16)
    given = differentiable

    @dataclass(frozen=True)
    class Given(Model):
        """The classifier that was given to `soundproof.evaluate`."""

        id: ClassVar[str] = "given-classifier"
        version: ClassVar[str] = known
        accepts: ClassVar[frozenset[Domain]] = frozenset(Domain)
        differentiable: ClassVar[bool] = given
        retrainable: ClassVar[bool] = False

        @property
        def pretrained(self) -> bool:
            return True

        def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:  # noqa: ARG002
            return copy.deepcopy(module).eval()

        def fit(self, module: nn.Module, data: Any, trainer: Any) -> list[Any]:  # noqa: ARG002
            return []

    return Given


def _weights(module: nn.Module) -> dict[str, str]:
    return {
        name: hashlib.sha256(value.detach().cpu().contiguous().numpy().tobytes()).hexdigest()
        for name, value in module.state_dict().items()
    }
