"""The same clips shown again: with the same random numbers, with others, in other batches and in other modes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import nn

    from soundproof.probing.examined import Arrays, Examined

# Clips looked at, and those among them that are shown alone.
_CLIPS, _ALONE = 32, 8


def repetition(examined: Examined, *, thorough: bool) -> Arrays:  # noqa: ARG001
    """Largest change of each clip's logits as a share of their span, float32 `[m]`.

    `again`: shown a second and third time with the same random numbers; `seeds`: with other ones; `alone`: in a
    batch of one; `order`: in a batch in reverse order; `modes`: with gradients enabled, disabled and in inference
    mode. Random numbers are left out of `alone` and `order` where the classifier says that it is random.
    """
    clips = examined.clean[:_CLIPS]
    module = examined.module
    shown = _Shown(module, clips)
    base = shown(0)
    span = (base.amax(dim=1) - base.amin(dim=1)).double().clamp_min(torch.finfo(torch.float64).tiny)

    def change(other: torch.Tensor) -> torch.Tensor:
        return ((other.double() - base[: len(other)].double()).abs().amax(dim=1) / span[: len(other)]).float()

    found = {
        "again": torch.maximum(change(shown(0)), change(shown(0))),
        "seeds": torch.stack([change(shown(seed)) for seed in (1, 2, 3)]).amax(dim=0),
        "modes": torch.maximum(change(shown(0, "inference")), change(shown(0, "enabled"))),
    }
    queries = 8 * len(clips)
    if not examined.random:
        ones = torch.cat([_Shown(module, clip[None])(0) for clip in clips[:_ALONE]])
        found["alone"] = change(ones)
        found["order"] = change(_Shown(module, clips.flip(0))(0).flip(0))
        queries += min(_ALONE, len(clips)) + len(clips)
    examined.spent.queries += queries
    return {name: values.cpu().numpy() for name, values in found.items()}


class _Shown:
    """Logits of some clips, with a seed for the random numbers and in a mode."""

    def __init__(self, module: nn.Module, clips: torch.Tensor) -> None:
        self._module, self._clips = module, clips

    def __call__(self, seed: int, mode: str = "disabled") -> torch.Tensor:
        import random

        import numpy as np

        with torch.random.fork_rng(devices=[self._clips.device] if self._clips.is_cuda else []):
            torch.manual_seed(seed)
            np.random.seed(seed)  # noqa: NPY002 - what a plugin may draw from
            random.seed(seed)
            match mode:
                case "inference":
                    with torch.inference_mode():
                        return self._module(self._clips).clone()  # type: ignore[no-any-return]
                case "enabled":
                    with torch.enable_grad():
                        return self._module(self._clips.clone().requires_grad_()).detach()  # type: ignore[no-any-return]
                case _:
                    with torch.no_grad():
                        return self._module(self._clips)  # type: ignore[no-any-return]
