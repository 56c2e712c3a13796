"""`bench cache` and `bench explain` as a user meets them."""

import json

import numpy as np
import pytest

from soundproof.cli import main
from soundproof.engine.store import Key, Store


@pytest.fixture
def cache(tmp_path):
    store = Store(tmp_path / "cache")
    for number in range(4):
        store.put(Key.of("trained", number=number), {}, {"weights": np.zeros(1000, np.float32)})
    return store


def bench(capsys, cache, *arguments):
    code = main(["cache", *map(str, arguments), "--cache", str(cache.root)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_info(capsys, cache):
    code, said, _ = bench(capsys, cache, "info")
    assert code == 0
    assert "4 entries" in said
    found = json.loads(bench(capsys, cache, "info", "--json")[1])
    assert found["stages"]["trained"]["entries"] == found["entries"] == 4


def test_verify_says_what_is_damaged_and_fails(capsys, cache):
    assert bench(capsys, cache, "verify")[0] == 0
    folder = cache.folder(Key.of("trained", number=2))
    (folder / "arrays.safetensors").write_bytes(b"short")
    code, said, _ = bench(capsys, cache, "verify")
    assert code == 1
    assert f"damaged: trained/{folder.name}: its arrays have 5 bytes" in said
    assert "3 entries are whole, 1 were damaged" in said
    assert bench(capsys, cache, "verify")[0] == 0


def test_gc_needs_to_know_how_much(capsys, cache, monkeypatch):
    monkeypatch.delenv("SOUNDPROOF_CACHE_LIMIT", raising=False)
    code, _, told = bench(capsys, cache, "gc")
    assert code == 2
    assert "--limit SIZE" in told
    assert bench(capsys, cache, "gc", "--limit", "lots")[0] == 2


def test_gc_keeps_to_the_limit(capsys, cache, monkeypatch):
    code, said, _ = bench(capsys, cache, "gc", "--limit", "10kB")
    assert code == 0
    assert said.startswith("removed 2 entries")
    monkeypatch.setenv("SOUNDPROOF_CACHE_LIMIT", "0")
    assert bench(capsys, cache, "gc", "--dry-run")[1].startswith("would remove 2 entries")


def test_networks_travel(capsys, cache, tmp_path):
    archive, there = tmp_path / "n.tar", Store(tmp_path / "there")
    assert bench(capsys, cache, "export", archive)[:2] == (0, f"{archive}: 4 entries\n")
    code, said, _ = bench(capsys, there, "import", archive)
    assert code == 0
    assert "4 entries added" in said
    assert there.get(Key.of("trained", number=3)) is not None


def test_no_cache_is_one_line(capsys, tmp_path):
    code, _, told = bench(capsys, Store(tmp_path / "none"), "info")
    assert code == 2
    assert "no such cache; name one with --cache" in told


def test_explaining_needs_a_row(capsys, tmp_path):
    assert main(["explain", str(tmp_path), "9f"]) == 2
    assert "at least four digits" in capsys.readouterr().err
