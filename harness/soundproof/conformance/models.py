"""Promises of models: logits, determinism, weights that can be stored, training where it is said."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from soundproof.conformance.promises import InapplicableError, Promises, promise, require
from soundproof.training.trainer import Trainer
from soundproof.types import Domain, Examples, Optimizer, Recipe, TrainingData

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

    from soundproof.contract.components import Model

CLASSES = 5
# From small to large: the first that a model can read.
SHAPES: Mapping[Domain, Sequence[tuple[int, ...]]] = {
    Domain.IMAGE: [(1, 32, 32), (1, 64, 64), (1, 96, 96), (1, 64, 96), (1, 128, 128)],
    Domain.WAVEFORM: [(1, 800), (1, 16000)],
    Domain.VECTOR: [(6,), (60,)],
}


class ModelPromises(Promises):
    """Promises of a model."""

    component: Model

    @property
    def _domains(self) -> list[Domain]:
        return [domain for domain in Domain if domain in self.component.accepts]

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """A small shape that it reads."""
        shapes = [shape for domain in self._domains for shape in SHAPES[domain]]
        taken = [shape for shape in shapes if self.component.reason_to_skip(shape, CLASSES) is None]
        if not taken:
            raise InapplicableError(f"it reads none of the shapes that are tried: {shapes}")
        return taken[0]

    def _built(self) -> nn.Module:
        torch.manual_seed(0)
        return self.component.build(self.shape, CLASSES).to(self.given.device).eval()

    @cached_property
    def network(self) -> nn.Module:
        """The untrained network at rest."""
        return self._built()

    def _drawn(self, clips: int = 3) -> torch.Tensor:
        return torch.rand(clips, *self.shape, generator=torch.Generator().manual_seed(1)).to(self.given.device)

    @promise("return the last layer's outputs, before any softmax, as float32 [n, classes]")
    def logits_are_one_finite_number_a_class(self) -> None:
        """It maps float32 inputs `[n, *shape]` to finite float32 logits `[n, classes]` and leaves inputs alone."""
        inputs = self._drawn()
        before = inputs.clone()
        with torch.no_grad():
            logits = self.network(inputs)
        said = "forward returned"
        require(isinstance(logits, torch.Tensor), f"{said} {type(logits).__name__}", "return a tensor")
        due = (3, CLASSES)
        require(logits.shape == due, f"{said} {tuple(logits.shape)} where {due} is due", "return [n, classes]")
        require(logits.dtype == torch.float32, f"{said} {logits.dtype}", "return float32")
        require(torch.isfinite(logits).all(), f"{said} NaN or infinite values", "return finite logits")
        require(torch.equal(inputs, before), "forward changed its inputs in place", "work on a clone")
        sums = logits.exp().sum(dim=1)
        soft = bool(torch.allclose(logits.sum(dim=1), torch.ones_like(sums), atol=1e-5) and (logits >= 0).all())
        require(not soft, "the logits of each clip are positive and add up to 1", "leave the softmax out")

    @promise("in evaluation mode depend on the clip alone: no batch statistics, no dropout, no randomness")
    def a_network_at_rest_is_a_function_of_one_clip(self) -> None:
        """In evaluation mode the same clip has the same logits, alone or in any batch."""
        inputs = self._drawn()
        with torch.no_grad():
            logits = self.network(inputs)
            require(torch.equal(logits, self.network(inputs)), "two passes differ", "draw nothing in forward")
            alone = self.network(inputs[1:2])
        close = torch.allclose(alone, logits[1:2], atol=1e-4, rtol=1e-4)
        require(close, "a clip's logits depend on its batch", "use running statistics in evaluation mode")

    @promise("register every weight as a parameter or buffer, and draw initial ones from torch's global generator")
    def weights_follow_the_seed_and_can_be_stored(self) -> None:
        """The same seed builds the same weights, and a state dict carries a network over."""
        same = self._built()
        state, own = same.state_dict(), self.network.state_dict()
        require(state.keys() == own.keys(), "two builds have other weights", "build the same structure each time")
        for name, value in own.items():
            require(
                torch.equal(state[name], value), f"two builds with one seed differ in {name}", "draw from torch"
            )
        torch.manual_seed(99)
        other = self.component.build(self.shape, CLASSES).to(self.given.device).eval()
        other.load_state_dict({name: value.clone() for name, value in own.items()})
        inputs = self._drawn()
        with torch.no_grad():
            carried = torch.equal(other(inputs), self.network(inputs))
        require(carried, "a network with the same state dict computes something else", "register all state")

    @promise("set differentiable = False where gradients are of no use, and only there")
    def it_is_differentiable_if_and_only_if_it_says_so(self) -> None:
        """Gradients of the logits reach every clip of a differentiable model, and are finite."""
        inputs = self._drawn().requires_grad_()
        # Not a loss: a deep network at random weights can be so sure of itself that none is left.
        weighted = (self.network(inputs) * torch.linspace(-1, 1, CLASSES, device=inputs.device)).sum()
        gradient = None
        if weighted.requires_grad:
            (gradient,) = torch.autograd.grad(weighted, inputs, allow_unused=True)
        sloped = gradient is not None and bool((gradient.flatten(1).norm(dim=1) > 0).all())
        says = self.component.differentiable
        found = "gradients vanish or are cut off" if says else "it has gradients, and says that it has none"
        require(sloped is says, found, "see what cuts them (detach, argmax, numpy), or set differentiable")
        require(
            gradient is None or torch.isfinite(gradient).all(), "gradients are not finite", "guard roots and logs"
        )

    @promise("return trainer's epochs from fit, and leave the module in evaluation mode")
    def it_trains_in_epochs_if_and_only_if_it_says_so(self) -> None:
        """`fit` changes the weights in epochs if it is retrainable, returns its curve, and ends at rest."""
        network = self._built()
        inputs, labels = self._drawn(10), (torch.arange(10) % CLASSES).to(self.given.device)
        data = TrainingData(Examples(inputs, labels), Examples(inputs, labels), CLASSES)
        before = {name: value.clone() for name, value in network.named_parameters()}
        # Plain steps: other optimizers keep copies of the weights, which takes seconds for the largest networks.
        recipe = dataclasses.replace(self.component.recipe, epochs=1, batch=10, optimizer=Optimizer.SGD)
        curve = self.component.fit(network, data, Trainer(recipe, 0, device=self.given.device))
        says = self.component.retrainable
        found = f"fit returned a curve of {len(curve)} epochs and retrainable is {says}"
        require(len(curve) == int(says), found, "return trainer.fit(module, data), or set retrainable = False")
        require(not network.training, "fit left the module in training mode", "call module.eval() at the end")
        moved = any(not torch.equal(before[name], value) for name, value in network.named_parameters())
        require(moved or not says, "an epoch changed no weight", "see that parameters require gradients")

    @promise("give recipe a soundproof.Recipe")
    def its_recipe_is_one(self) -> None:
        """Its recipe is a `Recipe`."""
        found = type(self.component.recipe).__name__
        require(isinstance(self.component.recipe, Recipe), f"recipe is a {found}", "make it a soundproof.Recipe")
