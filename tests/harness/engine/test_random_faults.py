"""Two hundred seeded faults over a tiny suite: whatever happens, the next run ends with the same bytes.

A fault strikes at the n-th change to the disk, or between two runs. A kill is an error that nothing catches, after
which nothing more reaches the disk: what lies there is what SIGKILL leaves (real kills: `test_runner.py`).
"""

import os
import random
import shutil
import time
from contextlib import contextmanager
from errno import EACCES, EIO, ENOSPC, EROFS
from pathlib import Path

import pytest

from soundproof.engine.environment import Environment
from soundproof.engine.runner import Runner
from soundproof.engine.store import Store
from soundproof.planning.product import make_plan
from soundproof.planning.suite import load_suite
from soundproof.results import files
from toys import toy_registry

pytestmark = pytest.mark.slow

FAULTS, CHUNKS = 200, 10
HERE = Environment("cpu", "", threads=1)
SUITE = {
    "name": "tiny",
    "datasets": ["toy-data"],
    "representations": ["toy-picture"],
    "models": ["toy-linear"],
    "defenses": ["none", "toy-halving"],
    "attacks": ["noise"],
    "protocols": ["clean", "bounded", "transfer"],
    "training": {"epochs": 2},
}
FILES = (files.ROWS, files.SAMPLES, files.RUN)
# The changes to the disk that a run makes.
CHANGES = [(Path, name) for name in ("mkdir", "rename", "write_bytes")]
CHANGES += [(os, name) for name in ("replace", "fsync")]
CHANGES += [(shutil, "rmtree")]


class KilledError(BaseException):
    """The process is no more."""


def run(folder):
    registry = toy_registry()
    plan = make_plan(load_suite(SUITE, registry), folder)
    store = Store(folder / "cache")
    files.write(Runner(registry, HERE, store, folder).run(plan), folder / "out")


def content(folder):
    return [(folder / "out" / name).read_bytes() for name in FILES]


@contextmanager
def struck(at, strike):
    """Call `strike` at so many changes to the disk, and at every later one."""
    count = 0

    def wrapped(change):
        def changed(*arguments, **options):
            nonlocal count
            count += 1
            if count >= at:
                strike(arguments[0])
            return change(*arguments, **options)

        return changed

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in CHANGES:
            patch.setattr(owner, name, wrapped(getattr(owner, name)))
        yield


def kill(_):
    raise KilledError


def refuse(number):
    def strike(path):
        raise OSError(number, os.strerror(number), str(path))

    return strike


def damage(folder, draw):
    """Flip a byte of a file of the cache, cut it, empty it, or take it away."""
    found = sorted(path for path in (folder / "cache").rglob("*") if path.is_file())
    for path in draw.sample(found, min(len(found), draw.randint(1, 3))):
        held = bytearray(path.read_bytes())
        match draw.choice(["flip", "cut", "empty", "remove"]):
            case "flip" if held:
                held[draw.randrange(len(held))] ^= 1 << draw.randrange(8)
            case "cut":
                del held[draw.randint(0, len(held)) :]
            case "empty":
                held.clear()
            case _:
                path.unlink()
                continue
        path.write_bytes(held)


def swap(folder, draw):
    """Lay one entry under another's name."""
    entries = sorted(path.parent for path in (folder / "cache").rglob("manifest.json"))
    if len(entries) > 1:
        one, other = draw.sample(entries, 2)
        shutil.rmtree(one)
        shutil.copytree(other, one)


STRIKES = {
    "kill": kill,
    "full": refuse(ENOSPC),
    "read-only": refuse(EROFS),
    "denied": refuse(EACCES),
    "broken": refuse(EIO),
}
BETWEEN = {"damage": damage, "swap": swap}


def clock(monkeypatch, draw):
    """Set the clock back or forward, by up to ten years."""
    now, shift = time.time, draw.uniform(-3e8, 3e8)
    monkeypatch.setattr(time, "time", lambda: now() + shift)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    with struck(10**9, kill):
        run(folder)
    return content(folder)


@pytest.fixture(scope="module")
def changes(tmp_path_factory):
    """How often a whole run changes the disk."""
    count = [0]

    def counted(change):
        def changed(*arguments, **options):
            count[0] += 1
            return change(*arguments, **options)

        return changed

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in CHANGES:
            patch.setattr(owner, name, counted(getattr(owner, name)))
        run(tmp_path_factory.mktemp("counted"))
    assert count[0] > 50
    return count[0]


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_the_next_run_ends_with_the_same_bytes(tmp_path, monkeypatch, whole, changes, chunk):
    seen = set()
    for seed in range(chunk, FAULTS, CHUNKS):
        draw, folder = random.Random(seed), tmp_path / str(seed)
        folder.mkdir()
        for fault in draw.choices([*STRIKES, *BETWEEN, "clock"], k=draw.randint(1, 2)):
            seen.add(fault)
            with monkeypatch.context() as patch:
                if fault == "clock":
                    clock(patch, draw)
                if fault in BETWEEN:
                    BETWEEN[fault](folder, draw)
                strike = STRIKES.get(fault, kill)
                at = draw.randint(1, changes) if fault in STRIKES else 10**9
                try:
                    with struck(at, strike):
                        run(folder)
                except KilledError:
                    assert fault == "kill"
                except OSError as error:
                    # Results that cannot be written are the one thing that ends a run, in one line.
                    if str(folder / "out") not in str(error.filename):
                        raise
                else:
                    assert content(folder) == whole, f"seed {seed}, {fault}"
        run(folder)
        assert content(folder) == whole, f"seed {seed}"
        shutil.rmtree(folder)
    assert len(seen) >= 6
