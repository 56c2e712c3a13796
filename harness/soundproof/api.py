"""Running a suite from Python: the same as `bench run`."""

from __future__ import annotations

import contextlib
import math
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof import frames
from soundproof.contract.discovery import discover
from soundproof.engine import events, forecast
from soundproof.engine.cluster import Cluster
from soundproof.engine.crews import Here
from soundproof.engine.demand import Ledger, available, fitting, shortages, written
from soundproof.engine.environment import cache_folder, data_folder, detect
from soundproof.engine.events import EventLog, Warned
from soundproof.engine.eviction import LIMIT, evict, limit_of
from soundproof.engine.isolation import Isolation
from soundproof.engine.pictures import pictures
from soundproof.engine.runner import Runner
from soundproof.engine.sounds import sounds as recorded
from soundproof.engine.store import Store
from soundproof.engine.timings import Timings
from soundproof.errors import DataError, SoundproofError
from soundproof.planning.product import make_plan, published_plan
from soundproof.planning.suite import load_suite
from soundproof.results import files
from soundproof.results.protection import protect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from soundproof.boards import Drawn
    from soundproof.contract.registry import Registry
    from soundproof.engine.crews import Crew
    from soundproof.engine.demand import Demand
    from soundproof.engine.events import Event, Listener
    from soundproof.engine.workshop import Workshop
    from soundproof.measuring.protocols.base import Cell
    from soundproof.planning.plan import Plan
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
    jobs: int = 1,
    scheduler: str | None = None,
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
        jobs: Cells that run at a time, each in a process with its share of the cores. The results are the same.
        scheduler: Address of a Dask scheduler, or its scheduler file, whose workers run the cells instead.

    Returns:
        A row a cell, as `soundproof.load` gives it for the results folder; `soundproof.classifiers` and
        `soundproof.curves` hold what the boards make of the same folder.

    Raises:
        SoundproofError: The suite, the data or an argument is bad; it lists every problem.
    """
    return frames.cells(
        execute(
            suite,
            data=data,
            out=out,
            cache=cache,
            device=device,
            only=only,
            threads=threads,
            isolate=isolate,
            jobs=jobs,
            scheduler=scheduler,
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
    jobs: int = 1,
    scheduler: str | None = None,
    profile: str | Path | None = None,
    fresh: bool = False,
    sounds: bool = False,
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
    with contextlib.ExitStack() as stack:
        cluster = None if scheduler is None else stack.enter_context(Cluster.at(scheduler))
        environment = detect(device, threads, jobs) if cluster is None else cluster.environment(device, threads)
        crew: Crew | None = cluster or (Here(jobs, environment) if jobs > 1 else None)
        log = stack.enter_context(EventLog(folder / "events.jsonl"))
        told: tuple[Listener, ...] = (log, *listeners)

        def tell(event: Event) -> None:
            for listener in told:
                listener(event)

        for reason in plan.absent.values():
            tell(Warned(f"skipped: {reason}"))
        store = Store(cache_folder(cache), fresh=fresh, warn=lambda message: tell(Warned(message)))
        told = (*told, Timings(store.root, environment))
        runner = Runner(
            registry, environment, store, root, tell, Isolation(isolate), crew, Path(profile) if profile else None
        )
        _require_room(runner.workshop(plan))
        found = runner.run(plan)
        found = replace(found, pictures=pictures(runner.workshop(plan), found.rows))
        if sounds:
            found = replace(found, sounds=recorded(runner.workshop(plan), found.rows))
        _keep_within(store.root, tell)
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
    calibrate: float = 0.0,
) -> dict[str, Any]:
    """Content of `bench plan --json`: the size of a run, what of it is cached, and what it will take.

    Args:
        suite: As for `run`, and so are the next five.
        data: The data folder.
        cache: Where artifacts are kept.
        device: `auto`, `cpu` or `cuda`.
        only: What to keep, by kind.
        threads: What torch may use.
        calibrate: Seconds that may be spent on running some of the cells first, which are kept: they say how much
            of what is planned at most is really spent here.
    """
    registry = discover()
    checked = load_suite(suite, registry)
    root = data_folder(data)
    plan = make_plan(checked, root, only)
    environment, store = detect(device, threads), Store(cache_folder(cache))
    timings = Timings(store.root, environment)
    workshop = Runner(registry, environment, store, root).workshop(plan)
    if calibrate:
        sample = forecast.sample(workshop, forecast.pending(workshop))
        _run_for(Runner(registry, environment, store, root, timings), replace(plan, cells=sample), calibrate)
    pending = forecast.pending(workshop)
    planned = {
        "suite": checked.name,
        "cells": len(plan.cells),
        "protocols": [cell.protocol.id for cell in plan.cells],
        "skipped": len(plan.skipped) + len(plan.missing),
        "cached": sum(workshop.has(cell) for cell in plan.cells),
        **_taken(workshop, pending, timings),
        "calibrated": timings.known,
        "reasons": [
            *(row.reason for row in plan.skipped),
            *(plan.absent[cell.classifier.trained.dataset] for cell in plan.missing),
        ],
        "absent": list(plan.absent.values()),
    }
    if plan.absent:
        published = Runner(registry, environment, store, root).workshop(published_plan(plan))
        planned["published"] = {
            "cells": len(published.plan.cells),
            **_taken(published, published.plan.cells, timings),
            "unknown": list(published.plan.absent.values()),
        }
    return planned


def _taken(workshop: Workshop, pending: Sequence[Cell], timings: Timings) -> dict[str, Any]:
    """What some cells of a plan take."""
    plan = workshop.plan
    ledger = Ledger(plan, workshop.has)
    needed = ledger.demand(pending)
    return {
        "gradients": sum(plan.gradients(cell) for cell in pending),
        "gradients_of_checks": sum(plan.gradients(cell) for cell in pending if cell in plan.checks),
        "seconds": round(sum(timings.corrected(forecast.seconds(workshop, pending)).values()), 1),
        "memory": needed.memory,
        "disk": needed.disk,
        "shortages": _shortages(workshop, pending, ledger, needed),
    }


def _shortages(workshop: Workshop, pending: Sequence[Cell], ledger: Ledger, needed: Demand) -> list[str]:
    """What this machine lacks for some cells of a plan, and what would fit."""
    cache = workshop.store.root
    free = available(cache, workshop.device)
    found = shortages(needed, free, cache)
    smaller = fitting(ledger, workshop.plan.suite, pending, free) if found else ""
    return [*found, f"this much of it fits: {smaller}"] if smaller else found


def _keep_within(root: Path, tell: Listener) -> None:
    """Make room in a cache that has a limit; one that cannot be written keeps what it has."""
    limit = limit_of(os.environ.get(LIMIT))
    if limit < math.inf:
        with contextlib.suppress(OSError):
            done = evict(root, limit)
            if done.kept > limit:
                tell(
                    Warned(
                        f"{root}: above the limit of {written(limit)}; running jobs need {written(done.needed)}"
                    )
                )


def _require_room(workshop: Workshop) -> None:
    """Raise SoundproofError if a plan does not fit this machine."""
    pending, ledger = forecast.pending(workshop), Ledger(workshop.plan, workshop.has)
    found = _shortages(workshop, pending, ledger, ledger.demand(pending))
    if found:
        raise SoundproofError([f"{workshop.plan.suite.name}: {shortage}" for shortage in found])


def _run_for(runner: Runner, plan: Plan, seconds: float) -> None:
    """Run a plan's cells until so many seconds have passed; a cell that has begun is finished."""
    end = time.monotonic() + seconds
    learn = runner.tell

    def tell(event: Event) -> None:
        learn(event)
        if isinstance(event, events.Finished) and time.monotonic() > end:
            raise _EnoughError

    with contextlib.suppress(_EnoughError):
        replace(runner, tell=tell).run(plan)


class _EnoughError(Exception):
    """Enough cells were run."""
