import io
import os
import stat
import tarfile
import zipfile
from types import SimpleNamespace

import pytest

from soundproof.data import unpack as module
from soundproof.data.unpack import need_space, unpack
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


@pytest.mark.parametrize("spoil", [damaged_zip, cut_tar])
def test_damaged_archives_are_reported(tmp_path, spoil):
    spoil(tmp_path / "archive")
    with pytest.raises(DataError, match="archive: damaged or not supported"):
        unpack(tmp_path / "archive", tmp_path / "out")


def test_a_page_of_html_is_no_archive(tmp_path):
    (tmp_path / "archive").write_text("<html>log in first</html>")
    with pytest.raises(DataError, match="neither a ZIP nor a tar file"):
        unpack(tmp_path / "archive", tmp_path / "out")


def test_room_is_checked_first(tmp_path, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    need_space(tmp_path / "not" / "made", 1000, "x")
    with pytest.raises(DataError, match=r"made: x takes 3\.0 GB, 0\.0 GB are free; make room, or name another"):
        need_space(tmp_path / "not" / "made", 3_000_000_000, "x")
    with pytest.raises(DataError, match="unpacking takes"):
        unpack(zipped(tmp_path / "archive", {"a": b"x" * 1001}), tmp_path / "out")
    assert everything_below(tmp_path) == {"archive"}
