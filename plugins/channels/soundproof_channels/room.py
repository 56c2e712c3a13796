"""From a loudspeaker to a microphone in a room."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from soundproof import Channel

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

# Lengths of a box-shaped room, m, from … to; both devices stand at least half a metre from every wall.
_SMALLEST, _LARGEST = (3.0, 3.0, 2.4), (7.0, 6.0, 3.2)
_FROM_WALLS = 0.5
_SOUND = 343.0
"""Speed of sound, m/s."""


@dataclass(frozen=True)
class Room(Channel):
    """A loudspeaker heard by a microphone in a box-shaped room, drawn anew for every clip from so many rooms.

    Rooms of 3 – 7 × 3 – 6 × 2.4 – 3.2 m by the image source method (Allen & Berkley 1979, by pyroomacoustics),
    with walls that absorb as Sabine's formula wants for the reverberation time. The direct sound arrives when and
    as loud as it was sent: distance and volume are set right, so that what remains is the room.
    """

    id: ClassVar[str] = "room"
    differentiable: ClassVar[bool] = True

    rt60: Annotated[float, Field(ge=0.15, le=1.0, description="reverberation time, s")] = 0.3
    distance: Annotated[float, Field(ge=0.2, le=2.0, description="loudspeaker to microphone, m")] = 1.0
    rooms: Annotated[int, Field(ge=1, le=1000, description="rooms to draw from")] = 20

    def reason_to_skip(self, rate: int, samples: int) -> str | None:  # noqa: ARG002
        """It needs pyroomacoustics."""
        if find_spec("pyroomacoustics") is None:
            return "room needs pyroomacoustics: pip install 'soundproof[rooms]'"
        return None

    def carry(self, waveforms: torch.Tensor, rate: int, generator: torch.Generator) -> torch.Tensor:
        """Clips convolved with the response of a room each, cut at ±1."""
        import torch

        drawn = torch.randint(self.rooms, (len(waveforms),), generator=generator).tolist()
        found = [torch.from_numpy(_response(number, self.rt60, self.distance, rate)) for number in drawn]
        responses = torch.nn.utils.rnn.pad_sequence(found, batch_first=True).to(waveforms)
        samples = waveforms.shape[-1]
        length = samples + responses.shape[-1]
        spectrum = torch.fft.rfft(waveforms, length) * torch.fft.rfft(responses, length)
        arrived: torch.Tensor = torch.fft.irfft(spectrum, length)[..., :samples]
        return arrived.clamp(-1, 1)


@lru_cache(maxsize=1024)
def _response(number: int, rt60: float, distance: float, rate: int) -> npt.NDArray[np.float32]:
    """Impulse response of a numbered room, beginning with the direct sound, whose height is 1."""
    import numpy as np
    import pyroomacoustics

    generator = np.random.default_rng(number)
    size = generator.uniform(_SMALLEST, _LARGEST)
    absorption, order = pyroomacoustics.inverse_sabine(rt60, size)
    microphone, loudspeaker = _placed(generator, size, distance)
    room = pyroomacoustics.ShoeBox(size, fs=rate, materials=pyroomacoustics.Material(absorption), max_order=order)
    room.add_source(loudspeaker)
    room.add_microphone(microphone)
    room.compute_rir()
    response = np.asarray(room.rir[0][0], np.float64)
    # Its fractional delays are 81 samples wide: 40 samples before the direct sound's own.
    direct = round(distance / _SOUND * rate) + pyroomacoustics.constants.get("frac_delay_length") // 2
    peak = direct - 2 + int(np.abs(response[direct - 2 : direct + 3]).argmax())
    heard: npt.NDArray[np.float32] = (response[peak:] / response[peak]).astype(np.float32)
    return heard


def _placed(
    generator: np.random.Generator, size: npt.NDArray[np.float64], distance: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Places of the two devices, drawn until both are inside."""
    import numpy as np

    low, high = np.full(3, _FROM_WALLS), size - _FROM_WALLS
    while True:
        one, way = generator.uniform(low, high), generator.normal(size=3)
        other = one + distance * way / np.linalg.norm(way)
        if np.all(other >= low) and np.all(other <= high):
            return one, other
