"""Account of a run by itself, in words for the head and the foot of the pages; missing notes stay missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from soundproof.contract.identity import label

if TYPE_CHECKING:
    from collections.abc import Mapping

_NORMS = {"l2": "‖ε‖₂", "linf": "‖ε‖∞"}
_SHORT = 12  # digits of a checksum that people compare


@dataclass(frozen=True)
class Data:
    """A data set as it was measured."""

    name: str
    clips: int | None
    classes: int | None
    checksum: str


@dataclass(frozen=True)
class Provenance:
    """Provenance of the numbers.

    Attributes:
        suite: Its name.
        digest: Of the suite, shortened.
        budget: The bound in words, e.g. `‖ε‖₂ ≤ 3`, `SNR ≥ 40 dB on the waveform`; empty where the run
            did not note it.
        target: The fooling AUC to exceed, likewise.
        limits: Further limits in words.
        datasets: In the order of the suite.
        inputs: Data set, representation, shape and D of each input.
        environment: What it ran on and with, e.g. `("torch", "2.6.0")`.
        components: What was measured, e.g. `("attack", "fgsm", "soundproof 0.1.0")`.
    """

    suite: str
    digest: str
    budget: str
    target: str
    limits: tuple[str, ...]
    datasets: tuple[Data, ...]
    inputs: tuple[tuple[str, str, str, str], ...]
    environment: tuple[tuple[str, str], ...]
    components: tuple[tuple[str, str, str], ...]


def provenance(run: Mapping[str, Any]) -> Provenance:
    """Read `run.json`."""
    budget = run.get("budget") or {}
    return Provenance(
        suite=str((run.get("suite") or {}).get("name") or "results"),
        digest=str(run.get("suite_digest") or "")[:_SHORT],
        budget=_bound(budget),
        target=f"{budget['target_auc']:g}" if "target_auc" in budget else "",
        limits=tuple(
            f"at most {budget[name]:,} {what} a clip"
            for name, what in (("max_gradients", "gradients"), ("max_queries", "queries"))
            if budget.get(name) is not None
        ),
        datasets=tuple(_data(entry) for entry in run.get("datasets") or ()),
        inputs=tuple(_input(entry) for entry in run.get("inputs") or ()),
        environment=tuple(sorted((str(k), str(v)) for k, v in (run.get("environment") or {}).items() if v != "")),
        components=tuple(sorted(_component(entry) for entry in run.get("components") or ())),
    )


def _bound(budget: Mapping[str, Any]) -> str:
    """The bound on perturbations in words; empty where the run did not note it."""
    norm, of_sound = str(budget.get("norm", "l2")), budget.get("domain") == "waveform"
    size, whole = _NORMS.get(norm, "‖ε‖"), _NORMS.get(norm, "‖ε‖").replace("ε", "x")
    words = {
        "epsilon": f"{size} ≤ {budget.get('epsilon', 0):g}",
        "rms": f"RMS of ε ≤ {budget.get('rms', 0):g}",
        "relative": f"{size} ≤ {budget.get('relative', 0):g}·{whole}",
        "snr_db": f"SNR ≥ {budget.get('snr_db', 0):g} dB",
    }
    said = next((words[unit] for unit in words if unit in budget), "")
    return f"{said} on the waveform" if said and of_sound else said


def _data(entry: Mapping[str, Any]) -> Data:
    classes = entry.get("classes")
    return Data(
        name=_name(entry.get("dataset")),
        clips=entry.get("clips"),
        classes=None if classes is None else len(classes),
        checksum=str(entry.get("checksum") or "")[:_SHORT],
    )


def _input(entry: Mapping[str, Any]) -> tuple[str, str, str, str]:
    shape = " × ".join(str(size) for size in entry.get("shape") or ())
    dimension = entry.get("dimension")
    names = (_name(entry.get("dataset")), _name(entry.get("representation")))
    return (*names, shape, "" if dimension is None else f"{dimension:,}")


def _component(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    package = " ".join(str(entry[name]) for name in ("distribution", "version") if entry.get(name))
    return str(entry.get("kind", "")), str(entry.get("id", "")), package


def _name(coordinate: dict[str, Any] | None) -> str:
    return label(coordinate) if coordinate else ""
