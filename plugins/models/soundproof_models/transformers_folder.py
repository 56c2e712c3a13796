"""Audio classifiers of the `transformers` library."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import Domain, Model, SoundproofError

if TYPE_CHECKING:
    from torch import nn

    from soundproof import Epoch, Trainer, TrainingData


@dataclass(frozen=True, kw_only=True)
class Transformers(Model):
    """A trained audio classifier (AST, wav2vec2, HuBERT, WavLM, Whisper's encoder …) in a local folder, as it is.

    The folder is what `save_pretrained` of model and feature extractor writes: `config.json`,
    `preprocessor_config.json` and safetensors. The feature extractor runs in torch, so that attacks on the
    waveform get its gradients. Needs the extra `soundproof[transformers]`.
    """

    id: ClassVar[str] = "transformers"
    accepts: ClassVar[frozenset[Domain]] = frozenset({Domain.WAVEFORM})
    portable: ClassVar[bool] = False
    path: Annotated[str, Field(min_length=1, description="the folder")]
    labels: Annotated[
        tuple[str, ...],
        Field(description="the model's names for the data set's classes, in their order; none: the same names"),
    ] = ()

    @property
    def pretrained(self) -> bool:
        """It is."""
        return True

    @property
    def files(self) -> tuple[Path, ...]:
        """Its configurations and weights."""
        folder = Path(self.path)
        needed = (folder / "config.json", folder / "preprocessor_config.json")
        return (*needed, *(sorted(folder.glob("*.safetensors")) or [folder / "model.safetensors"]))

    def reason_to_skip(self, shape: tuple[int, ...], classes: int) -> str | None:  # noqa: ARG002
        """The library is not installed, or the model has fewer classes."""
        if find_spec("transformers") is None:
            return f"{self.id} needs transformers: pip install 'soundproof[transformers]'"
        from soundproof_models._hub import parts

        own = int(parts(self.path)[0].num_labels)
        return f"{self.path} has {own} classes, and the data set {classes}" if own < classes else None

    def build(self, shape: tuple[int, ...], classes: int) -> nn.Module:  # noqa: ARG002
        """Front end and network, with random weights."""
        from soundproof_models._hub import build

        return build(self.path, classes)

    def prepare(self, module: nn.Module, data: TrainingData) -> None:
        """Load the weights, and find the data set's classes among the model's."""
        from soundproof_models._hub import Heard, load, order, parts

        assert isinstance(module, Heard)
        rate = parts(self.path)[1].sampling_rate
        if data.sounds is not None and data.sounds.rate != rate:
            raise SoundproofError(
                f'{self.path} hears {rate} Hz: write representations = [{{ id = "waveform", sr = {rate} }}]'
            )
        load(module, self.path)
        if data.names:
            module.order.copy_(module.order.new_tensor(order(self.path, self.labels, data.names)))

    def fit(self, module: nn.Module, data: TrainingData, trainer: Trainer) -> list[Epoch]:  # noqa: ARG002
        """Leave it as it is."""
        self.prepare(module, data)
        module.eval()
        return []
