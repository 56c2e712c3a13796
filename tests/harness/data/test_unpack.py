import io
import os
import stat
import tarfile
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from soundproof.data import disk
from soundproof.data.disk import need_space
from soundproof.data.unpack import ArchiveError, unpack
from soundproof.errors import DataError

EVIL = ["../evil", "/evil", "a/../../evil", "..\\evil", "C:\\evil", "C:evil"]


def zipped(path, members):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def tarred(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as file:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return path


def everything_below(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("mode", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_archives_are_told_by_their_content(tmp_path, mode):
    members = {"set/a.txt": b"a" * 1000, "set/deep/b.txt": b""}
    path = tmp_path / "download"
    archive = zipped(path, members) if mode == "zip" else tarred(path, members, mode)
    unpack(archive, tmp_path / "out" / "here")
    assert everything_below(tmp_path / "out") == {"here/set/a.txt", "here/set/deep/b.txt"}
    assert (tmp_path / "out" / "here" / "set" / "a.txt").read_bytes() == b"a" * 1000


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize("name", EVIL)
def test_a_member_that_leads_outside_is_refused(tmp_path, make, name):
    archive = make(tmp_path / "archive", {"good": b"x", name: b"evil"})
    with pytest.raises(DataError, match="refused, because it holds links, devices or paths that lead outside"):
        unpack(archive, tmp_path / "out" / "here")
    assert everything_below(tmp_path) <= {"archive", "out/here/good"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_tar_files_are_refused(tmp_path, kind):
    archive = tmp_path / "archive"
    with tarfile.open(archive, "w") as file:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = kind, "inside"
        file.addfile(member)
    with pytest.raises(DataError, match=r"refused.*'link'"):
        unpack(archive, tmp_path / "out")
    assert not os.path.lexists(tmp_path / "out" / "link")


def test_links_in_zip_files_are_refused(tmp_path):
    archive = tmp_path / "archive"
    with zipfile.ZipFile(archive, "w") as file:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match=r"refused.*'link'"):
        unpack(archive, tmp_path / "out")
    assert everything_below(tmp_path) == {"archive"}


def test_all_that_is_refused_in_a_zip_file_is_counted(tmp_path):
    archive = zipped(tmp_path / "archive", {f"../{number}": b"" for number in range(8)})
    with pytest.raises(DataError, match=r"'\.\./0', '\.\./1', '\.\./2', '\.\./3', '\.\./4' and 3 more"):
        unpack(archive, tmp_path / "out")


def damaged_zip(path):
    zipped(path, {"a": b"hello" * 100})
    content = bytearray(path.read_bytes())
    content[40] ^= 0xFF
    path.write_bytes(content)


def cut_tar(path):
    content = tarred(path, {"a": os.urandom(5000)}).read_bytes()
    path.write_bytes(content[:3000])


def zip_with_method(path, method):
    """A ZIP file that says it is compressed in a way in which it is not."""
    zipped(path, {"a": b"hello" * 100})
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        place = content.index(mark) + offset
        content[place : place + 2] = method.to_bytes(2, "little")
    path.write_bytes(content)


def deflated_noise(path):
    zip_with_method(path, zipfile.ZIP_DEFLATED)


def lzma_noise(path):
    zip_with_method(path, zipfile.ZIP_LZMA)


def bz2_noise(path):
    zip_with_method(path, zipfile.ZIP_BZIP2)


def unknown_method(path):
    zip_with_method(path, 97)


def wrong_sum(path):
    """A gzipped tar file whose members are all there, and whose sum is wrong."""
    content = bytearray(tarred(path, {"a": os.urandom(5000)}).read_bytes())
    content[-6] ^= 0xFF
    path.write_bytes(content)


def wrong_length(path):
    content = bytearray(tarred(path, {"a": os.urandom(5000)}).read_bytes())
    content[-1] ^= 0xFF
    path.write_bytes(content)


def cut_xz(path):
    content = tarred(path, {"a": os.urandom(5000)}, "w:xz").read_bytes()
    path.write_bytes(content[:3000])


@pytest.mark.parametrize(
    "spoil",
    [
        damaged_zip,
        cut_tar,
        deflated_noise,
        lzma_noise,
        bz2_noise,
        unknown_method,
        wrong_sum,
        wrong_length,
        cut_xz,
    ],
)
def test_damaged_archives_are_reported(tmp_path, spoil):
    spoil(tmp_path / "archive")
    with pytest.raises(ArchiveError, match="archive: damaged or not supported") as caught:
        unpack(tmp_path / "archive", tmp_path / "out")
    assert len(caught.value.problems) == 1
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize("seed", range(40))
def test_bytes_changed_anywhere_end_in_one_line_or_change_nothing(tmp_path, make, seed):
    members = {f"set/{name}.bin": np.random.default_rng(row).bytes(300) for row, name in enumerate("abc")}
    archive = make(tmp_path / "archive", members)
    content, random = bytearray(archive.read_bytes()), np.random.default_rng(seed)
    for place in random.integers(0, len(content), 3):
        content[place] ^= int(random.integers(1, 256))
    archive.write_bytes(content)
    try:
        unpack(archive, tmp_path / "out")
    except DataError as error:
        assert len(error.problems) == 1  # noqa: PT017 - it may also be raised by nothing
    else:
        # Names, times and modes have no sum in a ZIP file: content has.
        unpacked = [path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()]
        assert set(unpacked) <= set(members.values())


def test_a_full_disk_is_not_the_archives_fault(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "extractall", fail)
    with pytest.raises(DataError, match=r"does not unpack to .* \(No space left on device\)") as caught:
        unpack(zipped(tmp_path / "archive", {"a": b"x"}), tmp_path / "out")
    assert not isinstance(caught.value, ArchiveError)


def test_a_tar_file_that_would_fill_the_disk_is_stopped(tmp_path, monkeypatch):
    archive = tarred(tmp_path / "archive", {"a": b"x" * 1001})
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(DataError, match="unpacking takes"):
        unpack(archive, tmp_path / "out")


def test_a_page_of_html_is_no_archive(tmp_path):
    (tmp_path / "archive").write_text("<html>log in first</html>")
    with pytest.raises(DataError, match="neither a ZIP nor a tar file"):
        unpack(tmp_path / "archive", tmp_path / "out")


def test_room_is_checked_first(tmp_path, monkeypatch):
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    need_space(tmp_path / "not" / "made", 1000, "x")
    with pytest.raises(DataError, match=r"made: x takes 3\.0 GB, 0\.0 GB are free; make room, or name another"):
        need_space(tmp_path / "not" / "made", 3_000_000_000, "x")
    with pytest.raises(DataError, match="unpacking takes"):
        unpack(zipped(tmp_path / "archive", {"a": b"x" * 1001}), tmp_path / "out")
    assert everything_below(tmp_path) == {"archive"}
