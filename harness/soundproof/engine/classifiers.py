"""Trained and defended classifiers, each made once and kept in the store."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from soundproof.digest import seed_from
from soundproof.engine.fusion import fused
from soundproof.engine.keys import seed_of
from soundproof.measuring.learning import Learning, plain
from soundproof.training.trainer import Trainer, TrainingError
from soundproof.victim.expectation import Expectation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from torch import nn

    from soundproof.engine.inputs import InputMaker
    from soundproof.engine.store import Artifact
    from soundproof.engine.workshop import Workshop
    from soundproof.measuring.cell import Classifier, Trained

    Made = tuple[Mapping[str, Any], Mapping[str, Any]]


@dataclass(eq=False)
class ClassifierMaker:
    """Makes trained and defended classifiers, through the store.

    Attributes:
        workshop: What they are made with.
        inputs: What they learn from.
    """

    workshop: Workshop
    inputs: InputMaker
    _memory: dict[Classifier, nn.Module] = field(default_factory=dict)

    def forget(self) -> None:
        """Free what is held in memory."""
        self._memory.clear()

    def module(self, classifier: Classifier) -> nn.Module:
        """The defended classifier, frozen and in evaluation mode; a random one as the mean of its draws."""
        if classifier not in self._memory:
            stored = self._defend(classifier)
            module = self._wrapped(classifier)
            weights = stored if stored.record["weights"] == "own" else self._train(classifier.trained)
            module.load_state_dict(weights.tensors(self.workshop.device))
            module = fused(module.eval(), self.workshop.plan.shape(classifier.trained))
            draws = classifier.defense.draws
            module = module if draws == 1 else Expectation(module, draws)
            self._memory[classifier] = module.requires_grad_(requires_grad=False).eval()
        return self._memory[classifier]

    def learning(self, classifier: Classifier) -> tuple[Learning, Learning]:
        """How the model was trained, and what its defense did on top."""
        model = Learning()
        if not classifier.defense.from_scratch:
            model = Learning(curve=self._train(classifier.trained).record["curve"])
        return model, Learning(**self._defend(classifier).record["learning"])

    def _defend(self, classifier: Classifier) -> Artifact:
        return self.workshop.made(classifier, lambda: self._defended(classifier))

    def _train(self, trained: Trained) -> Artifact:
        """Weights and learning curve of a classifier before any defense."""
        return self.workshop.made(trained, lambda: self._trained(trained))

    def _defended(self, classifier: Classifier) -> Made:
        trained, defense, device = classifier.trained, classifier.defense, self.workshop.device
        before = {} if defense.from_scratch else self._train(trained).tensors(device)
        seed = seed_from(seed_of("defended", trained, defense))
        with seeded(seed, device):
            module = self._build(trained)
            if not defense.from_scratch:
                module.load_state_dict(before)
            plan = self.workshop.plan
            defended = defense.wrap(module, plan.shape(trained), plan.classes(trained)).to(device)
            trainer = self._trainer(trained, seed)
            try:
                defense.fit(defended, self.inputs.training_data(trained), trainer)
            except TrainingError as error:
                error.whose = "defense"
                raise
        after = defended.state_dict()
        # A defense that leaves the weights alone (`none`) does not store them twice.
        same = before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
        record = {"weights": "same" if same else "own", "learning": vars(Learning.of(trainer))}
        return record, {} if same else after

    def _trained(self, trained: Trained) -> Made:
        seed = seed_from(seed_of("trained", trained))
        with seeded(seed, self.workshop.device):
            module = self._build(trained)
            data, trainer = self.inputs.training_data(trained), self._trainer(trained, seed)
            curve = trained.model.fit(module, data, trainer)
        return {"curve": plain(curve)}, module.state_dict()

    def _trainer(self, trained: Trained, seed: int) -> Trainer:
        return Trainer(
            self.workshop.plan.recipe(trained),
            seed,
            device=self.workshop.device,
            build=self.workshop.registry.build,
            on_epoch=self.workshop.on_epoch,
        )

    def _build(self, trained: Trained) -> nn.Module:
        plan = self.workshop.plan
        module = trained.model.build(plan.shape(trained), plan.classes(trained))
        # Convolutions are faster with channels last, on CPUs and GPUs alike.
        return module.to(self.workshop.device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def _wrapped(self, classifier: Classifier) -> nn.Module:
        trained, plan = classifier.trained, self.workshop.plan
        structure = classifier.defense.wrap(self._build(trained), plan.shape(trained), plan.classes(trained))
        return structure.to(self.workshop.device)


@contextlib.contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """Seed torch's global generators, which initialise weights and drive dropout, and restore them after."""
    with torch.random.fork_rng(enabled=True, devices=[0] if device == "cuda" else []):
        torch.manual_seed(seed)
        yield
