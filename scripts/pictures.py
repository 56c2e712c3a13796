"""Draws docs/images/representations/: one real clip of each ESC-10 class in every representation.

    SOUNDPROOF_DATA=… python scripts/pictures.py

Rows are turned over for drawing: row 0, the lowest frequency, is at the bottom.
"""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path

import librosa
import numpy as np
import soundfile
import torch
from PIL import Image, ImageDraw

from soundproof import Domain, Representation
from soundproof_representations import LLFB, soundproof_components

OUT = Path(__file__).parents[1] / "docs" / "images" / "representations"
SIDE = 128
LEVELS = 32


def clips(root: Path) -> dict[str, tuple[np.ndarray, int]]:
    """The first clip of each class: samples and rate."""
    found: dict[str, tuple[np.ndarray, int]] = {}
    with (root / "meta" / "esc50.csv").open() as table:
        for row in csv.DictReader(table):
            if row["esc10"] == "True" and row["category"] not in found:
                found[row["category"]] = soundfile.read(root / "audio" / row["filename"], dtype="float32")
    return dict(sorted(found.items()))


def line(samples: np.ndarray) -> np.ndarray:
    """A waveform in [0, 1] as a picture of its extent in each column."""
    columns = np.array_split(samples, SIDE)
    low, high = (np.array([bound(column) for column in columns]) for bound in (np.min, np.max))
    rows = np.linspace(0, 1, SIDE)[:, None]
    return ((rows >= low - 0.5 / SIDE) & (rows <= high + 0.5 / SIDE)).astype(float)


def bars(numbers: np.ndarray) -> np.ndarray:
    """Numbers in [0, 1] as bars."""
    heights = np.repeat(numbers, SIDE // len(numbers))
    return (np.linspace(0, 1, SIDE)[:, None] < heights).astype(float)


def panels(representation: Representation, inputs: np.ndarray) -> list[np.ndarray]:
    """One clip's input as pictures in [0, 1], lowest row first."""
    if representation.domain is Domain.WAVEFORM:
        return [line(inputs[0])]
    if representation.domain is Domain.VECTOR:
        return [bars(inputs)]
    if representation.id == "yamnet-patch":  # every second patch starts where the last but one ends
        return [np.concatenate(list(inputs[::2]), axis=1)]
    return list(inputs)


def sheet(columns: dict[str, list[np.ndarray]]) -> Image.Image:
    """Classes from left to right, channels from top to bottom."""
    channels = max(map(len, columns.values()))
    drawn = Image.new("L", ((SIDE + 4) * len(columns), 14 + (SIDE + 4) * channels), 255)
    pen = ImageDraw.Draw(drawn)
    for column, (name, pictures) in enumerate(columns.items()):
        left = column * (SIDE + 4)
        pen.text((left + 2, 1), name.replace("_", " "), fill=0)
        for channel, picture in enumerate(pictures):
            grey = np.round(picture[::-1] * (LEVELS - 1)) / (LEVELS - 1)
            tile = Image.fromarray(np.uint8(255 * grey)).resize((SIDE, SIDE), Image.Resampling.NEAREST)
            drawn.paste(tile, (left, 14 + channel * (SIDE + 4)))
    return drawn.quantize(LEVELS + 8)


def main() -> None:
    """Draw every representation."""
    folder = os.environ.get("SOUNDPROOF_DATA")
    if not folder:
        sys.exit("SOUNDPROOF_DATA must name the folder that holds ESC-50-master/")
    sounds = clips(Path(folder) / "ESC-50-master")
    OUT.mkdir(parents=True, exist_ok=True)
    for component in soundproof_components():
        sized = {"size": (SIDE, SIDE)} if "size" in component.__dataclass_fields__ else {}
        deltas = {"deltas": "all", "scaling": "channel"} if component is LLFB else {}
        representation = component(**sized, **deltas)
        rate = representation.rate
        waveforms = torch.from_numpy(
            np.stack(
                [librosa.resample(clip, orig_sr=original, target_sr=rate) for clip, original in sounds.values()]
            )
        )
        with torch.inference_mode():
            inputs = representation.fit(waveforms)(waveforms).numpy()
        drawn = sheet({name: panels(representation, each) for name, each in zip(sounds, inputs, strict=True)})
        drawn.save(OUT / f"{representation.id}.png", optimize=True)


if __name__ == "__main__":
    main()
