"""Caches that travel: what arrives is what was sent, and nothing that an archive says is believed."""

import io
import tarfile

import numpy as np
import pytest

from soundproof.engine.shipping import pack, unpack
from soundproof.engine.store import Key, Store
from soundproof.errors import SoundproofError


@pytest.fixture
def sender(tmp_path):
    store = Store(tmp_path / "here")
    for number in range(3):
        store.put(Key.of("trained", number=number), {"n": number}, {"weights": np.arange(5.0) + number})
    store.put(Key.of("clean", number=0), {}, {})
    return store


def test_networks_arrive(sender, tmp_path):
    assert pack(sender.root, tmp_path / "a.tar", ("trained",)) == 3
    got = unpack(tmp_path / "there", tmp_path / "a.tar")
    assert (got.added, got.there, got.refused) == (3, 0, ())
    there = Store(tmp_path / "there")
    for number in range(3):
        found = there.get(Key.of("trained", number=number))
        assert found.record == {"n": number}
        assert found.arrays()["weights"].tolist() == (np.arange(5.0) + number).tolist()
    assert there.get(Key.of("clean", number=0)) is None
    assert unpack(tmp_path / "there", tmp_path / "a.tar").there == 3


def test_equal_entries_make_equal_archives(sender, tmp_path):
    for name in ("a.tar", "b.tar"):
        pack(sender.root, tmp_path / name, ("trained", "clean"))
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_a_flipped_bit_on_the_way_is_refused_and_the_rest_arrives(sender, tmp_path):
    pack(sender.root, tmp_path / "a.tar", ("trained",))
    content = bytearray((tmp_path / "a.tar").read_bytes())
    with tarfile.open(tmp_path / "a.tar") as tar:
        member = next(each for each in tar if each.name.endswith("safetensors"))
        content[member.offset_data + member.size - 3] ^= 4
    (tmp_path / "a.tar").write_bytes(content)
    got = unpack(tmp_path / "there", tmp_path / "a.tar")
    assert got.added == 2
    assert len(got.refused) == 1
    assert "not what was written" in got.refused[0]


def test_a_damaged_entry_is_not_sent(sender, tmp_path):
    folder = sender.folder(Key.of("trained", number=1))
    (folder / "arrays.safetensors").write_bytes(b"")
    with pytest.raises(SoundproofError, match="bench cache verify"):
        pack(sender.root, tmp_path / "a.tar", ("trained",))
    assert not (tmp_path / "a.tar").exists()


@pytest.mark.parametrize(
    "name",
    [
        "../../evil",
        "/etc/evil",
        "trained/../../x/manifest.json",
        "trained/x/other",
        "tmp/aa/manifest.json",
        "trained/x",
    ],
)
def test_what_is_no_entry_is_refused(tmp_path, name):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        member = tarfile.TarInfo(name)
        member.size = 3
        tar.addfile(member, io.BytesIO(b"abc"))
    with pytest.raises(SoundproofError, match="no file of a cache's entry"):
        unpack(tmp_path / "there", tmp_path / "a.tar")
    assert not (tmp_path / "there").exists()


def test_links_are_refused(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        member = tarfile.TarInfo(f"trained/{'a' * 32}/manifest.json")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(SoundproofError, match="no file of a cache's entry"):
        unpack(tmp_path / "there", tmp_path / "a.tar")


def test_no_archive_at_all(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"nonsense" * 100)
    with pytest.raises(SoundproofError, match="no archive of a cache"):
        unpack(tmp_path / "there", tmp_path / "a.tar")
