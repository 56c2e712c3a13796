"""The metered victim: all that an attack ever sees of a classifier."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import nn

from soundproof.errors import BudgetExhaustedError, MeteringError
from soundproof.types import Budget, Norm
from soundproof.victim.ball import Ball
from soundproof.victim.best import Best
from soundproof.victim.expectation import Expectation
from soundproof.victim.goal import Goal, margin
from soundproof.victim.trace import Ledger, Trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

# Images may leave the box by so much through rounding and still count as inside it.
BOX_TOLERANCE = 1e-6


class Evaluation(NamedTuple):
    """One forward and backward pass.

    Attributes:
        logits: `[n, K]`.
        gradient: Of the goal's loss with respect to the images, `[n, ...]`. Stepping along it attacks.
    """

    logits: torch.Tensor
    gradient: torch.Tensor


class _Meter:
    """Meter that all views of one victim share: the classifier, the limits, the ledger and the trace."""

    def __init__(self, module: nn.Module, clips: int, limits: Budget | None, *, traced: bool) -> None:
        self.module = module
        self.limits = limits or Budget()
        self.ledger = Ledger(clips)
        self.trace = Trace() if traced else None

    def admit(self, rows: npt.NDArray[np.int64] | None, size: int, *, backward: bool) -> None:
        """Raise BudgetExhaustedError if this batch would cost a clip more than the budget allows."""
        limit = self.limits.max_gradients if backward else self.limits.max_queries
        if limit is None:
            return
        clips = len(self.ledger.forwards)
        spent = self.ledger.gradients if backward else self.ledger.queries
        each = np.full(clips, size / max(1, clips)) if rows is None else np.bincount(rows, minlength=clips)
        if (spent[each > 0] + each[each > 0] > limit).any():
            what = "gradients" if backward else "queries"
            raise BudgetExhaustedError(f"the budget of {limit} {what} a clip is spent")

    def count_backward(self, rows: npt.NDArray[np.int64] | None, gradient: torch.Tensor) -> None:
        try:
            gradient.untyped_storage()
        except NotImplementedError:
            # Under vmap and other transforms one tensor stands for many, and shows only one of them.
            reason = "gradients inside torch.func transforms (vmap, jacrev) cannot be counted; use autograd.grad"
            raise MeteringError(reason) from None
        self.admit(rows, len(gradient), backward=True)
        self.ledger.add_backward(rows, len(gradient))


class Victim(nn.Module):
    """A classifier under attack, metered.

    It is an ordinary `torch.nn.Module` from images `[n, ...]` to logits `[n, K]`, always in evaluation mode,
    so any library can attack it. Row i of a batch is taken to be clip i of this victim; `select` gives a
    victim of fewer (or repeated) clips that writes into the same ledger, which is how attacks drop the clips
    they are done with.

    A forward row counts as a query; a row of gradient that flows back to the input counts as a gradient,
    whoever asked for it and however often. Every evaluated iterate inside the box is traced.

    The classifier itself is not among its modules, so that a call to a part of it, a copy of the victim or a
    change of its mode or number format cannot go around the meter by accident.

    Attributes:
        clean: The clean images, `[n, ...]` in [0, 1]; a copy, which nothing is measured against.
        goal: Labels and targets of these clips.
        rate: Sampling rate of the clips, Hz, where they are sound; None elsewhere.
    """

    def __init__(
        self,
        module: nn.Module,
        clean: torch.Tensor,
        goal: Goal,
        limits: Budget | None = None,
        *,
        ball: Ball | None = None,
        traced: bool = True,
        rate: int | None = None,
    ) -> None:
        """Wrap a classifier.

        Args:
            module: Maps images to logits. It is put into evaluation mode.
            clean: Clean images.
            goal: What the attack is after, of the same clips.
            limits: `max_gradients` and `max_queries` a clip; none by default.
            ball: Where examples must lie to count when the budget runs out; None: the smallest counts.
            traced: Whether to keep a trace (training with adversarial examples has no use for one).
            rate: Sampling rate of the clips, Hz, where they are sound.
        """
        super().__init__()
        self.clean = clean
        self.goal = goal
        self.rate = rate
        self._origin = clean.clone()  # what distances are taken from, whatever becomes of `clean`
        self._rows = np.arange(len(clean))
        self._clips: torch.Tensor | None = None  # the same on the device; None: all, in their order
        self._copies = False  # whether a clip stands in several rows
        self._meter = _Meter(module.eval(), len(clean), limits, traced=traced)
        bounded = limits is not None and (limits.max_gradients is not None or limits.max_queries is not None)
        self._ball = ball
        self._best = Best(clean) if bounded else None
        self.train(mode=False)

    def __len__(self) -> int:
        return len(self.clean)

    @property
    def labels(self) -> torch.Tensor:
        """The true classes, int64 `[n]`."""
        return self.goal.labels

    @property
    def dimension(self) -> int:
        """Values of one input."""
        return self.clean[0].numel()

    @property
    def ledger(self) -> Ledger:
        """Ledger of what the attack has spent, of all clips."""
        return self._meter.ledger

    @property
    def trace(self) -> Trace:
        """Trace of what the attack has evaluated, of all clips.

        Raises:
            ValueError: The victim was made with `traced=False`.
        """
        if self._meter.trace is None:
            raise ValueError("this victim keeps no trace")
        return self._meter.trace

    @property
    def best(self) -> torch.Tensor | None:
        """A copy of the best examples so far, of all clips; None when there is no budget that could run out."""
        return None if self._best is None else self._best.images.clone()

    @property
    def untouched(self) -> bool:
        """Whether `clean` is what it was when the victim was made."""
        return torch.equal(self.clean, self._origin)

    def named_parameters(self, *arguments: Any, **options: Any) -> Iterator[tuple[str, nn.Parameter]]:
        """Those of the classifier: libraries look there for its device and number format."""
        return self._meter.module.named_parameters(*arguments, **options)

    def __deepcopy__(self, memo: dict[int, object]) -> Victim:
        """A view of the same classifier that writes into the same ledger."""
        return copy.copy(self)

    def train(self, mode: bool = True) -> Victim:  # noqa: ARG002, FBT001, FBT002 - torch's signature
        """Stay in evaluation mode, whatever a library asks for: dropout would randomise the victim."""
        return super().train(mode=False)

    def select(self, rows: torch.Tensor) -> Victim:
        """A victim of some of these clips, sharing the ledger and the trace.

        Args:
            rows: int64 or bool; an index may repeat, e.g. for restarts stacked into one batch.
        """
        index = rows.nonzero()[:, 0] if rows.dtype == torch.bool else rows
        view = copy.copy(self)
        view.clean, view._origin = self.clean[index], self._origin[index]
        view.goal = self.goal.select(index)
        view._rows = self._rows[index.cpu().numpy()]
        if self._best is not None:
            view._clips = index.to(self.clean.device) if self._clips is None else self._clips[index]
            view._ball = None if self._ball is None else self._ball.select(index)
            view._copies = len(np.unique(view._rows)) < len(view._rows)
        return view

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits `[n, K]` of images `[n, ...]`, counted and traced.

        Raises:
            BudgetExhaustedError: The batch would cost a clip more than the budget allows.
            MeteringError: The call asks for derivatives in a way that cannot be counted.
        """
        if torch.autograd.forward_ad.unpack_dual(images).tangent is not None:  # type: ignore[no-untyped-call]
            raise MeteringError("forward-mode derivatives cannot be counted; use backward passes")
        if torch._C._functorch.is_batchedtensor(images):
            raise MeteringError("passes inside torch.vmap cannot be counted; put the images into one batch")
        meter = self._meter
        rows = self._rows if len(images) == len(self._rows) else None
        # Each draw of a random classifier is a pass of its own, and is counted as one.
        random = meter.module if isinstance(meter.module, Expectation) else None
        passes = images.view_as(images) if random is None else random.repeated(images)
        counted = rows if rows is None or random is None else np.tile(rows, random.draws)
        meter.admit(counted, len(passes), backward=False)
        if passes.requires_grad and torch.is_grad_enabled():
            passes.register_hook(lambda gradient: meter.count_backward(counted, gradient))  # type: ignore[no-untyped-call]
        logits: torch.Tensor = meter.module(passes) if random is None else random.mean(random.inner(passes))
        meter.ledger.add_forward(counted, len(passes))
        if rows is not None:
            self._measure(rows, images.detach(), logits.detach())
        return logits

    def gradient(self, images: torch.Tensor) -> Evaluation:
        """Logits at the images and the gradient of the goal's loss there: one forward, one backward row each."""
        images = images.detach().requires_grad_()
        with torch.enable_grad():
            logits = self(images)
            loss = self.goal.loss(logits).sum()
        (gradient,) = torch.autograd.grad(loss, images)
        return Evaluation(logits.detach(), gradient)

    def _measure(self, rows: npt.NDArray[np.int64], images: torch.Tensor, logits: torch.Tensor) -> None:
        """Score, norm and box membership of evaluated iterates, into the trace and the best examples."""
        trace, best = self._meter.trace, self._best
        if (trace is None and best is None) or images.shape != self._origin.shape:
            return
        score = margin(logits, self.labels)
        met = self.goal.met(logits)
        l2 = Ball(Norm.L2, 0.0).sizes(images - self._origin)
        flat = images.flatten(1)
        inside = (flat.amin(dim=1) >= -BOX_TOLERANCE) & (flat.amax(dim=1) <= 1 + BOX_TOLERANCE)
        if trace is not None:
            fooled = met if self.goal.targets is None else logits.argmax(dim=1) != self.labels
            measured = torch.stack([score, l2, met.float(), fooled.float(), inside.float()])
            trace.add(rows, self.ledger, measured)
        if best is not None:
            if self._ball is None:
                value = torch.where(met & inside, -l2, -torch.inf)
            else:
                near = self._ball.sizes(images - self._origin) <= self._ball.radius + BOX_TOLERANCE
                value = torch.where(near & inside, score, -torch.inf)
            if self._clips is not None and self._copies:
                best.update_copies(images, value, self._clips)
            else:
                best.update(images, value, self._clips)
