"""How attacks on pictures and attacks on the sound compare: the tables of docs/in-sound.md, from the suite `in-sound`.

    python scripts/in_sound.py --data DIR --cache DIR [--out DIR]

runs the suite's networks under budgets of both domains and prints, a line a classifier, the share of clips that PGD
fools. Trained networks are shared by all of them through the cache.
"""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof import run
from soundproof.planning.documents import suite_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

# As large per value of a picture of 48×48 as ‖ε‖₂ = 0.5, 1, 2 and 3 on one of 128×128, which name them.
PICTURES = {size: size * 48 / 128 for size in (0.5, 1, 2, 3)}
DECIBELS = (50, 40, 30, 20)
KEPT = {"attacks": [{"id": "pgd", "steps": 10}], "protocols": ["clean", "bounded"]}


def main() -> None:
    """Run everything and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "cache", "out"):
        parser.add_argument(f"--{name}", type=Path, required=name != "out", default=Path("in-sound"))
    places = vars(parser.parse_args())
    suite = tomllib.loads(suite_text("in-sound"))
    suite["models"] = [model for model in suite["models"] if model["id"] != "wavenet"]
    suite["representations"] = [each for each in suite["representations"] if each["id"] != "waveform"]
    columns = {}
    for name, size in PICTURES.items():
        columns[f"‖ε‖₂ {name:g}"] = measured(suite, f"picture-{name:g}", {"epsilon": size}, **places)
    for decibels in DECIBELS:
        budget = {"domain": "waveform", "snr_db": float(decibels)}
        columns[f"{decibels} dB"] = measured(suite, f"sound-{decibels}", budget, **places)
    show(columns)


def measured(
    suite: Mapping[str, Any], name: str, budget: Mapping[str, Any], *, data: Path, cache: Path, out: Path
) -> pd.DataFrame:
    """Rows of one budget, by representation, model and defense."""
    document = {**suite, **KEPT, "name": name, "budget": budget}
    found = run(document, data=data, cache=cache, out=out / name, device="cpu")
    return found.set_index(["representation", "model", "defense"])


def show(columns: Mapping[str, pd.DataFrame]) -> None:
    """Print the table, and how far the pictures moved."""
    first = next(iter(columns.values()))
    clean = first[first.protocol == "clean"]
    print("| classifier | accuracy | " + " | ".join(columns) + " |\n|---|---|" + "---|" * len(columns))
    for name, row in clean.iterrows():
        shares = [_bounded(found, name).fooling_rate for found in columns.values()]
        print(
            f"| {' · '.join(map(str, name))} | {row.accuracy:.3f} | "
            + " | ".join(f"{s:.2f}" for s in shares)
            + " |"
        )
    print("\n‖Δ picture‖₂ of the clips that are fooled, in units of 128×128:")
    for name, _ in clean.iterrows():
        moved = [_bounded(found, name).get("input_l2", float("nan")) * 128 / 48 for found in columns.values()]
        print(f"| {' · '.join(map(str, name))} | " + " | ".join(f"{each:.2f}" for each in moved) + " |")


def _bounded(found: pd.DataFrame, name: Any) -> Any:
    return found[(found.protocol == "bounded")].loc[[name]].iloc[0]


if __name__ == "__main__":
    main()
