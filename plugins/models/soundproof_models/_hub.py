"""Audio classifiers of the hub in a local folder, as networks of waveforms. Nothing is downloaded or unpickled."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from soundproof import SoundproofError, hint
from soundproof_models._front_ends import front_end

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOCAL = {"local_files_only": True, "trust_remote_code": False}


class Heard(nn.Module):
    """A front end and a classifier of what it makes, from inputs `[n, 1, T]` in [0, 1].

    Attributes:
        order: int64 `[K]`, which of the classifier's outputs is the logit of each class.
    """

    order: torch.Tensor

    def __init__(self, front: nn.Module, classifier: Any, classes: int) -> None:
        super().__init__()
        self.front = front
        self.classifier = classifier
        self.register_buffer("order", torch.arange(classes))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits `[n, K]`."""
        features = self.front(2 * inputs[:, 0] - 1)
        logits: torch.Tensor = self.classifier(**{self.classifier.main_input_name: features}).logits
        return logits[:, self.order]


@cache
def parts(folder: str) -> tuple[Any, Any]:
    """Configuration and feature extractor of a folder.

    Raises:
        SoundproofError: It holds none of an audio classifier.
    """
    from transformers import AutoConfig, AutoFeatureExtractor

    if not Path(folder).is_dir():
        raise SoundproofError(f"{folder}: there is no such folder; download the model into one")
    try:
        return (
            AutoConfig.from_pretrained(folder, **_LOCAL),
            AutoFeatureExtractor.from_pretrained(folder, **_LOCAL),  # type: ignore[no-untyped-call]
        )
    except (OSError, ValueError, KeyError) as error:
        raise SoundproofError(f"{folder}: no audio classifier of transformers: {_line(error)}") from None


def build(folder: str, classes: int) -> Heard:
    """The network with random weights."""
    from transformers import AutoModelForAudioClassification

    config, extractor = parts(folder)
    # Masks of training come from NumPy's global generator, which nobody seeds.
    config.apply_spec_augment = False
    try:
        auto: Any = AutoModelForAudioClassification
        network = auto.from_config(config, attn_implementation="eager")
    except (ValueError, KeyError) as error:
        raise SoundproofError(f"{folder}: no audio classifier of transformers: {_line(error)}") from None
    return Heard(front_end(extractor), network, classes)


def load(module: Heard, folder: str) -> None:
    """Put the weights of a folder into what `build` made.

    Raises:
        SoundproofError: There are none as safetensors, or they do not fill the network.
    """
    network: Any = module.classifier
    try:
        loaded, report = type(network).from_pretrained(
            folder, config=network.config, use_safetensors=True, output_loading_info=True, **_LOCAL
        )
    except (OSError, ValueError, RuntimeError) as error:
        remedy = "save_pretrained(folder) writes safetensors; pickles (.bin, .pt) are never loaded"
        raise SoundproofError(f"{folder}: weights cannot be loaded ({_line(error)}); {remedy}") from None
    missing = sorted(report["missing_keys"])
    if missing:
        shown = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        raise SoundproofError(f"{folder}: its weights lack {shown}: it was not trained as a classifier")
    network.load_state_dict(loaded.state_dict())


def order(folder: str, labels: Sequence[str], classes: Sequence[str]) -> list[int]:
    """Which output of a classifier is the logit of each class.

    Args:
        folder: Of the classifier.
        labels: Its own names for the classes; empty where they are the same.
        classes: The data set's; empty where they are not known.

    Raises:
        SoundproofError: Names that it does not know, one and all.
    """
    own = parts(folder)[0].id2label
    unnamed = all(name == f"LABEL_{number}" for number, name in own.items())
    if unnamed and not labels and len(own) == len(classes):
        return list(range(len(own)))
    if labels and len(labels) != len(classes):
        raise SoundproofError(f"labels names {len(labels)} classes, and the data set has {len(classes)}")
    numbers = {_plain(name): number for number, name in own.items()}
    wanted = list(labels or classes)
    unknown = [name for name in wanted if _plain(name) not in numbers]
    if unknown:
        told = "; ".join(f"{name!r}: {hint(name, own.values())}" for name in unknown)
        raise SoundproofError(
            f"{folder}: the model has no class {told}. Give labels = […], its names in the order of the data "
            f"set's classes: {', '.join(classes)}"
        )
    found = [int(numbers[_plain(name)]) for name in wanted]
    if len(set(found)) < len(found):
        raise SoundproofError("labels: two classes of the data set would be one of the model's")
    return found


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").casefold().split())


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
