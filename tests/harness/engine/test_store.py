"""The store: round trips, damage, races and freshness."""

import json
import os
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from soundproof.engine import scratch
from soundproof.engine import store as module
from soundproof.engine.store import Key, Store
from soundproof.errors import SoundproofError

KEY = Key.of("stage", parameter=1.5, upstream=Key.of("before", x=1))
OTHER = Key.of("stage", parameter=2.5, upstream=Key.of("before", x=1))
LONG_AGO = 1_000_000_000


def entry(root, key=KEY):
    """Where the documented layout puts an entry."""
    return root / key.stage / key.digest[:2] / key.digest


def flip(file):
    """Change the last bit of a file."""
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))


def test_round_trip(tmp_path):
    Store(tmp_path).put(KEY, {"a": [1, None, "é"]}, {"x": np.arange(6).reshape(2, 3)})
    found = Store(tmp_path).get(KEY)
    assert found.record == {"a": [1, None, "é"]}
    np.testing.assert_array_equal(found.arrays()["x"], np.arange(6).reshape(2, 3))


def test_tensors_keep_type_and_value(tmp_path):
    tensor = torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)
    Store(tmp_path).put(KEY, {}, {"w": tensor, "n": torch.tensor(3)})
    found = Store(tmp_path).get(KEY).tensors("cpu")
    assert torch.equal(found["w"], tensor)
    assert found["n"].dtype == torch.int64


def test_arrays_of_any_layout_keep_their_values(tmp_path):
    columns = np.arange(6.0).reshape(3, 2).T
    Store(tmp_path).put(KEY, {}, {"column": columns[0], "all": columns})
    found = Store(tmp_path).get(KEY).arrays()
    np.testing.assert_array_equal(found["column"], [0, 2, 4])
    np.testing.assert_array_equal(found["all"], columns)


def test_absent_is_none(tmp_path):
    assert Store(tmp_path / "nowhere").get(KEY) is None
    assert not Store(tmp_path).has(KEY)


def test_keys_tell_stage_parts_and_upstream_apart():
    keys = {
        KEY.digest,
        Key.of("other", parameter=1.5, upstream=Key.of("before", x=1)).digest,
        Key.of("stage", parameter=1.25, upstream=Key.of("before", x=1)).digest,
        Key.of("stage", parameter=1.5, upstream=Key.of("before", x=2)).digest,
    }
    assert len(keys) == 4
    assert Key.of("stage", upstream=Key.of("before", x=1), parameter=1.5).digest == KEY.digest


def test_nan_makes_no_key():
    with pytest.raises(ValueError, match="JSON"):
        Key.of("stage", parameter=float("nan"))


@pytest.mark.parametrize(
    "damage", ["truncate", "flip", "record", "lose", "manifest", "another", "stage", "nested"]
)
def test_damaged_entries_are_set_aside(tmp_path, damage):
    Store(tmp_path).put(KEY, {"value": 1}, {"x": np.arange(100)})
    folder = entry(tmp_path)
    arrays, manifest = folder / "arrays.safetensors", folder / "manifest.json"
    if damage == "truncate":
        arrays.write_bytes(arrays.read_bytes()[:-8])
    elif damage == "flip":
        flip(arrays)
    elif damage == "record":
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "record": {"value": 2}}))
    elif damage == "lose":
        arrays.unlink()
    elif damage == "another":
        Store(tmp_path).put(OTHER, {"value": 2}, {"x": np.arange(100)})
        shutil.rmtree(folder)
        entry(tmp_path, OTHER).rename(folder)
    elif damage == "stage":
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "stage": "other"}))
    elif damage == "nested":
        manifest.write_text("[" * 100_000)
    else:
        manifest.write_text("{")
    store = Store(tmp_path)
    if damage not in {"flip"}:  # arrays are not looked at
        assert store.record(KEY) is None
    assert store.get(KEY) is None
    assert len(list((tmp_path / "quarantine").iterdir())) == 1
    store.put(KEY, {"value": 1}, {"x": np.arange(100)})
    assert Store(tmp_path).get(KEY).record == {"value": 1}


def test_what_was_left_half_written_is_not_seen(tmp_path):
    store = Store(tmp_path)
    store.put(KEY, {}, {})
    half = tmp_path / "tmp" / "half"
    entry(tmp_path).rename(half)
    assert Store(tmp_path).get(KEY) is None


def test_many_writers_of_one_key_leave_one_whole_entry(tmp_path):
    def write():
        Store(tmp_path).put(KEY, {"value": 1}, {"x": np.arange(1000)})

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Store(tmp_path).get(KEY).record == {"value": 1}
    assert not list((tmp_path / "tmp").iterdir())


def test_a_fresh_store_sees_only_its_own(tmp_path):
    Store(tmp_path).put(KEY, {"value": "old"})
    fresh = Store(tmp_path, fresh=True)
    assert fresh.get(KEY) is None
    assert not fresh.has(KEY)
    fresh.put(KEY, {"value": "new"})
    assert fresh.get(KEY).record == {"value": "new"}
    assert Store(tmp_path).get(KEY).record == {"value": "new"}


def test_arrays_are_checked_whenever_they_are_read(tmp_path):
    store = Store(tmp_path)
    store.put(KEY, {}, {"x": np.arange(100)})
    found = store.get(KEY)
    flip(entry(tmp_path) / "arrays.safetensors")
    np.testing.assert_array_equal(found.arrays()["x"], np.arange(100))
    assert torch.equal(found.tensors("cpu")["x"], torch.arange(100))
    assert store.get(KEY) is None


def test_what_a_caller_does_to_arrays_stays_with_the_caller(tmp_path):
    store, weights = Store(tmp_path), torch.ones(3)
    made = store.put(KEY, {}, {"x": weights})
    for artifact in (made, store.get(KEY)):
        weights.zero_()
        artifact.arrays()["x"][:] = 5
        artifact.tensors("cpu")["x"].fill_(7)
        assert artifact.tensors("cpu")["x"].tolist() == [1, 1, 1]


def test_a_record_is_read_without_its_arrays(tmp_path, monkeypatch):
    Store(tmp_path).put(KEY, {"value": 1}, {"x": np.arange(100)})
    monkeypatch.setattr(module, "_read_whole", None)
    assert Store(tmp_path).record(KEY) == {"value": 1}
    assert Store(tmp_path).record(OTHER) is None
    assert Store(tmp_path, fresh=True).record(KEY) is None


def test_a_damaged_entry_that_nobody_read_is_replaced(tmp_path):
    Store(tmp_path).put(KEY, {"value": 1}, {"x": np.arange(100)})
    flip(entry(tmp_path) / "arrays.safetensors")
    store = Store(tmp_path)
    store.put(KEY, {"value": 1}, {"x": np.arange(100)})
    assert store.unwritten == 0
    assert Store(tmp_path).get(KEY).record == {"value": 1}
    assert len(list((tmp_path / "quarantine").iterdir())) == 1


def test_the_entry_of_a_faster_process_stays_and_is_returned(tmp_path):
    Store(tmp_path).put(KEY, {"value": "first"})
    assert Store(tmp_path).put(KEY, {"value": "second"}).record == {"value": "first"}


FULL = [OSError(28, "No space left on device"), OSError(30, "Read-only file system"), OSError(5, "I/O error")]


@pytest.mark.parametrize("error", FULL, ids=str)
@pytest.mark.parametrize("fresh", [False, True])
def test_a_store_that_cannot_be_written_costs_no_result(tmp_path, monkeypatch, error, fresh):
    def fail(path, content):
        path.write_bytes(content[:3])
        raise error

    heard = []
    store = Store(tmp_path, fresh=fresh, warn=heard.append)
    store.put(OTHER, {"value": 0}, {"x": np.arange(2)})
    with monkeypatch.context() as broken:
        broken.setattr(module, "_write_file", fail)
        made = store.put(KEY, {"value": 1}, {"x": np.arange(3)})
        store.put(Key.of("stage", n=2), {})
    assert made.arrays()["x"].tolist() == [0, 1, 2]
    assert store.get(KEY).record == store.record(KEY) == {"value": 1}
    assert store.has(KEY)
    assert store.get(OTHER).record == {"value": 0}
    assert store.unwritten == 2
    (line,) = heard
    assert line.startswith(f"{tmp_path}: the cache cannot be written ({error.strerror}); results are complete")
    assert not list((tmp_path / "tmp").iterdir())
    assert Store(tmp_path).get(KEY) is None
    # There is room again.
    store.put(KEY, {"value": 1}, {"x": np.arange(3)})
    assert Store(tmp_path).get(KEY).record == {"value": 1}


def test_what_is_held_in_memory_has_a_limit(tmp_path, monkeypatch):
    (tmp_path / "tmp").write_text("in the way")
    monkeypatch.setattr(module, "HELD", 3000)
    store, keys = Store(tmp_path), [Key.of("stage", n=number) for number in range(5)]
    for key in keys:
        store.put(key, {}, {"x": np.zeros(1000, np.uint8)})
    assert [store.has(key) for key in keys] == [False, False, False, True, True]


def test_a_damaged_entry_that_cannot_be_set_aside_is_absent(tmp_path):
    Store(tmp_path).put(KEY, {"value": 1}, {"x": np.arange(100)})
    flip(entry(tmp_path) / "arrays.safetensors")
    (tmp_path / "quarantine").write_text("in the way")
    store = Store(tmp_path)
    assert store.get(KEY) is None
    assert store.put(KEY, {"value": 1}, {"x": np.arange(100)}).record == {"value": 1}
    assert store.get(KEY).record == {"value": 1}
    assert store.unwritten == 1


def place(tmp_path, what):
    """A name that no folder can have."""
    if what == "below a file":
        (tmp_path / "file").write_text("")
        return tmp_path / "file" / "deeper" / "cache"
    if what == "too long":
        return tmp_path / ("x" * 300)
    path = tmp_path / "cache"
    if what == "a file":
        path.write_text("")
    else:
        path.symlink_to(tmp_path / "nowhere" if what == "a dangling link" else path)
    return path


@pytest.mark.parametrize("what", ["a file", "below a file", "a dangling link", "a link to itself", "too long"])
def test_a_name_that_no_folder_can_have_is_refused_at_once(tmp_path, what):
    path = place(tmp_path, what)
    with pytest.raises(SoundproofError) as caught:
        Store(path)
    (line,) = caught.value.problems
    assert line.startswith(f"{path}: cannot be the folder of the cache (")
    assert line.endswith("name another with --cache")


def unfinished(root, host, process, *, age):
    """An unfinished entry as a process on a host leaves it."""
    part = root / "tmp" / f"{'0' * 32}-{host}-{process}-{'a' * 8}"
    part.mkdir(parents=True)
    (part / "arrays.safetensors").write_bytes(b"half")
    for path in (part / "arrays.safetensors", part):
        os.utime(path, (LONG_AGO - age, LONG_AGO - age))
    return part


@pytest.fixture
def gone():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("host", "process", "age", "stays"),
    [
        (None, "gone", 7200, False),
        (None, "gone", 60, True),
        (None, "mine", 7200, True),
        (None, "mine", 100_000, False),
        ("elsewhere", "gone", 7200, True),
        ("elsewhere", "gone", 100_000, False),
        ("elsewhere", "mine", -100_000, True),
        (None, "9" * 30, 7200, True),
    ],
)
def test_what_dead_writers_left_is_swept(tmp_path, gone, host, process, age, stays):
    number = {"gone": gone, "mine": os.getpid()}.get(process, process)
    part = unfinished(tmp_path, host or scratch._host(), number, age=age)
    scratch.sweep(tmp_path / "tmp", now=LONG_AGO)
    assert part.exists() == stays


def test_the_first_entry_that_is_written_sweeps(tmp_path, gone):
    part = unfinished(tmp_path, scratch._host(), gone, age=0)
    (tmp_path / "tmp" / "file").write_text("left by something else")
    Store(tmp_path).get(KEY)
    assert part.exists()
    Store(tmp_path).put(KEY, {})
    assert not part.exists()


def test_an_entry_that_is_replaced_while_it_is_read_is_read_again(tmp_path, monkeypatch):
    """Twice in a row: what is read is never set aside for what it replaced."""
    Store(tmp_path).put(KEY, {"value": 1}, {"x": np.arange(1000)})
    reads, left = module._read_whole, [2]

    def replaced(folder, key):
        if left[0]:
            left[0] -= 1
            Store(tmp_path, fresh=True).put(KEY, {"value": 1}, {"x": np.arange(1000)})
            return None
        return reads(folder, key)

    monkeypatch.setattr(module, "_read_whole", replaced)
    assert Store(tmp_path).get(KEY).arrays()["x"].sum() == 499500
    assert not (tmp_path / "quarantine").exists()


def test_runs_that_replace_and_read_one_entry_do_not_disturb_each_other(tmp_path):
    """Readers see nothing or a whole entry, also while fresh runs replace it."""
    seen, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            found = Store(tmp_path).get(KEY)
            seen.append(None if found is None else found.arrays()["x"].sum())

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(20):
        Store(tmp_path, fresh=True).put(KEY, {"value": 1}, {"x": np.arange(1000)})
    stop.set()
    reader.join()
    assert set(seen) <= {None, 499500}
    assert not (tmp_path / "quarantine").exists()
    assert not list((tmp_path / "tmp").iterdir())
