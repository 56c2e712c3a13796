"""Draws docs/images/attacks.svg and prints its table: what attacks reach after so many gradients, on real sound.

    SOUNDPROOF_DATA=… SOUNDPROOF_CLASSIFIERS=… python scripts/curves.py

SOUNDPROOF_CLASSIFIERS is a folder for two classifiers of ESC-10, which are trained into it once (tests/esc10.py).
"""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from soundproof import Ball, BoundedAttack, Goal, Norm, Victim, margin
from soundproof.measuring.curve import fooling_auc
from soundproof_attacks.apgd import Apgd
from soundproof_attacks.bim import BimB
from soundproof_attacks.cwa import Cwa
from soundproof_attacks.deepfool import DeepFool
from soundproof_attacks.fgsm import Fgsm
from soundproof_attacks.jsma import Jsma
from soundproof_attacks.lbfgs import Lbfgs
from soundproof_attacks.pgd import Pgd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from soundproof import Attack

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from esc10 import TRAININGS, Task, task

OUT = Path(__file__).parents[1] / "docs" / "images" / "attacks.svg"
RADII = {"standard": 0.2, "adversarial": 3.0}
CLIPS, MOST = 64, 200
STOPS = (1, 5, 10, 20, 40, 100, MOST)
ATTACKS: dict[str, Attack] = {
    "fgsm": Fgsm(),
    "bim-b": BimB(steps=40, step_size=0.125),
    "pgd": Pgd(steps=40, step_size=0.125),
    "apgd, ce": Apgd(steps=100),
    "apgd, dlr": Apgd(steps=100, loss="dlr"),
    "deepfool": DeepFool(),
    "cwa": Cwa(search_steps=4, steps=50, targeted=False),
    "lbfgs": Lbfgs(search_steps=6, steps=40, targeted=False),
    "jsma": Jsma(steps=MOST, theta=0.5, targeted=False),
}
COLOURS = ("#888888", "#1f77b4", "#17a2b8", "#d62728", "#ff7f0e", "#2ca02c", "#9467bd", "#8c564b", "#e377c2")


@dataclass(frozen=True)
class Panel:
    """One classifier's part of the picture.

    Attributes:
        title: Above it.
        left: Of the plot, pixels.
        curves: The AUC of every attack after 1, 2, … gradients.
    """

    title: str
    left: int
    curves: dict[str, list[float]]
    top, width, height = 40, 340, 280

    def x(self, gradients: float) -> float:
        """Pixels of a number of gradients, on a logarithmic axis."""
        return self.left + self.width * math.log(gradients) / math.log(MOST)

    def y(self, auc: float) -> float:
        """Pixels of an AUC."""
        return self.top + self.height * (1 - (auc - 0.5) / 0.5)

    def elements(self) -> Iterator[str]:
        """Frame, grid and curves."""
        bottom = self.top + self.height
        yield f'<text x="{self.left}" y="{self.top - 14}" font-weight="bold">{self.title}</text>'
        for auc in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
            y = self.y(auc)
            yield f'<path d="M{self.left} {y:.1f}h{self.width}" stroke="#ddd"/>'
            yield f'<text x="{self.left - 8}" y="{y + 4:.1f}" text-anchor="end">{auc:.1f}</text>'
        for gradients in STOPS:
            x = self.x(gradients)
            yield f'<path d="M{x:.1f} {self.top}v{self.height}" stroke="#ddd"/>'
            yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{gradients}</text>'
        middle = self.left + self.width / 2
        yield f'<text x="{middle}" y="{bottom + 38}" text-anchor="middle">gradients a clip</text>'
        for colour, values in zip(COLOURS, self.curves.values(), strict=True):
            points = [f"{self.x(g):.1f} {self.y(auc):.1f}" for g, auc in enumerate(values, start=1)]
            if len(set(values)) > 1:
                yield f'<path d="M{"L".join(points)}" fill="none" stroke="{colour}" stroke-width="1.8"/>'
            else:  # one gradient
                yield f'<circle cx="{self.x(1):.1f}" cy="{self.y(values[0]):.1f}" r="4" fill="{colour}"/>'


def curve(attack: Attack, of: Task, radius: float) -> list[float]:
    """The fooling AUC within a radius after 1, 2, … gradients a clip."""
    victim, generator = Victim(of.network, of.clean, Goal(of.labels)), torch.Generator().manual_seed(0)
    if isinstance(attack, BoundedAttack):
        examples = attack.perturb(victim, Ball(Norm.L2, radius), generator)
        with torch.no_grad():
            victim(examples)  # which FGSM and BIM have not looked at
    else:
        attack.minimise(victim, generator)
    with torch.no_grad():
        clean = margin(of.network(of.clean), of.labels).numpy()
    table = victim.trace.table()
    return [fooling_auc(table, clean, gradients, radius * (1 + 1e-6)) for gradients in range(1, MOST + 1)]


def legend() -> Iterator[str]:
    """Names beside their colours, to the right of both panels."""
    for row, (name, colour) in enumerate(zip(ATTACKS, COLOURS, strict=True)):
        y = 60 + 24 * row
        yield f'<path d="M850 {y - 4}h22" stroke="{colour}" stroke-width="4"/><text x="880" y="{y}">{name}</text>'


def main() -> None:
    """Attack both classifiers."""
    root = os.environ.get("SOUNDPROOF_DATA")
    if not root:
        sys.exit("SOUNDPROOF_DATA must name the folder that holds ESC-50-master/")
    panels = []
    for number, training in enumerate(TRAININGS):
        radius, of = RADII[training], task(training, Path(root), CLIPS)
        curves = {name: curve(attack, of, radius) for name, attack in ATTACKS.items()}
        panels.append(Panel(f"{training} training, ‖ε‖₂ ≤ {radius:g}", 50 + 400 * number, curves))
        sys.stdout.write(
            f"\n{training}, {len(of.clean)} clips, accuracy {of.accuracy:.3f}, radius {radius:g}" + "\n"
        )
        for name, values in curves.items():
            sys.stdout.write(
                f"| `{name}` | " + " | ".join(f"{values[stop - 1]:.3f}" for stop in STOPS) + " |" + "\n"
            )
    parts = [element for panel in panels for element in panel.elements()]
    OUT.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="960" height="370" font-family="sans-serif" font-size="12">'
        '<rect width="960" height="370" fill="white"/>'
        '<text transform="translate(14 215) rotate(-90)">fooling AUC</text>'
        + "".join([*parts, *legend()])
        + "</svg>\n"
    )


if __name__ == "__main__":
    main()
