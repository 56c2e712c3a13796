"""Trained and defended classifiers, each made once and kept in the store."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from soundproof.digest import seed_from
from soundproof.engine.fusion import folded
from soundproof.engine.keys import seed_of
from soundproof.measuring.learning import Learning, plain
from soundproof.training.trainer import Trainer, TrainingError
from soundproof.victim.expectation import Expectation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import nn

    from soundproof.engine.inputs import Inputs
    from soundproof.engine.keys import Keys
    from soundproof.engine.store import Artifact, Failures, Key, Store
    from soundproof.planning.plan import Classifier, Plan, Trained


@dataclass(eq=False)
class Classifiers:
    """Makes classifiers, through the store.

    Attributes:
        plan: What there is to do.
        store: Where artifacts are kept.
        keys: Their keys.
        inputs: What they learn from.
        failures: What failed before.
        on_epoch: Called after every epoch of training.
    """

    plan: Plan
    store: Store
    keys: Keys
    inputs: Inputs
    failures: Failures
    on_epoch: Callable[[], None] = lambda: None
    _memory: dict[str, nn.Module] = field(default_factory=dict)

    def forget(self) -> None:
        """Free what is held in memory."""
        self._memory.clear()

    def module(self, classifier: Classifier) -> nn.Module:
        """The defended classifier, frozen and in evaluation mode; a random one as the mean of its draws."""
        key = self.keys.defended(classifier)
        if key.digest not in self._memory:
            with self.failures.once(key):
                stored = self.store.get(key) or self._defend(classifier, key)
                module = self._wrapped(classifier)
                weights = stored if stored.record["weights"] == "own" else self._train(classifier.trained)
                module.load_state_dict(weights.tensors(self._device))
            module = folded(module.eval(), self.plan.shape(classifier.trained))
            draws = classifier.defense.draws
            module = module if draws == 1 else Expectation(module, draws)
            self._memory[key.digest] = module.requires_grad_(requires_grad=False).eval()
        return self._memory[key.digest]

    def learning(self, classifier: Classifier) -> tuple[Learning, Learning]:
        """How the model was trained, and what its defense did on top."""
        key = self.keys.defended(classifier)
        stored = self.store.get(key) or self._defend(classifier, key)
        trained = self._train(classifier.trained)
        return Learning(curve=trained.record["curve"]), Learning(**stored.record["learning"])

    def _defend(self, classifier: Classifier, key: Key) -> Artifact:
        trained = classifier.trained
        before = self._train(trained).tensors(self._device)
        module = self._build(trained)
        module.load_state_dict(before)
        seed = seed_from(seed_of("defended", trained, classifier.defense))
        with seeded(seed, self._device):
            defended = classifier.defense.wrap(module, self.plan.shape(trained), self._classes(trained))
            defended.to(self._device)
            trainer = self._trainer(trained, seed)
            try:
                classifier.defense.fit(defended, self.inputs.training_data(trained), trainer)
            except TrainingError as error:
                error.whose = "defense"
                raise
        after = defended.state_dict()
        # A defense that leaves the weights alone (`none`) does not store them twice.
        same = before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
        record = {"weights": "same" if same else "own", "learning": vars(Learning.of(trainer))}
        return self.store.put(key, record, {} if same else after)

    def _train(self, trained: Trained) -> Artifact:
        """Weights and learning curve of a classifier before any defense."""
        key = self.keys.trained(trained)
        found = self.store.get(key)
        if found is not None:
            return found
        with self.failures.once(key):
            seed = seed_from(seed_of("trained", trained))
            with seeded(seed, self._device):
                module = self._build(trained)
                data, trainer = self.inputs.training_data(trained), self._trainer(trained, seed)
                curve = trained.model.fit(module, data, trainer)
            return self.store.put(key, {"curve": plain(curve)}, module.state_dict())

    def _trainer(self, trained: Trained, seed: int) -> Trainer:
        return Trainer(
            self.plan.suite.recipe(trained.model),
            seed,
            device=self._device,
            build=self.keys.registry.build,
            on_epoch=self.on_epoch,
        )

    def _build(self, trained: Trained) -> nn.Module:
        module = trained.model.build(self.plan.shape(trained), self._classes(trained))
        # Convolutions are faster with channels last, on CPUs and GPUs alike.
        return module.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def _wrapped(self, classifier: Classifier) -> nn.Module:
        trained = classifier.trained
        shape, classes = self.plan.shape(trained), self._classes(trained)
        return classifier.defense.wrap(self._build(trained), shape, classes).to(self._device)

    def _classes(self, trained: Trained) -> int:
        return len(self.plan.indexes[trained.dataset].classes)

    @property
    def _device(self) -> str:
        return self.keys.environment.device


@contextlib.contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """Seed torch's global generators, which initialise weights and drive dropout, and restore them after."""
    with torch.random.fork_rng(enabled=True, devices=[0] if device == "cuda" else []):
        torch.manual_seed(seed)
        yield
