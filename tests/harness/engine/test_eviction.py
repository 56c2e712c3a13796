"""Room in a cache: what was not used for longest goes first, what a running job needs never."""

import os
import subprocess
import sys

import numpy as np
import pytest

from soundproof.engine.entries import entries, summary, verify
from soundproof.engine.eviction import evict, limit_of
from soundproof.engine.leases import DEAD, Lease, needed
from soundproof.engine.store import Key, Store
from soundproof.errors import SoundproofError


def filled(root, count=6, size=1000):
    """Entries of about the same size, each used an hour after the one before."""
    store, keys = Store(root), [Key.of("trained", number=number) for number in range(count)]
    for number, key in enumerate(keys):
        store.put(key, {}, {"weights": np.full(size, number, dtype=np.float32)})
        os.utime(store.folder(key) / "manifest.json", (1e9 + 3600 * number,) * 2)
    return store, keys


def left(store, keys):
    return [number for number, key in enumerate(keys) if store.has(key)]


def test_the_least_recently_used_go_first(tmp_path):
    store, keys = filled(tmp_path)
    assert store.get(keys[0]) is not None  # which is a use
    each = summary(tmp_path)["bytes"] / 6
    done = evict(tmp_path, 2.5 * each)
    assert left(store, keys) == [0, 5]
    assert done.kept == summary(tmp_path)["bytes"]
    assert [entry.digest for entry in done.removed] == [key.digest for key in keys[1:5]]


def test_what_nobody_used_for_long_goes_without_a_limit(tmp_path):
    store, keys = filled(tmp_path)
    evict(tmp_path, float("inf"), unused_since=1e9 + 3600 * 4)
    assert left(store, keys) == [4, 5]


def test_a_dry_run_removes_nothing(tmp_path):
    store, keys = filled(tmp_path)
    assert len(evict(tmp_path, 0, dry=True).removed) == 6
    assert left(store, keys) == [0, 1, 2, 3, 4, 5]


def test_what_a_running_job_needs_stays(tmp_path):
    store, keys = filled(tmp_path)
    with Lease(tmp_path, [keys[1].digest, keys[3].digest]):
        done = evict(tmp_path, 0)
        assert left(store, keys) == [1, 3]
        assert done.needed == done.kept > 0
    evict(tmp_path, 0)
    assert left(store, keys) == []


def test_leases_of_the_dead_hold_nothing(tmp_path):
    code = (
        "import os; from pathlib import Path; from soundproof.engine.leases import Lease;"
        f"Lease(Path({str(tmp_path)!r}), ['a' * 32]).__enter__(); os._exit(9)"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert len(list((tmp_path / "leases").glob("run-*"))) == 1
    assert needed(tmp_path) == set()
    assert list((tmp_path / "leases").glob("run-*")) == []


def test_a_lease_from_elsewhere_holds_for_a_day(tmp_path):
    (tmp_path / "leases").mkdir()
    path = tmp_path / "leases" / "run-elsewhere-1-00000000"
    path.write_text("b" * 32)
    now = path.stat().st_mtime
    assert needed(tmp_path, now + DEAD - 1) == {"b" * 32}
    # A clock that was set back makes it young, not dead.
    assert needed(tmp_path, now - 1e8) == {"b" * 32}
    assert needed(tmp_path, now + DEAD + 1) == set()


def test_verifying_sets_damaged_entries_aside(tmp_path):
    store, keys = filled(tmp_path)
    content = bytearray((store.folder(keys[2]) / "arrays.safetensors").read_bytes())
    content[-5] ^= 1
    (store.folder(keys[2]) / "arrays.safetensors").write_bytes(content)
    (store.folder(keys[4]) / "manifest.json").write_bytes(b"{")
    whole, flaws = verify(tmp_path)
    assert (whole, [entry.digest for entry, _ in flaws]) == (4, sorted([keys[2].digest, keys[4].digest]))
    assert left(store, keys) == [0, 1, 3, 5]
    assert summary(tmp_path)["damaged"] == 2
    assert len(list(entries(tmp_path))) == 4


@pytest.mark.parametrize(
    ("text", "size"), [("500MB", 5e8), ("1.5 tb", 1.5e12), ("20G", 2e10), ("7", 7), (None, float("inf"))]
)
def test_sizes(text, size):
    assert limit_of(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1GB", "1PB"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(SoundproofError, match="no size"):
        limit_of(text)
