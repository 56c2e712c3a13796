"""Trained and defended classifiers, each made once and kept in the store."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import nn

from soundproof.digest import seed_from
from soundproof.engine.fusion import fused
from soundproof.engine.keys import seed_of
from soundproof.measuring.classifier import Classifier
from soundproof.measuring.learning import Learning, plain
from soundproof.measuring.outcome import InvalidExamplesError
from soundproof.results.flags import FETCHED
from soundproof.training.trainer import Trainer, TrainingError
from soundproof.types import Surface
from soundproof.victim.expectation import Expectation
from soundproof.victim.hearing import Hearing
from soundproof.victim.seal import Seal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from soundproof.contract.components import Component
    from soundproof.engine.inputs import InputMaker
    from soundproof.engine.store import Artifact
    from soundproof.engine.workshop import Workshop
    from soundproof.measuring.classifier import Trained

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
    _memory: dict[Classifier, tuple[nn.Module, Seal]] = field(default_factory=dict)

    def forget(self) -> None:
        """Free what is held in memory."""
        self._memory.clear()

    def module(self, classifier: Classifier) -> nn.Module:
        """The defended classifier, frozen and in evaluation mode; a random one as the mean of its draws.

        Where attacks change the sound, its representation is part of it.
        """
        if classifier not in self._memory:
            module = self.fresh(classifier)
            self._memory[classifier] = module, Seal(module)
        return self._memory[classifier][0]

    def fresh(self, classifier: Classifier) -> nn.Module:
        """The same as another object, which has seen nothing yet."""
        return self.assembled(classifier, self.weights(classifier))

    def assembled(self, classifier: Classifier, weights: Mapping[str, torch.Tensor]) -> nn.Module:
        """A classifier as it is measured, with the given weights in its network.

        Raises:
            RuntimeError: They are not of its names or shapes.
        """
        module = self.structure(classifier)
        module.load_state_dict(weights)
        self._probed(module, classifier.trained, classifier.link)
        module = fused(module.eval(), self.workshop.plan.shape(classifier.trained))
        if self.workshop.plan.surface is Surface.WAVEFORM:
            module = Hearing(self.inputs.representation(classifier.trained), module)
        draws = classifier.defense.draws
        module = module if draws == 1 else Expectation(module, draws)
        return module.requires_grad_(requires_grad=False).eval()

    def adopt(self, classifier: Classifier, weights: Mapping[str, torch.Tensor]) -> None:
        """Hold a classifier with weights from elsewhere; the store does not see them.

        Raises:
            RuntimeError: They are not of its names or shapes.
        """
        module = self.assembled(classifier, weights)
        self._memory[classifier] = module, Seal(module)

    def drop(self, classifier: Classifier) -> None:
        """Forget a classifier, so that it is made again from its stored weights when next needed."""
        self._memory.pop(classifier, None)

    def inspect(self, classifier: Classifier) -> None:
        """Look whether a classifier is what it was when it was made; if not, it is made again when next needed.

        Raises:
            InvalidExamplesError: It is not, so that nothing measured of it since counts.
        """
        module, seal = self._memory[classifier]
        problem = seal.broken(module)
        if problem is not None:
            self.drop(classifier)
            raise InvalidExamplesError(f"the attack changed the classifier: {problem}; leave it as it is")

    def learning(self, classifier: Classifier) -> tuple[Learning, Learning]:
        """Training of the model, and what its defense did on top."""
        own = Learning(**self._defend(classifier).record["learning"])
        if classifier.defense.from_scratch:
            return Learning(), own
        if isinstance(classifier.before, Classifier):
            model, earlier = self.learning(classifier.before)
            return model, earlier.then(own)
        return Learning(curve=self._train(classifier.trained).record["curve"]), own

    def _defend(self, classifier: Classifier) -> Artifact:
        return self.workshop.made(classifier, lambda: self._defended(classifier))

    def _train(self, trained: Trained) -> Artifact:
        """Weights and learning curve of a classifier before any defense."""
        return self.workshop.made(trained, lambda: self._trained(trained))

    def _defended(self, classifier: Classifier) -> Made:
        trained, defense, device = classifier.trained, classifier.defense, self.workshop.device
        before = {} if defense.from_scratch else self.weights(classifier.before)
        seed = seed_from(seed_of("defended", trained, defense))
        with seeded(seed, device):
            module, data = self.structure(classifier.before), self.inputs.training_data(trained)
            if defense.from_scratch:
                trained.model.prepare(module, data)
            else:
                module.load_state_dict(before)
            defended = self._wrap(module, classifier)
            trainer = self._trainer(trained, seed)
            try:
                defense.fit(defended, data, trainer)
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
            with torch.random.fork_rng(devices=[]):
                self._probed(module, trained, trained.model)
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
        if not isinstance(module, nn.Module):
            raise TypeError(f"{trained.model.id}: build returned {type(module).__name__}, not a torch.nn.Module")
        # Convolutions are faster with channels last, on CPUs and GPUs alike.
        return module.to(self.workshop.device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def structure(self, stage: Trained | Classifier) -> nn.Module:
        """A classifier's network, before weights are put into it."""
        if isinstance(stage, Classifier):
            return self._wrap(self.structure(stage.before), stage)
        return self._build(stage)

    def weights(self, stage: Trained | Classifier) -> Mapping[str, torch.Tensor]:
        """Weights of a classifier, which are those of the one before where its defense left them alone."""
        stored = self._defend(stage) if isinstance(stage, Classifier) else self._train(stage)
        if isinstance(stage, Classifier) and stored.record["weights"] == "same":
            return self.weights(stage.before)
        return stored.tensors(self.workshop.device)

    def flags(self, classifier: Classifier) -> tuple[str, ...]:
        """Flags of a classifier some of whose weights were fetched, and not made as its key says."""
        stages: list[Trained | Classifier] = [classifier]
        while isinstance(stages[-1], Classifier) and not stages[-1].defense.from_scratch:
            stages.append(stages[-1].before)
        stored = [self._defend(each) if isinstance(each, Classifier) else self._train(each) for each in stages]
        return (FETCHED,) if any("origin" in each.record for each in stored) else ()

    def _wrap(self, module: nn.Module, classifier: Classifier) -> nn.Module:
        trained, defense, plan = classifier.trained, classifier.link, self.workshop.plan
        structure: object = defense.wrap(module, plan.shape(trained), plan.classes(trained))
        if not isinstance(structure, nn.Module):
            raise TypeError(f"{defense.id}: wrap returned {type(structure).__name__}, not a torch.nn.Module")
        return structure.to(self.workshop.device)

    def _probed(self, module: nn.Module, trained: Trained, whose: Component) -> nn.Module:
        """A module in evaluation mode that makes logits of the right width.

        Raises:
            ValueError: It does not.
        """
        plan = self.workshop.plan
        expected = (2, plan.classes(trained))
        with torch.no_grad():
            found = module.eval()(torch.zeros(2, *plan.shape(trained), device=self.workshop.device))
        shape = tuple(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
        if shape != expected:
            raise ValueError(f"{whose.id} makes {shape} of 2 inputs, where logits {expected} are due")
        return module


@contextlib.contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """Seed torch's global generators, which initialise weights and drive dropout, and restore them after."""
    with torch.random.fork_rng(enabled=True, devices=[0] if device == "cuda" else []):
        torch.manual_seed(seed)
        yield
