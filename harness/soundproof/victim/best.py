"""The best example so far of every clip: what a search keeps while it goes on."""

from __future__ import annotations

import torch

from soundproof.victim.ball import column


class Best:
    """The image of highest value so far, of every clip.

    Everything stays on the device of the images, and nothing waits for it.

    Attributes:
        images: `[N, ...]`; clips without an update keep what they began with.
        values: `[N]`, minus infinity at first.
    """

    def __init__(self, images: torch.Tensor) -> None:
        """Begin with these images, `[N, ...]`, which are copied."""
        self.images = images.clone()
        self.values = torch.full((len(images),), -torch.inf, device=images.device)

    def update(self, images: torch.Tensor, values: torch.Tensor, clips: torch.Tensor | None = None) -> None:
        """Offer one image of each clip, or of some; an equal value, or NaN, does not replace what is there.

        Args:
            images: `[n, ...]`.
            values: Of the images, `[n]`.
            clips: Which clips they are of, int64 `[n]`, each named once. None: all, in their order.
        """
        values = values.to(self.values.dtype)
        if clips is None:
            better = values > self.values
            self.values = torch.where(better, values, self.values)
            self.images = torch.where(column(better, images), images, self.images)
        else:
            better = values > self.values[clips]
            self.values[clips] = torch.where(better, values, self.values[clips])
            self.images[clips] = torch.where(column(better, images), images, self.images[clips])

    def update_copies(self, images: torch.Tensor, values: torch.Tensor, clips: torch.Tensor) -> None:
        """The same where a clip may be named several times (restarts, radii): its best copy counts.

        Args:
            images: `[n, ...]`.
            values: Of the images, `[n]`.
            clips: Which clips they are of, int64 `[n]`.
        """
        values = values.to(self.values.dtype).nan_to_num(-torch.inf, torch.inf, -torch.inf)
        highest = torch.full_like(self.values, -torch.inf).scatter_reduce(0, clips, values, "amax")
        # The first of each clip's copies that has its highest value, so that all of them write the same image.
        places = torch.arange(len(clips), device=clips.device)
        candidates = torch.where(values == highest[clips], places, len(clips))
        winners = torch.full_like(self.values, len(clips), dtype=clips.dtype)
        winners = winners.scatter_reduce(0, clips, candidates, "amin")[clips]
        better = highest[clips] > self.values[clips]
        self.images[clips] = torch.where(column(better, images), images[winners], self.images[clips])
        self.values = torch.maximum(self.values, highest)

    def of_copies(self, copies: int) -> torch.Tensor:
        """The best of each clip's copies `[N / copies, ...]`; the rows are all clips, `copies` times over."""
        winner = self.values.reshape(copies, -1).argmax(dim=0)
        images = self.images.reshape(copies, -1, *self.images.shape[1:])
        return images[winner, torch.arange(images.shape[1], device=images.device)]
