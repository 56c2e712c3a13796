"""The network of `yamnet`, and how its trained weights are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from soundproof import SoundproofError

if TYPE_CHECKING:
    from pathlib import Path

# Channels of each layer of MobileNetV1, and its stride.
_CHANNELS = (32, 64, 128, 128, 256, 256, *(512,) * 6, 1024, 1024)
_STRIDES = (2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
_EMBEDDING = _CHANNELS[-1]
_EPS = 1e-4
# The interval of log-mel values that `yamnet-patch` maps to [0, 1]: ln 0.001, and the loudest band of any frame.
LOWEST, HIGHEST = -6.907755, 6.172291
# Problems named one by one; more of them say no more.
_NAMED = 5


class _Normalised(nn.Module):
    """A convolution without bias, batch normalisation that shifts but does not scale, ReLU."""

    def __init__(self, channels_in: int, channels: int, kernel: int, stride: int, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels, kernel, stride, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(channels, eps=_EPS)
        # Trained weights may hold ones for it; it does not train.
        del self.bn.weight
        self.bn.register_buffer("weight", torch.ones(channels))
        nn.init.kaiming_normal_(self.conv.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        if self.conv.kernel_size[0] > 1:
            # TensorFlow's `same`: even sides at stride 2 are padded at their ends only.
            before = 2 - self.conv.stride[0]
            maps = functional.pad(maps, (before, 1, before, 1))
        return functional.relu(self.bn(self.conv(maps)))


class _Full(nn.Module):
    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.fused = _Normalised(channels_in, channels, 3, stride)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return self.fused(maps)  # type: ignore[no-any-return]


class _Separable(nn.Module):
    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.depthwise_conv = _Normalised(channels_in, channels_in, 3, stride, groups=channels_in)
        self.pointwise_conv = _Normalised(channels_in, channels, 1, 1)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return self.pointwise_conv(self.depthwise_conv(maps))  # type: ignore[no-any-return]


class Backbone(nn.Module):
    """MobileNetV1 of one channel, from log-mel patches to embeddings (Howard et al. 2017, Table 1)."""

    def __init__(self) -> None:
        super().__init__()
        before = 1
        for number, (channels, stride) in enumerate(zip(_CHANNELS, _STRIDES, strict=True), start=1):
            layer = _Separable if number > 1 else _Full
            self.add_module(f"layer{number}", layer(before, channels, stride))
            before = channels

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """Embeddings `[n, 1024]` of patches `[n, 1, frames, bands]`, natural logarithms of mel magnitudes."""
        for layer in self.children():
            patches = layer(patches)
        return patches.mean(dim=(2, 3))


class PatchClassifier(nn.Module):
    """The backbone on every patch, the maximum over a clip's patches, two dense layers."""

    def __init__(self, classes: int, *, frozen: bool) -> None:
        """Build it.

        Args:
            classes: Logits.
            frozen: Whether the backbone's weights and batch statistics stay as they are.
        """
        super().__init__()
        self.backbone = Backbone()
        self.backbone.requires_grad_(not frozen)
        self.frozen = frozen
        self.head = nn.Sequential(
            nn.Linear(_EMBEDDING, 512), nn.ReLU(), nn.Linear(512, 128), nn.ReLU(), nn.Linear(128, classes)
        )

    def train(self, mode: bool = True) -> PatchClassifier:  # noqa: FBT001, FBT002 - torch's signature
        """Training mode, but for a frozen backbone."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits `[n, K]` of clips `[n, patches, 64, 96]` in [0, 1], rows bands and columns frames."""
        values = LOWEST + (HIGHEST - LOWEST) * images
        patches = values.flatten(0, 1).transpose(1, 2)[:, None]
        embeddings = self.backbone(patches).unflatten(0, images.shape[:2])
        logits: torch.Tensor = self.head(embeddings.amax(dim=1))
        return logits


def load_backbone(backbone: nn.Module, file: Path) -> None:
    """Load trained weights into the backbone.

    Raises:
        SoundproofError: The file cannot be read as safetensors or torch weights, or lacks some of this network's.
    """
    state = _read(file)
    problems = []
    for name, own in backbone.state_dict().items():
        # Networks made without a scale have no `bn.weight`, and old files count no batches.
        optional = name.endswith(("num_batches_tracked", "bn.weight"))
        if name not in state and not optional:
            problems.append(f"{file} holds no {name}: it needs torch_audioset's names for YAMNet's layers")
        elif name in state and state[name].shape != own.shape:
            problems.append(f"{file}: {name} is {tuple(state[name].shape)}, not {tuple(own.shape)}")
    if problems:
        more = len(problems) - _NAMED
        raise SoundproofError(problems[:_NAMED] + ([f"{file}: {more} more like these"] if more > 0 else []))
    known = backbone.state_dict().keys()
    backbone.load_state_dict({name: tensor for name, tensor in state.items() if name in known}, strict=False)


def _read(file: Path) -> dict[str, torch.Tensor]:
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        # A file of anything else can make a reader raise anything.
        raise SoundproofError(
            f"{file} is no file of weights ({type(error).__name__}): name a safetensors file or a torch state dict"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise SoundproofError(f"{file} is no state dict: save the network's state_dict() alone")
    return state
