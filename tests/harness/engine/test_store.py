"""The store: round trips, damage, races and freshness."""

import json
import threading

import numpy as np
import pytest
import torch

from soundproof.engine.store import Key, Store

KEY = Key.of("stage", parameter=1.5, upstream=Key.of("before", x=1))


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


@pytest.mark.parametrize("damage", ["truncate", "flip", "record", "lose", "manifest"])
def test_damaged_entries_are_set_aside(tmp_path, damage):
    folder = Store(tmp_path).put(KEY, {"value": 1}, {"x": np.arange(100)}).folder
    arrays, manifest = folder / "arrays.safetensors", folder / "manifest.json"
    if damage == "truncate":
        arrays.write_bytes(arrays.read_bytes()[:-8])
    elif damage == "flip":
        content = bytearray(arrays.read_bytes())
        content[-1] ^= 1
        arrays.write_bytes(bytes(content))
    elif damage == "record":
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "record": {"value": 2}}))
    elif damage == "lose":
        arrays.unlink()
    else:
        manifest.write_text("{")
    store = Store(tmp_path)
    assert store.get(KEY) is None
    assert len(list((tmp_path / "quarantine").iterdir())) == 1
    store.put(KEY, {"value": 1}, {"x": np.arange(100)})
    assert Store(tmp_path).get(KEY).record == {"value": 1}


def test_what_was_left_half_written_is_not_seen(tmp_path):
    store = Store(tmp_path)
    folder = store.put(KEY, {}, {}).folder
    half = tmp_path / "tmp" / "half"
    folder.rename(half)
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
