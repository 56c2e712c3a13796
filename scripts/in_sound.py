"""How attacks on pictures and on the sound compare: the tables of docs/in-sound.md, from the suite `in-sound`.

    python scripts/in_sound.py --data DIR --cache DIR

measures the networks of pictures under budgets of both domains. It prints the share of clips that PGD fools,
how far it moved the pictures, and what examples fool that were made against others. Trained networks are shared by
all budgets through the cache; boards are not drawn, and classifiers are not checked.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.contract.discovery import discover
from soundproof.engine.environment import detect, prepare
from soundproof.engine.measurements import Measurements
from soundproof.engine.runner import Runner
from soundproof.engine.store import Store
from soundproof.planning.documents import suite_text
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from soundproof.measuring.classifier import Classifier
    from soundproof.measuring.outcome import Outcome
    from soundproof.measuring.protocols.base import Cell
    from soundproof.planning.suite import Suite

    Found = Mapping[Cell, Outcome]

# On pictures of 48×48 as large per value as ‖ε‖₂ = 0.5, 1, 2 and 3 on 128×128, which name them.
PICTURES = {size: size * 48 / 128 for size in (0.5, 1, 2, 3)}
DECIBELS, MOVED = (50, 40, 30, 20), 40


def main() -> None:
    """Run everything and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "cache"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    places = vars(parser.parse_args())
    columns: dict[str, Found] = {}
    for name, size in PICTURES.items():
        suite, columns[f"‖ε‖₂ {name:g}"] = measured({"epsilon": size}, **places)
    for decibels in DECIBELS:
        budget = {"domain": "waveform", "snr_db": float(decibels)}
        suite, found = measured(budget, ["transfer"] * (decibels == MOVED), **places)
        columns[f"{decibels} dB"] = found
        sys.stderr.write(f"{decibels} dB done\n")
    shares(suite, columns)
    transfers(suite, columns[f"{MOVED} dB"])


def measured(
    budget: Mapping[str, Any], further: Iterable[str] = (), *, data: Path, cache: Path
) -> tuple[Suite, Found]:
    """Outcomes under one budget."""
    document = tomllib.loads(suite_text("in-sound"))
    document["models"] = [model for model in document["models"] if model["id"] != "wavenet"]
    document["representations"] = [each for each in document["representations"] if each["id"] != "waveform"]
    document |= {"attacks": [{"id": "pgd", "steps": 10}], "protocols": ["clean", "bounded", *further]}
    registry, here = discover(), detect("cpu")
    suite = load_suite({**document, "budget": dict(budget)}, registry)
    plan = make_plan(suite, data)
    prepare(here)
    workshop = Runner(registry, here, Store(cache), data).workshop(plan)
    measurements = Measurements(workshop)
    return suite, {cell: measurements.outcome(cell) for cell in plan.cells}


def shares(suite: Suite, columns: Mapping[str, Found]) -> None:
    """The share of clips that fall, and how far pictures moved."""
    clean = {cell.classifier: outcome for cell, outcome in of(next(iter(columns.values())), "clean")}
    tables = {
        name: {cell.classifier: outcome.metrics for cell, outcome in of(found, "bounded")}
        for name, found in columns.items()
    }
    head("share of clips fooled", ["accuracy", *tables])
    for each, outcome in clean.items():
        rates = [table[each]["fooling_rate"].value for table in tables.values()]
        line(words(suite, each), [outcome.metrics["accuracy"].value, *rates])
    heard = {name: table for name, table in tables.items() if name.endswith("dB")}
    head("‖Δ picture‖₂ of those, as on 128×128", heard)
    for each in clean:
        moves = [table[each].get("input_l2") for table in heard.values()]
        line(words(suite, each), [float("nan") if move is None else move.value * 128 / 48 for move in moves])


def transfers(suite: Suite, found: Found) -> None:
    """Of the examples that fool a source, and that the target gets right when clean, the share that fools it."""
    moved = {(cell.classifier, cell.target): outcome for cell, outcome in of(found, "transfer")}
    everybody = dict.fromkeys(source for source, _ in moved)
    for defense in dict.fromkeys(each.defense for each in everybody):
        sources = [each for each in everybody if each.defense.id == "none"]
        targets = [each for each in everybody if each.defense == defense]
        head("source, undefended ↓ target →", [words(suite, each) for each in targets])
        for source in sources:
            ratios = [
                moved[source, each].metrics.get("transfer_ratio") if source != each else None for each in targets
            ]
            line(
                words(suite, source),
                ["–" if ratio is None else f"{ratio.value:.2f} ({ratio.n})" for ratio in ratios],
            )


def of(found: Found, protocol: str) -> list[tuple[Cell, Outcome]]:
    """The cells of a protocol."""
    return [(cell, outcome) for cell, outcome in found.items() if cell.protocol.id == protocol]


def words(suite: Suite, classifier: Classifier) -> str:
    """A classifier by its labels."""
    trained = classifier.trained
    labels = [suite.label(each) for each in (trained.representation, trained.model, classifier.defense)]
    return " · ".join(label for label in labels if label)


def head(title: str, columns: Iterable[str]) -> None:
    """Print a table's head."""
    names = list(columns)
    sys.stdout.write(f"\n| {title} | {' | '.join(names)} |\n|---{'|---' * len(names)}|\n")


def line(name: str, values: Iterable[Any]) -> None:
    """Print a line of a table."""
    cells = (f"{value:.2f}" if isinstance(value, float) else str(value) for value in values)
    sys.stdout.write(f"| {name} | {' | '.join(cells)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
