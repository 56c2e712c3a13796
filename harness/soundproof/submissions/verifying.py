"""Verifying: the examples of a bundle, shown to a network and scored as if an attack had just returned them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import torch

from soundproof.contract.components import BoundedAttack
from soundproof.contract.registry import BUILT_IN, Registry
from soundproof.digest import seed_from
from soundproof.engine.cells import Ran
from soundproof.engine.classifiers import seeded
from soundproof.engine.measurements import Measurements
from soundproof.errors import SoundproofError
from soundproof.measuring.outcome import InvalidExamplesError
from soundproof.measuring.place import COORDINATES
from soundproof.measuring.protocols.base import Cell, Material
from soundproof.measuring.protocols.bounded import Bounded
from soundproof.measuring.protocols.clean import Clean
from soundproof.measuring.subject import attackable
from soundproof.planning.plan import key_of, row_of
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof.results.files import Row
from soundproof.results.flags import CLAIMED, LEAKY, VERIFIED
from soundproof.submissions.bundle import EXAMPLES, WEIGHTS
from soundproof.submissions.packing import digests, obstacles, weights_digest
from soundproof.types import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from soundproof.engine.runner import Runner
    from soundproof.measuring.classifier import Classifier
    from soundproof.measuring.metrics.intervals import Metric
    from soundproof.measuring.outcome import Outcome
    from soundproof.planning.plan import Plan
    from soundproof.results.files import Results
    from soundproof.submissions.bundle import Bundle
    from soundproof.victim.ball import Ball
    from soundproof.victim.metered import Victim

# What examples and a network show; the rest of a row is its maker's word.
SCORED = ("fooling_auc", "fooling_rate", "robust_accuracy", "l2", "linf", "l0")
_PLACE = ("protocol", "dataset", "representation", "model", "defense", "attack", "fold", "seed")
# How far the clean inputs of another machine may be from those here, as a share of the radius.
_ROUNDING = 1e-3


class Network(StrEnum):
    """Network that examples were shown to."""

    OWN = "made here"
    CLAIMED = "the submitter's"


@dataclass(frozen=True, eq=False)
class Verified:
    """Result of a verification.

    Attributes:
        row: What was scored here.
        claimed: The row as it was claimed.
        network: Whose it was scored on.
        differing: Metrics whose claim does not hold here, in words.
        results: The classifier's `clean` row and this one, as a results folder holds them.
    """

    row: Row
    claimed: Row
    network: Network
    differing: Sequence[str]
    results: Results


class _Replay(BoundedAttack):
    """An attack that returns what it was given, batch by batch; the harness looks at it as at any other."""

    def __init__(self, examples: torch.Tensor, *, exact: bool) -> None:
        self._examples = examples
        self._exact = exact
        self._given = 0

    @property
    def planned_gradients(self) -> int:
        """It has spent them elsewhere."""
        return 0

    def perturb(self, victim: Victim, ball: Ball, generator: torch.Generator) -> torch.Tensor:  # noqa: ARG002
        """The next examples."""
        batch = self._examples[self._given : self._given + len(victim)]
        self._given += len(victim)
        if self._exact:
            return batch
        # Their maker's clean inputs differ from these in last digits, and so does the ball around them.
        near = ball.project(batch, victim.clean)
        far = (near - batch).flatten(1).norm(dim=1).max().item()
        radius = torch.as_tensor(ball.radius).max().item()
        return near if far <= _ROUNDING * radius else batch


def verify(bundle: Bundle, runner: Runner, *, train: bool = False) -> Verified:
    """Score a bundle's examples; nothing in it is executed.

    Args:
        bundle: What to verify.
        runner: Holds data and cache; of its components only soundproof's own are used.
        train: Make the network here even where the bundle brings one.

    Raises:
        SoundproofError: The bundle is not what it has to be, or its classifier cannot be made here.
    """
    own = replace(runner, registry=_built_in(runner.registry))
    claimed = _row(bundle)
    plan, clean = _plan(bundle, own, claimed)
    classifier = clean.classifier
    workshop = own.workshop(plan)
    measurements = Measurements(workshop)
    arrays = _arrays(bundle, plan, classifier)
    network = Network.OWN
    if bundle.has_weights and not train and not workshop.has(classifier):
        network = Network.CLAIMED
        _adopt(bundle, measurements, classifier)
    elif bundle.has_weights:
        # What is not used is looked at all the same.
        bundle.tensors(WEIGHTS)
    seed = ["verified", claimed.key]
    subject = measurements.subject(classifier, seed)
    with seeded(seed_from(seed), workshop.device):
        seen = Clean().measure(Material(clean, subject, plan.budget(clean)))
    found = _scored(bundle, arrays, Material(clean, subject, plan.budget(clean)))
    if found.status is not Status.OK:
        raise SoundproofError(f"{bundle.path}: {found.reason}")
    mark = VERIFIED if network is Network.OWN else CLAIMED
    trained = classifier.trained
    leaky = (LEAKY,) if plan.splits[trained.dataset, trained.fold].leaky else ()
    flags = (*leaky, *trained.dataset.flags, *trained.model.flags, mark)
    row = replace(claimed, metrics=found.metrics, reports={}, flags=tuple(sorted(flags)), reason=None)
    of_clean = row_of(clean, plan.budget(clean), Status.OK, metrics=seen.metrics, flags=row.flags)
    results = own.results(plan, [Ran(of_clean, seen.samples), Ran(row, found.samples)])
    row = next(each for each in results.rows if each.key == row.key)
    return Verified(row, claimed, network, tuple(_differing(claimed, found)), results)


def _built_in(registry: Registry) -> Registry:
    """Soundproof's own components."""
    own = {of: found for of, found in registry.components.items() if found.distribution == BUILT_IN}
    return Registry(own)


def _row(bundle: Bundle) -> Row:
    """The row that is claimed."""
    try:
        row = Row.from_json(bundle.manifest.row)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SoundproofError(f"{bundle.path}: its row is none of this version: {error}") from None
    if row.protocol != Bounded.id or row.status is not Status.OK or row.attack is None:
        raise SoundproofError(f"{bundle.path}: its row is no attack within a ball that went well")
    return row


def _plan(bundle: Bundle, runner: Runner, row: Row) -> tuple[Plan, Cell]:
    """A plan of the row's classifier, and its `clean` cell."""
    try:
        suite = load_suite(bundle.manifest.suite, runner.registry)
    except SoundproofError as error:
        raise SoundproofError([f"{bundle.path}: {problem}" for problem in error.problems]) from None
    problems = obstacles(runner.registry, suite.components)
    if problems:
        raise SoundproofError([f"{bundle.path}: {problem}" for problem in problems])
    plan = make_plan(suite, runner.root)
    cells = [cell for cell in plan.cells if cell.classifier.trained.fold == row.fold]
    reasons = [skipped.reason or "" for skipped in plan.skipped] + list(plan.absent.values())
    if len(cells) != 1 or cells[0].protocol != Clean():
        raise SoundproofError(
            reasons or f"{bundle.path}: its suite makes {len(cells)} classifiers of the row's fold"
        )
    here = row_of(cells[0], plan.budget(cells[0]), Status.OK)
    names = [name for name in COORDINATES[:4] if getattr(here, name) != getattr(row, name)]
    if names or here.seed != row.seed:
        raise SoundproofError(f"{bundle.path}: its row and its suite name another {' and '.join(names) or 'seed'}")
    place = {name: getattr(row, name) for name in (*_PLACE, "target")}
    odd = row.target is not None or row.channel is not None
    if odd or row.key != key_of(place, plan.budget(cells[0])):
        raise SoundproofError(f"{bundle.path}: its row's key is not that of its coordinates and budget")
    checksum = plan.indexes[cells[0].classifier.trained.dataset].checksum
    if checksum != bundle.manifest.clips.checksum:
        raise SoundproofError(
            f"{bundle.path}: made from other clips than are here: their checksum is "
            f"{bundle.manifest.clips.checksum}, and here it is {checksum}"
        )
    return plan, cells[0]


def _arrays(bundle: Bundle, plan: Plan, classifier: Classifier) -> dict[str, torch.Tensor]:
    """The examples, and of which clips they are."""
    trained, clips = classifier.trained, bundle.manifest.clips
    count, test, names = len(clips.names), plan.test(trained), plan.originals(trained.dataset).names
    if not 0 < count <= len(test) or len(clips.inputs) != count:
        raise SoundproofError(
            f"{bundle.path}: {count} clips with {len(clips.inputs)} inputs, where 1 to {len(test)} are tested"
        )
    due = {"examples": ("F32", (count, *plan.shape(trained))), "clip": ("I32", (count,))}
    due |= dict.fromkeys(("gradients", "queries"), ("F32", (count,)))
    arrays = bundle.tensors(EXAMPLES, due)
    rows = arrays["clip"].numpy()
    if len(set(rows.tolist())) < count or not np.isin(rows, test).all():
        raise SoundproofError(f"{bundle.path}: examples of clips that stand in it twice or are not tested")
    if [names[row] for row in rows] != clips.names:
        raise SoundproofError(f"{bundle.path}: its clips have other names than here")
    for name in ("gradients", "queries"):
        if not (torch.isfinite(arrays[name]) & (arrays[name] >= 0)).all():
            raise SoundproofError(f"{bundle.path}: {name} must be finite numbers from 0 on")
    return arrays


def _adopt(bundle: Bundle, measurements: Measurements, classifier: Classifier) -> None:
    """Measure the submitter's network instead of one that is made here."""
    weights = bundle.tensors(WEIGHTS)
    if weights_digest(weights) != bundle.manifest.network:
        raise SoundproofError(f"{bundle.path}: {WEIGHTS} are not of the network that its manifest tells of")
    try:
        measurements.classifiers.adopt(classifier, weights)
    except (RuntimeError, ValueError) as error:
        raise SoundproofError(f"{bundle.path}: {WEIGHTS}: {' '.join(str(error).split())}") from None


def _scored(bundle: Bundle, arrays: Mapping[str, torch.Tensor], material: Material) -> Outcome:
    """What the examples do; a clip that is right here and has no example stays as it is."""
    subject, device = material.subject, material.subject.examples.inputs.device
    attacked = attackable(subject, targeted=False)
    if attacked is None:
        raise SoundproofError(f"{bundle.path}: the network gets no clip right, so there is none to attack")
    place = {row: number for number, row in enumerate(arrays["clip"].tolist())}
    own = torch.tensor([place.get(row, -1) for row in attacked.clips.tolist()], device=device)
    there = own >= 0
    examples = attacked.inputs.clone()
    examples[there] = arrays["examples"].to(device)[own[there]]
    inputs = digests(attacked.inputs[there])
    exact = inputs == [bundle.manifest.clips.inputs[number] for number in own[there].tolist()]
    cell = Cell(Bounded(), material.cell.classifier, _Replay(examples, exact=exact))
    try:
        found = Bounded().measure(replace(material, cell=cell))
    except InvalidExamplesError as error:
        said = (
            str(error).replace("the attack returned", "it holds").replace("the attack left", "its examples leave")
        )
        raise SoundproofError(f"{bundle.path}: {said}") from None
    samples = {
        name: array for name, array in found.samples.items() if not name.startswith(("curve", "found", "late"))
    }
    for name in ("gradients", "queries"):
        spent = torch.where(there, arrays[name].to(device)[own.clamp_min(0)], 0.0)
        samples[name] = spent.cpu().numpy()
    return replace(found, metrics=Bounded().metrics([samples], subject.scene), samples=samples, examples=None)


def _differing(claimed: Row, found: Outcome) -> Iterator[str]:
    """Claims that do not hold: outside of their own interval, and by more than a single clip makes."""
    for name in SCORED:
        here: Metric | None = found.metrics.get(name)
        there = claimed.metrics.get(name)
        if here is None or there is None:
            if here is not there:
                yield f"{name}: claimed {_value(there)}, and here {_value(here)}"
            continue
        one_clip = 1 / here.n if name in SCORED[:3] and here.n else 1e-4 * abs(there.value)
        inside = there.low <= here.value <= there.high
        if not inside and abs(here.value - there.value) > one_clip:
            yield f"{name}: claimed {_value(there)}, and here {_value(here)}"


def _value(metric: Metric | None) -> str:
    return "none" if metric is None else f"{metric.value:.4g}"
