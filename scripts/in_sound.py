"""How attacks on pictures and on the sound compare: the tables of docs/in-sound.md, from the suite `in-sound`.

    python scripts/in_sound.py --data DIR --cache DIR [--out DIR]

runs the suite's networks of pictures under budgets of both domains, and prints the share of clips that PGD fools, how
far it moved the pictures, and what examples fool that were made against others. Trained networks are shared by all
runs through the cache.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof import run
from soundproof.planning.documents import suite_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

# On pictures of 48×48 as large per value as ‖ε‖₂ = 0.5, 1, 2 and 3 on 128×128, which name them.
PICTURES = {size: size * 48 / 128 for size in (0.5, 1, 2, 3)}
DECIBELS, MOVED = (50, 40, 30, 20), 30
CLASSIFIER = ["representation", "model", "defense"]


def main() -> None:
    """Run everything and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "cache", "out"):
        parser.add_argument(f"--{name}", type=Path, required=name != "out", default=Path("in-sound"))
    places = vars(parser.parse_args())
    columns = {}
    for name, size in PICTURES.items():
        columns[f"‖ε‖₂ {name:g}"] = measured(f"picture-{name:g}", {"epsilon": size}, **places)
    for decibels in DECIBELS:
        budget = {"domain": "waveform", "snr_db": float(decibels)}
        protocols = ["clean", "bounded", *["transfer"] * (decibels == MOVED)]
        columns[f"{decibels} dB"] = measured(f"sound-{decibels}", budget, protocols, **places)
    shares(columns)
    transfers(columns[f"{MOVED} dB"])


def measured(
    name: str,
    budget: Mapping[str, Any],
    protocols: Iterable[str] = ("clean", "bounded"),
    *,
    data: Path,
    cache: Path,
    out: Path,
) -> pd.DataFrame:
    """Rows of one budget."""
    suite = tomllib.loads(suite_text("in-sound"))
    suite["models"] = [model for model in suite["models"] if model["id"] != "wavenet"]
    suite["representations"] = [each for each in suite["representations"] if each["id"] != "waveform"]
    suite |= {
        "attacks": [{"id": "pgd", "steps": 10}],
        "protocols": list(protocols),
        "name": name,
        "budget": budget,
    }
    return run(suite, data=data, cache=cache, out=out / name, device="cpu")


def shares(columns: Mapping[str, pd.DataFrame]) -> None:
    """The share of clips that fall, and how far pictures moved."""
    clean = _of(next(iter(columns.values())), "clean")
    rates = {name: _of(found, "bounded").fooling_rate for name, found in columns.items()}
    moves = {
        name: _of(found, "bounded").input_l2 * 128 / 48 for name, found in columns.items() if "input_l2" in found
    }
    say("fooling rate", ["accuracy", *rates])
    for name, row in clean.iterrows():
        line(name, [row.accuracy, *(rate[name] for rate in rates.values())])
    say("‖Δ picture‖₂ as on 128×128", moves)
    for name, _ in clean.iterrows():
        line(name, [move[name] for move in moves.values()])


def transfers(found: pd.DataFrame) -> None:
    """Of the examples that fool a source the share that fools a target, undefended both."""
    rows = found[(found.protocol == "transfer") & (found.defense == "none")]
    plain = rows[~rows.target.str.contains("defense")]
    shown = [column for column in plain if column.startswith("target")]
    table = plain.set_index(["representation", "model"])[[*shown, "transfer_ratio", "transfer_ratio_n"]]
    say("transfer of PGD's examples", table.columns)
    for name, row in table.iterrows():
        line(name, list(row))


def _of(found: pd.DataFrame, protocol: str) -> pd.DataFrame:
    return found[found.protocol == protocol].set_index(CLASSIFIER).sort_index()


def say(title: str, columns: Iterable[str]) -> None:
    """Print a heading and a table's head."""
    names = list(columns)
    sys.stdout.write(f"\n| {title} | {' | '.join(map(str, names))} |\n|---{'|---' * len(names)}|\n")


def line(name: Any, values: Iterable[Any]) -> None:
    """Print a line of a table."""
    cells = (f"{value:.3f}" if isinstance(value, float) else str(value) for value in values)
    sys.stdout.write(f"| {' · '.join(map(str, name))} | {' | '.join(cells)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
