"""The networks of `wavenet`."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

# Samples a step of variant B's pooling; 5 ms and 500 ms at 16 kHz.
_SHORT, _LONG = 80, 100
# A clip whose peak is lower counts as this loud: silence has no shape that could be brought out.
_QUIETEST = 1e-4


class _Convolution(nn.Conv1d):
    """With Keras's initialisation: torch's would let the signal fade on its way through so many layers."""

    def reset_parameters(self) -> None:
        """Draw kernels as Glorot & Bengio 2010 do; biases are zero."""
        nn.init.xavier_uniform_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class CausalConvolution(_Convolution):
    """A convolution of two samples, `dilation` apart, that looks only back: `[n, C, T]` to `[n, C', T]`."""

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """As many samples as before; those before the first are zero."""
        return super().forward(functional.pad(samples, (self.dilation[0], 0)))


class _Gate(CausalConvolution):
    """tanh of one dilated convolution times sigmoid of another, both in one."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__(channels, 2 * channels, 2, dilation=dilation)

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        signal, gate = super().forward(samples).chunk(2, dim=1)
        return signal.tanh() * gate.sigmoid()


class _SharedLayer(nn.Module):
    """Variant B: one 1×1 convolution of the gate is both the skip and what is added to the input."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.gate = _Gate(channels, dilation)
        self.skip = _Convolution(channels, channels, 1)

    def forward(self, samples: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        skip = self.skip(self.gate(samples))
        return samples + skip, skip


class _SeparateLayer(nn.Module):
    """Variant A: a 1×1 convolution of the gate is the skip, one of the input is added to the gate."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.gate = _Gate(channels, dilation)
        self.skip = _Convolution(channels, channels, 1)
        self.residual = _Convolution(channels, channels, 1)

    def forward(self, samples: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        gated = self.gate(samples)
        return self.residual(samples) + gated, self.skip(gated)


class Stack(nn.Module):
    """A causal convolution and dilated layers; the sum of what they skip."""

    def __init__(self, channels: int, layers: list[nn.Module]) -> None:
        super().__init__()
        self.first = CausalConvolution(1, channels, 2)
        self.layers = nn.ModuleList(layers)

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """Samples `[n, 1, T]` to ReLU of the summed skips, `[n, channels, T]`."""
        samples = self.first(samples)
        total = torch.zeros_like(samples)
        for layer in self.layers:
            samples, skip = layer(samples)
            total = total + skip
        return functional.relu(total)


class SkippedWaveNet(nn.Module):
    """Variant A: the mean of the skips over time, and a linear layer."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        dilations = [2**power for _ in range(3) for power in range(5)]
        self.stack = Stack(channels, [_SeparateLayer(channels, dilation) for dilation in dilations])
        self.head = nn.Linear(channels, classes)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits `[n, K]` of samples `[n, 1, T]` in [0, 1]."""
        logits: torch.Tensor = self.head(self.stack(2 * inputs - 1).mean(dim=2))
        return logits


class PooledWaveNet(nn.Module):
    """Variant B: convolutions and means over ever longer stretches of the skips."""

    def __init__(self, samples: int, channels: int, classes: int) -> None:
        """Build it.

        Args:
            samples: Of a clip, at least 80.
            channels: Of every layer but the last.
            classes: Logits.
        """
        super().__init__()
        self.stack = Stack(channels, [_SharedLayer(channels, 2**power) for power in range(1, 10)])
        self.conv_5ms = _same(channels, channels, _SHORT)
        self.conv_500ms = _same(channels, channels, _LONG)
        self.conv_500ms_target = _same(channels, classes, _LONG)
        # A clip shorter than one long stretch is one stretch.
        means = samples // _SHORT
        self.stretch = min(_LONG, means)
        self.final = means // self.stretch
        self.final_conv = _same(classes, classes, self.final)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits `[n, K]` of samples `[n, 1, T]` in [0, 1]."""
        samples = 2 * inputs - 1
        samples = samples / samples.abs().amax(dim=2, keepdim=True).clamp(min=_QUIETEST)
        means = functional.avg_pool1d(functional.relu(self.conv_5ms(self.stack(samples))), _SHORT)
        maps = self.conv_500ms_target(functional.relu(self.conv_500ms(means)))
        maps = self.final_conv(functional.avg_pool1d(maps, self.stretch))
        logits: torch.Tensor = functional.avg_pool1d(maps, self.final)[:, :, 0]
        return logits


def _same(channels_in: int, channels: int, width: int) -> nn.Module:
    """A convolution that keeps the length; an even kernel reaches one sample further ahead, as in Keras."""
    before = (width - 1) // 2
    return nn.Sequential(
        nn.ConstantPad1d((before, width - 1 - before), 0.0), _Convolution(channels_in, channels, width)
    )
