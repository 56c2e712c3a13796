"""Signal-to-noise ratios: how much of a changed sound is change."""

from __future__ import annotations

import torch

# A frame that is silent or unchanged would otherwise decide the mean (Hansen & Pellom 1998).
SEGMENT_RANGE = (-10.0, 35.0)
_FRAME = 0.03
"""Seconds; frames overlap by three quarters."""


def snr(clean: torch.Tensor, changed: torch.Tensor) -> torch.Tensor:
    """Signal-to-noise ratio 10·log₁₀(‖x‖² / ‖x′ − x‖²) of whole clips, dB.

    Args:
        clean: Waveforms x, `[n, T]`.
        changed: Waveforms x′, `[n, T]`.

    Returns:
        float32 `[n]`; infinite where nothing changed, minus infinite where the clip is silent and something did.
    """
    signal = clean.double().square().sum(-1)
    noise = (changed.double() - clean.double()).square().sum(-1)
    return (10 * torch.log10(signal / noise)).masked_fill(noise == 0, torch.inf).float()


def segmental_snr(clean: torch.Tensor, changed: torch.Tensor, rate: int) -> torch.Tensor:
    """Segmental signal-to-noise ratio: the mean of the SNR of frames, each held to -10 … 35 dB, dB.

    Hann frames of 30 ms that overlap by three quarters (Hansen & Pellom 1998, "An effective quality evaluation
    protocol for speech enhancement algorithms"; Loizou 2013, §11.1). It is low where a change is heard in quiet
    passages, which the SNR of a whole clip does not see. Frames in which the clean clip is silent take no part.

    Args:
        clean: Waveforms `[n, T]`.
        changed: Waveforms `[n, T]`.
        rate: Sampling rate, Hz.

    Returns:
        float32 `[n]`; NaN where no frame has any sound.
    """
    length = min(round(_FRAME * rate), clean.shape[-1])
    window = torch.hann_window(length + 2, periodic=False, dtype=torch.float64, device=clean.device)[1:-1]

    def energy(waveforms: torch.Tensor) -> torch.Tensor:
        frames = waveforms.double().unfold(-1, length, max(1, length // 4))
        return torch.einsum("nft,t->nf", frames.square(), window.square())

    signal, noise = energy(clean), energy(changed.double() - clean.double())
    ratios = (10 * torch.log10(signal / noise)).clamp(*SEGMENT_RANGE)
    return ratios.masked_fill(signal == 0, torch.nan).nanmean(-1).float()
