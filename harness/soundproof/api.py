"""Running a suite from Python: the same as `bench run`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof import frames
from soundproof.contract.discovery import discover
from soundproof.engine import forecast
from soundproof.engine.environment import cache_folder, data_folder, detect
from soundproof.engine.events import EventLog, Warned
from soundproof.engine.isolation import Isolation
from soundproof.engine.pictures import pictures
from soundproof.engine.runner import Runner
from soundproof.engine.store import Store
from soundproof.errors import DataError
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof.results import files
from soundproof.results.protection import protect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from soundproof.boards import Drawn
    from soundproof.contract.registry import Registry
    from soundproof.engine.events import Event, Listener
    from soundproof.results.files import Results


def run(
    suite: str | Path | Mapping[str, Any] = "quick",
    *,
    data: str | Path | None = None,
    out: str | Path | None = None,
    cache: str | Path | None = None,
    device: str = "auto",
    only: Mapping[str, Sequence[str]] | None = None,
    threads: int | None = None,
    isolate: str = "plugins",
) -> pd.DataFrame:
    """Run a suite, write its results folder with the boards, and return the rows.

    Args:
        suite: A built-in suite's name, a TOML file, or its content as a mapping.
        data: The folder with the public data sets under their own names.
        out: The results folder; `leaderboards/<suite>/` by default.
        cache: Where artifacts are kept between runs.
        device: `auto`, `cpu` or `cuda`.
        only: Ids to keep, by kind.
        threads: What torch may use; by default `OMP_NUM_THREADS`, else as many as there are cores.
        isolate: Which cells run in processes of their own: `plugins` (those of other distributions), `all` or
            `none`. The results are the same.

    Returns:
        A row a cell, as `soundproof.load` gives it for the results folder; `soundproof.classifiers` and
        `soundproof.curves` hold what the boards make of the same folder.

    Raises:
        SoundproofError: The suite, the data or an argument is bad; it lists every problem.
    """
    return frames.cells(
        execute(
            suite, data=data, out=out, cache=cache, device=device, only=only, threads=threads, isolate=isolate
        ).results
    )


@dataclass(frozen=True)
class Finished:
    """A run that is over.

    Attributes:
        results: What was measured.
        out: The folder that holds it.
        drawn: Its pages.
    """

    results: Results
    out: Path
    drawn: Drawn


def execute(
    suite: str | Path | Mapping[str, Any],
    *,
    data: str | Path | None = None,
    out: str | Path | None = None,
    cache: str | Path | None = None,
    device: str = "auto",
    only: Mapping[str, Sequence[str]] | None = None,
    threads: int | None = None,
    isolate: str = "plugins",
    fresh: bool = False,
    listeners: Sequence[Listener] = (),
    registry: Registry | None = None,
) -> Finished:
    """Run a suite and write its results folder, see `run`; components are those of the registry."""
    from soundproof import boards

    registry = registry or discover()
    checked = load_suite(suite, registry)
    root, folder = data_folder(data), Path(out or Path("leaderboards") / checked.name)
    plan = make_plan(checked, root, only)
    if plan.absent and not plan.indexes:
        raise DataError(list(plan.absent.values()))
    protect(folder, checked.name, len(plan.cells) + len(plan.skipped) + len(plan.missing))
    environment = detect(device, threads)
    with EventLog(folder / "events.jsonl") as log:
        told: tuple[Listener, ...] = (log, *listeners)

        def tell(event: Event) -> None:
            for listener in told:
                listener(event)

        for reason in plan.absent.values():
            tell(Warned(f"skipped: {reason}"))
        store = Store(cache_folder(cache), fresh=fresh, warn=lambda message: tell(Warned(message)))
        runner = Runner(registry, environment, store, root, tell, Isolation(isolate))
        found = runner.run(plan)
        found = replace(found, pictures=pictures(runner.workshop(plan), found.rows))
    files.write(found, folder)
    return Finished(found, folder, boards.render(folder))


def plan_suite(
    suite: str | Path | Mapping[str, Any],
    *,
    data: str | Path | None = None,
    cache: str | Path | None = None,
    device: str = "auto",
    only: Mapping[str, Sequence[str]] | None = None,
    threads: int | None = None,
) -> dict[str, Any]:
    """Content of `bench plan --json`: the size of a run, what of it is cached, and what it will take."""
    registry = discover()
    checked = load_suite(suite, registry)
    plan = make_plan(checked, data_folder(data), only)
    environment, store = detect(device, threads), Store(cache_folder(cache))
    workshop = Runner(registry, environment, store, data_folder(data)).workshop(plan)
    pending = forecast.pending(workshop)
    return {
        "suite": checked.name,
        "cells": len(plan.cells),
        "protocols": [cell.protocol.id for cell in plan.cells],
        "skipped": len(plan.skipped),
        "cached": len(plan.cells) - len(pending),
        "gradients": sum(plan.gradients(cell) for cell in pending),
        "seconds": round(sum(forecast.seconds(workshop, pending).values()), 1),
        "reasons": [row.reason for row in plan.skipped],
    }
