"""Attacks that bend the yardstick, on purpose or by a slip."""

from __future__ import annotations

import contextlib
import copy
import os
import random
import signal
import sys
import threading
import time
import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from soundproof import BoundedAttack, BudgetExhaustedError


@dataclass(frozen=True)
class _Hostile(BoundedAttack):
    version: ClassVar[str] = "1"

    @property
    def planned_gradients(self) -> int:
        return 1


@dataclass(frozen=True)
class InPlace(_Hostile):
    """Forgets a clone: moves the clean clips, then projects onto the ball around where they went."""

    id: ClassVar[str] = "hostile-in-place"

    def perturb(self, victim, ball, generator):
        images = victim.clean
        images += ball.ascent(torch.ones_like(images)) * 3
        return ball.project(images.clamp(0, 1), victim.clean)


@dataclass(frozen=True)
class Assigning(_Hostile):
    """Assigns other clean clips."""

    id: ClassVar[str] = "hostile-assigning"

    def perturb(self, victim, ball, generator):
        victim.clean = 1 - victim.clean
        return victim.clean


@dataclass(frozen=True)
class Training(_Hostile):
    """Takes a step on the classifier's weights."""

    id: ClassVar[str] = "hostile-training"

    def perturb(self, victim, ball, generator):
        with torch.no_grad():
            for parameter in victim.parameters():
                parameter.zero_()
        return victim.clean.clone()


@dataclass(frozen=True)
class Ruining(_Hostile):
    """Ruins the classifier's weights, and raises."""

    id: ClassVar[str] = "hostile-ruining"

    def perturb(self, victim, ball, generator):
        with torch.no_grad():
            for parameter in victim.parameters():
                parameter.zero_()
        raise RuntimeError("after me the flood")


@dataclass(frozen=True)
class Hooking(_Hostile):
    """Leaves a hook in the classifier."""

    id: ClassVar[str] = "hostile-hooking"

    def perturb(self, victim, ball, generator):
        victim._meter.module.register_forward_hook(lambda *_: None)
        return victim.clean.clone()


@dataclass(frozen=True)
class Moding(_Hostile):
    """Puts the classifier into training mode."""

    id: ClassVar[str] = "hostile-moding"

    def perturb(self, victim, ball, generator):
        victim._meter.module.train()
        return victim.clean.clone()


@dataclass(frozen=True)
class Doubling(_Hostile):
    """Asks the victim for double precision, as a library might; it has no effect."""

    id: ClassVar[str] = "hostile-doubling"

    def perturb(self, victim, ball, generator):
        victim.double().half().float().train()
        return victim.clean.clone()


class Lying(torch.Tensor):
    """A tensor that says it is nothing but the clean clips."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return super().__torch_function__(function, types, args, kwargs or {})

    def min(self, *args, **kwargs):
        return torch.tensor(0.0)

    def max(self, *args, **kwargs):
        return torch.tensor(1.0)


@dataclass(frozen=True)
class Subclass(_Hostile):
    """Returns a tensor of its own class, out of the box."""

    id: ClassVar[str] = "hostile-subclass"

    def perturb(self, victim, ball, generator):
        return (victim.clean + 7).as_subclass(Lying)


@dataclass(frozen=True)
class Buffer(_Hostile):
    """Returns one buffer for every batch, and overwrites it in the next."""

    id: ClassVar[str] = "hostile-buffer"
    kept: ClassVar[list[torch.Tensor]] = []

    def perturb(self, victim, ball, generator):
        for old in self.kept:
            old.fill_(0.5)
        found = ball.project(victim.clean + ball.ascent(torch.ones_like(victim.clean)), victim.clean)
        self.kept.append(found)
        return found


@dataclass(frozen=True)
class Spoiling(_Hostile):
    """Spoils the best examples that the victim keeps, and lets the budget run out."""

    id: ClassVar[str] = "hostile-spoiling"

    def perturb(self, victim, ball, generator):
        if victim.best is not None:
            victim.best.copy_(torch.rand_like(victim.clean))
        raise BudgetExhaustedError("so it seems")


@dataclass(frozen=True)
class Billing(_Hostile):
    """Writes its own bill."""

    id: ClassVar[str] = "hostile-billing"

    def perturb(self, victim, ball, generator):
        victim.gradient(victim.clean)
        victim.ledger.backwards[:] = 0
        return victim.clean.clone()


@dataclass(frozen=True)
class Vmapping(_Hostile):
    """Asks for fifty passes a clip that look like one."""

    id: ClassVar[str] = "hostile-vmapping"

    def perturb(self, victim, ball, generator):
        torch.vmap(lambda image: victim(image[None])[0])(victim.clean.repeat(50, 1, 1, 1))
        return victim.clean.clone()


@dataclass(frozen=True)
class Copying(_Hostile):
    """Works on a deep copy of the victim, whose passes count all the same."""

    id: ClassVar[str] = "hostile-copying"

    @property
    def planned_gradients(self) -> int:
        return 5

    def perturb(self, victim, ball, generator):
        twin = copy.deepcopy(victim)
        for _ in range(5):
            twin.gradient(victim.clean)
        return victim.clean.clone()


@dataclass(frozen=True)
class Global(_Hostile):
    """Changes what the whole process shares, and leaves it so."""

    id: ClassVar[str] = "hostile-global"
    setting: str = "dtype"

    def perturb(self, victim, ball, generator):
        match self.setting:
            case "dtype":
                torch.set_default_dtype(torch.float64)
            case "gradients":
                torch.set_grad_enabled(False)
            case "threads":
                torch.set_num_threads(torch.get_num_threads() + 1)
            case "precision":
                torch.set_float32_matmul_precision("medium")
            case "autocast":
                torch.set_autocast_enabled("cpu", True)  # noqa: FBT003
            case "folder":
                os.chdir("/")
        return victim.clean.clone()


@dataclass(frozen=True)
class Reseeding(_Hostile):
    """Seeds every generator of the process, which is no fault as long as nobody notices."""

    id: ClassVar[str] = "hostile-reseeding"

    def perturb(self, victim, ball, generator):
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002
        random.seed(0)
        warnings.simplefilter("ignore")
        return victim.clean.clone()


class SilentError(Exception):
    """Cannot be told."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@dataclass(frozen=True)
class Leaving(_Hostile):
    """Ends in a way that is no ordinary exception."""

    id: ClassVar[str] = "hostile-leaving"
    way: str = "exit"

    def perturb(self, victim, ball, generator):
        match self.way:
            case "exit":
                sys.exit(0)
            case "interrupt":
                raise KeyboardInterrupt
            case "recursion":
                return self.perturb(victim, ball, generator)
            case "silent":
                raise SilentError
            case "surrogate":
                raise ValueError("half a character: \udcff")
            case "long":
                raise ValueError("x" * 20_000_000)
        raise AssertionError(self.way)


def _leak():
    held = []
    while True:
        held.append(bytearray(os.urandom(1 << 20) * 64))


def _scribble():
    for number in range(3, 20):
        with contextlib.suppress(OSError):
            os.write(number, b"no message at all" * 10)
    time.sleep(3600)


WAYS = {
    "exit": lambda: os._exit(0),
    "abort": os.abort,
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "hang": lambda: time.sleep(3600),
    "thread": lambda: threading.Thread(target=time.sleep, args=(3600,)).start(),
    "leak": _leak,
    "flood": lambda: sys.stdout.write("flood " * 5_000_000),
    "channel": _scribble,
}


@dataclass(frozen=True)
class Killing(_Hostile):
    """Does to its process what no exception can carry."""

    id: ClassVar[str] = "hostile-killing"
    way: str = "exit"

    def perturb(self, victim, ball, generator):
        WAYS[self.way]()
        return victim.clean.clone()


@dataclass(frozen=True)
class Early(_Hostile):
    """Stops climbing before it is told to."""

    id: ClassVar[str] = "hostile-early"

    def perturb(self, victim, ball, generator):
        return victim.clean.clone()

    def climb(self, victim, balls, generator):
        yield victim.clean.clone()


@dataclass(frozen=True)
class Unplanned(_Hostile):
    """Does not know what it costs."""

    id: ClassVar[str] = "hostile-unplanned"

    @property
    def planned_gradients(self) -> int:
        raise RuntimeError("who knows")

    def perturb(self, victim, ball, generator):
        return victim.clean.clone()
