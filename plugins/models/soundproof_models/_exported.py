"""Classifiers that scikit-learn has fitted, as networks.

They compute in double precision, as scikit-learn does, so that both decide alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

# Support vectors of an untrained machine: it takes about the time of a trained one.
_STAND_INS = 128


class Exported(nn.Module):
    """A layer that takes over arrays as they are: from a fit, or from a state dict.

    Only data tells how many support vectors, components or tree nodes there are, and structure must not depend
    on data: sizes of the untrained layer are stand-ins.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_load_state_dict_pre_hook(_take_sizes)  # type: ignore[no-untyped-call]

    def take(self, **arrays: npt.ArrayLike) -> None:
        """Replace parameters and buffers by name."""
        for name, array in arrays.items():
            old = getattr(self, name)
            # torch keeps numpy's strides, safetensors wants none.
            self.replace(name, torch.tensor(array, dtype=old.dtype, device=old.device).contiguous())

    def replace(self, name: str, tensor: torch.Tensor) -> None:
        """Put a tensor of any size in the place of a parameter or buffer."""
        if name in self._parameters:
            tensor = nn.Parameter(tensor, requires_grad=self._parameters[name].requires_grad)  # type: ignore[union-attr]
        setattr(self, name, tensor)


def _take_sizes(layer: nn.Module, state: Mapping[str, torch.Tensor], prefix: str, *_: Any) -> None:
    """Make room for what is loaded next; another number of dimensions stays for torch to refuse."""
    assert isinstance(layer, Exported)
    for name, old in [*layer.named_parameters(recurse=False), *layer.named_buffers(recurse=False)]:
        new = state.get(prefix + name)
        if new is not None and new.dim() == old.dim() and new.shape != old.shape:
            layer.replace(name, old.new_empty(new.shape))


class Standardisation(Exported):
    """(x − mean) / scale, value by value."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, values: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(values, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(values, dtype=torch.float64))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return (inputs - self.mean) / self.scale


class Affine(Exported):
    """W x + b."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, dtype=torch.float64) * inputs**-0.5)
        self.bias = nn.Parameter(torch.zeros(outputs, dtype=torch.float64))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(inputs, self.weight, self.bias)


class GaussianExpansion(Exported):
    """Σₛ aₛ exp(−γ ‖x − s‖²) + b over support vectors s, for each class."""

    support: torch.Tensor
    gamma: torch.Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("support", torch.randn(_STAND_INS, inputs, dtype=torch.float64))
        self.register_buffer("gamma", torch.tensor(1 / inputs, dtype=torch.float64))
        self.weight = nn.Parameter(torch.randn(outputs, _STAND_INS, dtype=torch.float64))
        self.bias = nn.Parameter(torch.zeros(outputs, dtype=torch.float64))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        products = inputs @ self.support.T
        squares = inputs.square().sum(1, keepdim=True) - 2 * products + self.support.square().sum(1)
        return nn.functional.linear(torch.exp(-self.gamma * squares), self.weight, self.bias)


class Decision(nn.Module):
    """Scores of flattened inputs, one layer after the other."""

    def __init__(self, *layers: Exported) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def take(self, *arrays: Mapping[str, npt.ArrayLike]) -> None:
        """Replace the arrays of every layer, in their order."""
        for layer, own in zip(self.layers, arrays, strict=True):
            assert isinstance(layer, Exported)
            layer.take(**own)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits `[n, K]`, of the inputs' own type."""
        scores: torch.Tensor = self.layers(inputs.flatten(1).double())
        return scores.to(inputs.dtype)


class Forest(Exported):
    """Decision trees side by side, and the logarithm of their mean class probabilities.

    Arrays are `[trees, nodes]`: at a node, inputs whose value number `feature` is at most `threshold` go on to
    node `left`, others to `right`; a leaf leads back to itself and holds class probabilities `[trees, nodes, K]`.
    """

    feature: torch.Tensor
    threshold: torch.Tensor
    left: torch.Tensor
    right: torch.Tensor

    def __init__(self, trees: int, depth: int, classes: int) -> None:
        """A forest of `trees` leaves without preference; `depth` is the longest way to a leaf."""
        super().__init__()
        self.depth = depth
        for name in ("feature", "left", "right"):
            self.register_buffer(name, torch.zeros(trees, 1, dtype=torch.int64))
        self.register_buffer("threshold", torch.zeros(trees, 1, dtype=torch.float64))
        self.probability = nn.Parameter(torch.full((trees, 1, classes), 1 / classes, dtype=torch.float64))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits `[n, K]`, of the inputs' own type, whose softmax is the mean probability."""
        values = inputs.flatten(1)
        trees = torch.arange(len(self.feature), device=inputs.device)
        node = torch.zeros(len(values), len(trees), dtype=torch.int64, device=inputs.device)
        for _ in range(self.depth):
            below = values.gather(1, self.feature[trees, node]) <= self.threshold[trees, node]
            node = torch.where(below, self.left[trees, node], self.right[trees, node])
        mean = self.probability[trees, node].mean(dim=1)
        # A class that no leaf holds has a finite logit, and still no probability.
        return mean.clamp(min=torch.finfo(torch.float32).tiny).log().to(inputs.dtype)
