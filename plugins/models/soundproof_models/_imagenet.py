"""The ImageNet weights that torchvision publishes, and networks that start from them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from soundproof import SoundproofError

if TYPE_CHECKING:
    from collections.abc import Sequence

MEAN = (0.485, 0.456, 0.406)
"""Of ImageNet's red, green and blue in [0, 1]: what torchvision's weights were trained with."""

DEVIATION = (0.229, 0.224, 0.225)

# The files have names such as resnet18-f37072fd.pth: the first digits of their own SHA-256.
_NAMED_HASH = re.compile(r"-([0-9a-f]{8,})\.")
# DenseNet's file is older than the rule that names of modules hold no dots.
_OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")


class Pretrained(nn.Module):
    """A network made for published weights: it sees inputs as they were trained with, and may be frozen in part.

    Attributes:
        network: The network itself.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(
        self,
        network: nn.Module,
        mean: Sequence[float],
        deviation: Sequence[float],
        frozen: Sequence[str] = (),
    ) -> None:
        """Wrap a network.

        Args:
            network: Maps images `[n, C, H, W]` to logits.
            mean: Of each channel, subtracted first.
            deviation: Of each channel, divided by.
            frozen: Names of submodules whose weights and batch statistics stay as they are.
        """
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(mean)[:, None, None])
        self.register_buffer("deviation", torch.tensor(deviation)[:, None, None])
        self._frozen = [network.get_submodule(name) for name in frozen]
        for part in self._frozen:
            part.requires_grad_(requires_grad=False)

    def train(self, mode: bool = True) -> Pretrained:  # noqa: FBT001, FBT002 - torch's signature
        """Training mode, but for what is frozen."""
        super().train(mode)
        for part in self._frozen:
            part.eval()
        return self

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits `[n, K]` of images `[n, C, H, W]` in [0, 1]."""
        logits: torch.Tensor = self.network((images - self.mean) / self.deviation)
        return logits


def load_imagenet(network: nn.Module, published: str, *, first: str, new: Sequence[str]) -> None:
    """Load torchvision's weights, from the cache of torch hub or from the network.

    Args:
        network: As torchvision builds it, but for its first layer and what is `new`.
        published: Name of the weights, e.g. `ResNet18_Weights.IMAGENET1K_V1`.
        first: Name of the first convolution; with one input channel it gets the kernels' sum over theirs.
        new: Names of the layers that keep their random weights.

    Raises:
        SoundproofError: The weights cannot be had, or are not those of this network.
    """
    state = _download(published)
    replaced = tuple(f"{name}." for name in new)
    # Files of before 2018 do not count batches; nothing here reads that count.
    expected = {name for name in network.state_dict() if not name.endswith("num_batches_tracked")}
    wanted = {name for name in expected if not name.startswith(replaced)}
    if missing := sorted(wanted - state.keys()):
        raise SoundproofError(f"{published} holds no {', '.join(missing)}: is it another network's?")
    kernel = network.get_submodule(first).get_parameter("weight")
    if kernel.shape[1] == 1:
        state[f"{first}.weight"] = state[f"{first}.weight"].sum(dim=1, keepdim=True)
    network.load_state_dict({name: state[name] for name in wanted}, strict=False)


def _download(published: str) -> dict[str, torch.Tensor]:
    from torchvision.models import get_weight

    weights = get_weight(published)
    folder = Path(torch.hub.get_dir(), "checkpoints")
    file = folder / weights.url.rpartition("/")[2]
    if file.exists() and not _intact(file):
        raise SoundproofError(f"{file} is damaged (its SHA-256 is not what its name says): delete it")
    try:
        state: dict[str, torch.Tensor] = weights.get_state_dict(
            progress=False, check_hash=True, weights_only=True, map_location="cpu"
        )
    except (OSError, RuntimeError) as error:
        raise SoundproofError(
            f"{published} cannot be had ({error}): put {file.name} from {weights.url} into {folder}, "
            "or set TORCH_HOME to a cache that has it, or use weights = 'none'"
        ) from error
    return {_OLD_DENSENET.sub(r"\1\2", name): tensor for name, tensor in state.items()}


def _intact(file: Path) -> bool:
    """Whether a cached file is what its name says; torch hub looks only when it downloads."""
    named = _NAMED_HASH.search(file.name)
    if named is None:
        return True
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest().startswith(named[1])
