"""Starts Dask workers as SLURM jobs and writes the file that `bench run --scheduler FILE` takes.

    python slurm.py --workers 8 --partition gpu --gpus 1 --hours 24 --memory 64GB --cores 8

It runs until it is interrupted; the jobs end with it. `--show` prints the script of one job and submits nothing.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dask_jobqueue import SLURMCluster


def cluster(options: argparse.Namespace) -> SLURMCluster:
    """Cluster whose jobs hold one Dask worker each."""
    from dask_jobqueue import SLURMCluster

    return SLURMCluster(
        queue=options.partition,
        cores=1,  # of Dask's: one cell at a time; the cell uses all of `job_cpu`
        processes=1,
        job_cpu=options.cores,
        memory=options.memory,
        walltime=f"{options.hours}:00:00",
        job_extra_directives=[f"--gpus={options.gpus}"] if options.gpus else [],
        job_directives_skip=options.skip,
        scheduler_options={"dashboard_address": None},
        # A job that is about to end leaves in time, so that its cell goes on elsewhere.
        worker_extra_args=["--lifetime", f"{60 * options.hours - 5}m"],
    )


def parser() -> argparse.ArgumentParser:
    """The grammar of this script."""
    grammar = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    grammar.add_argument("--workers", type=int, default=1, help="jobs")
    grammar.add_argument("--partition", default=None)
    grammar.add_argument("--gpus", type=int, default=0, help="of each job")
    grammar.add_argument("--cores", type=int, default=4, help="of each job; give `bench run --threads` the same")
    grammar.add_argument("--memory", default="16GB", help="of each job")
    grammar.add_argument("--hours", type=int, default=24)
    grammar.add_argument("--skip", action="append", default=[], help="directive that the site refuses, e.g. mem")
    grammar.add_argument("--file", default="cluster.json", help="where to write how to reach the scheduler")
    grammar.add_argument("--show", action="store_true", help="print the script of one job")
    return grammar


def main() -> None:
    """Start jobs and keep them."""
    import json

    options = parser().parse_args()
    with cluster(options) as started:
        if options.show:
            print(started.job_script())  # noqa: T201
            return
        started.scale(jobs=options.workers)
        with open(options.file, "w", encoding="utf-8") as file:  # noqa: PTH123
            json.dump({"address": started.scheduler_address, "type": "Scheduler"}, file)
        print(f"bench run --scheduler {options.file} --threads {options.cores}")  # noqa: T201
        while True:
            time.sleep(60)


if __name__ == "__main__":
    main()
