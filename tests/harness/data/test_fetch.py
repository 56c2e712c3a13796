import hashlib
import io
import tarfile
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from soundproof.data import disk
from soundproof.data import download as downloads
from soundproof.data.fetch import fetch, is_there
from soundproof.errors import DataError
from soundproof.types import Download
from web import answering, served

# Incompressible, so that archives are long enough to break off amid them.
NOISE = np.random.default_rng(0).bytes(600_000)


def zipped(members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return content.getvalue()


def tarred(members):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as file:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))
    return content.getvalue()


class Data:
    """What `fetch` asks of a data set."""

    id = "clips"
    folder = "Clips"
    homepage = "https://example.org"

    def __init__(self, *downloads):
        self.downloads = downloads


@pytest.fixture
def site():
    with served() as site:
        yield site


@pytest.fixture
def archive(site):
    """Serves a ZIP file; a function that makes the data set, with the right checksum unless told otherwise."""
    site.content["/files/Clips.zip"] = content = zipped({"Clips/a.bin": NOISE, "Clips/meta/t.csv": b"x"})

    right = f"sha256:{hashlib.sha256(content).hexdigest()}"

    def make(checksum=right, size=0):
        return Data(Download(f"{site.url}/files/Clips.zip?download=1", size, checksum))

    site.content["/files/Clips.zip?download=1"] = content
    return make


def left(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


WHOLE = ["Clips", "Clips/a.bin", "Clips/meta", "Clips/meta/t.csv"]


@pytest.mark.parametrize("checksum", ["right", "md5", None])
def test_a_data_set_is_downloaded_verified_and_put_in_place(tmp_path, site, archive, checksum):
    root, heard = tmp_path / "data", []
    content = site.content["/files/Clips.zip"]
    checksums = {
        "right": {},
        "md5": {"checksum": f"md5:{hashlib.md5(content).hexdigest()}"},
        None: {"checksum": None},
    }
    data = archive(**checksums[checksum])
    assert not is_there(data, root)
    assert fetch(data, root, lambda done, total: heard.append((done, total))) == root / "Clips"
    assert is_there(data, root)
    assert left(root) == WHOLE
    assert (root / "Clips" / "a.bin").read_bytes() == NOISE
    assert heard[-1] == (len(content), len(content))
    assert site.requests == [None]
    with pytest.raises(DataError, match="Clips: there already; rename or remove it"):
        fetch(data, root)
    assert site.requests == [None]


def test_a_broken_download_goes_on_where_it_stopped(tmp_path, site, archive):
    for breaks_after in (100_000, 250_000):
        site.breaks_after = breaks_after
        with pytest.raises(
            DataError, match=r"connection broke after .* bytes are kept, and the same command goes on"
        ):
            fetch(archive(), tmp_path)
        assert not (tmp_path / "Clips").exists()
    fetch(archive(), tmp_path)
    assert site.requests == [None, "bytes=100000-", "bytes=350000-"]
    assert left(tmp_path) == WHOLE
    assert (tmp_path / "Clips" / "a.bin").read_bytes() == NOISE


@pytest.mark.parametrize("how", ["another version", "no ranges", "no version and no checksum"])
def test_parts_that_may_not_belong_together_are_not_joined(tmp_path, site, archive, how):
    checksum = {"checksum": None}
    if how == "no version and no checksum":
        site.version = ""
    site.breaks_after = 100_000
    with pytest.raises(DataError, match="connection broke"):
        fetch(archive(**checksum), tmp_path)
    changed = zipped({"Clips/a.bin": NOISE[::-1], "Clips/meta/t.csv": b"x"})
    if how == "another version":
        site.version = '"two"'
    site.ranges = how != "no ranges"
    site.content["/files/Clips.zip?download=1"] = changed
    fetch(archive(**checksum), tmp_path)
    assert (tmp_path / "Clips" / "a.bin").read_bytes() == NOISE[::-1]
    assert site.requests[1] == (None if how == "no version and no checksum" else "bytes=100000-")


@pytest.mark.parametrize("size", ["known", "unknown"])
def test_what_is_whole_already_is_not_downloaded_again(tmp_path, site, archive, size):
    content = site.content["/files/Clips.zip"]
    site.breaks_after = 100
    with pytest.raises(DataError, match="connection broke"):
        fetch(archive(), tmp_path)
    (part,) = (tmp_path / ".downloads").glob("*.part")
    part.write_bytes(content)
    fetch(archive(size=len(content) if size == "known" else 0), tmp_path)
    assert left(tmp_path) == WHOLE
    assert site.requests[1:] == ([] if size == "known" else [f"bytes={len(content)}-"])


def test_a_part_longer_than_the_file_is_thrown_away(tmp_path, site, archive):
    site.breaks_after = 100
    with pytest.raises(DataError, match="connection broke"):
        fetch(archive(), tmp_path)
    (part,) = (tmp_path / ".downloads").glob("*.part")
    part.write_bytes(site.content["/files/Clips.zip"] + b"more")
    with pytest.raises(DataError, match="its size changed since the download began"):
        fetch(archive(), tmp_path)
    fetch(archive(), tmp_path)
    assert left(tmp_path) == WHOLE


def test_a_wrong_checksum_sets_the_file_aside(tmp_path, site, archive):
    with pytest.raises(
        DataError, match=r"its md5 is [0-9a-f]{32}, but 0{32} was published; set aside as .*\.wrong"
    ):
        fetch(archive(checksum="md5:" + "0" * 32), tmp_path)
    assert not (tmp_path / "Clips").exists()
    (aside,) = (tmp_path / ".downloads").iterdir()
    assert aside.read_bytes() == site.content["/files/Clips.zip"]
    fetch(archive(), tmp_path)
    assert [path for path in left(tmp_path) if not path.startswith(".downloads")] == WHOLE


@pytest.mark.parametrize("make", [zipped, tarred])
def test_an_archive_that_leads_outside_leaves_nothing_behind(tmp_path, site, make):
    root = tmp_path / "data"
    site.content["/x"] = make({"Clips/a": b"a", "Clips/../../../evil": b"evil"})
    with pytest.raises(DataError, match="refused"):
        fetch(Data(Download(f"{site.url}/x")), root)
    assert [path for path in left(tmp_path) if not path.endswith("-x.wrong")] == ["data", "data/.downloads"]


def test_a_folder_called_after_a_branch_gets_its_proper_name(tmp_path, site):
    site.content["/x"] = zipped({"clips-1.0.10/a": b"a"})
    fetch(Data(Download(f"{site.url}/x")), tmp_path)
    assert left(tmp_path) == ["Clips", "Clips/a"]


def test_several_archives_become_one_folder(tmp_path, site):
    site.content |= {"/x": zipped({"./one/a": b"a"}), "/y": tarred({"./two/b": b"b"})}
    fetch(Data(Download(f"{site.url}/x", into="Clips"), Download(f"{site.url}/y", into="Clips")), tmp_path)
    assert left(tmp_path) == ["Clips", "Clips/one", "Clips/one/a", "Clips/two", "Clips/two/b"]


def test_an_archive_without_the_folder_is_not_put_anywhere(tmp_path, site):
    site.content["/x"] = zipped({"one/a": b"a", "two/b": b"b"})
    with pytest.raises(DataError, match="Clips: the archive holds no such folder"):
        fetch(Data(Download(f"{site.url}/x")), tmp_path)
    assert [path for path in left(tmp_path) if not path.startswith(".downloads")] == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("{}/none", "Not Found"),
        ("file:///etc/passwd", "its scheme is 'file'"),
        ("http://127.0.0.1:1/x", "refused"),
    ],
)
def test_what_cannot_be_downloaded_is_one_message(tmp_path, site, url, words):
    with pytest.raises(DataError, match=words):
        fetch(Data(Download(url.format(site.url))), tmp_path)


def test_room_is_checked_before_anything_is_asked(tmp_path, site, archive, monkeypatch):
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    with pytest.raises(DataError, match=r"fetching clips takes 2\.0 GB, 0\.0 GB are free"):
        fetch(archive(size=1_000_000_000), tmp_path)
    assert site.requests == []
    assert left(tmp_path) == []


def test_a_data_set_without_downloads_names_its_homepage(tmp_path):
    with pytest.raises(DataError, match=r"clips: no public download; see https://example\.org"):
        fetch(Data(), tmp_path)


def answer(head, body=b""):
    return b"HTTP/1.1 " + head.replace(b"\n", b"\r\n") + b"\r\nConnection: close\r\n\r\n" + body


ANSWERS = {
    "a length that is no number": (answer(b"200 OK\nContent-Length: abc", b"x"), "says that 'abc' bytes"),
    "an absurd length": (answer(b"200 OK\nContent-Length: 1" + b"0" * 5000, b"x"), "says that '1000"),
    "a negative length": (answer(b"200 OK\nContent-Length: -5", b"x"), "says that '-5' bytes"),
    "a length that no disk holds": (answer(b"200 OK\nContent-Length: 9" + b"0" * 17, b"x"), "GB are free"),
    "nothing after nothing": (answer(b"416 Range Not Satisfiable\nContent-Range: bytes */0"), "416"),
    "a part that was not asked for": (
        answer(b"206 Partial Content\nContent-Range: bytes 100-199/200", b"x" * 100),
        "what follows byte 100 where 0 was asked for",
    ),
    "a part of nothing": (answer(b"206 Partial Content\nContent-Range: lines 1-2", b"x"), "without saying which"),
    "a part beyond numbers": (
        answer(b"206 Partial Content\nContent-Range: bytes " + b"9" * 5000),
        "without saying",
    ),
    "a negative chunk": (
        answer(b"200 OK\nTransfer-Encoding: chunked", b"-5\r\nhello\r\n0\r\n\r\n"),
        "chunk of negative size",
    ),
    "a chunk of no size": (answer(b"200 OK\nTransfer-Encoding: chunked", b"zz\r\nhello\r\n"), "kept"),
    "a chunk cut short": (answer(b"200 OK\nTransfer-Encoding: chunked", b"ff\r\nhello"), "5 bytes are kept"),
    "a redirect to ftp": (answer(b"302 Found\nLocation: ftp://127.0.0.1/x"), "its scheme is 'ftp', not http"),
    "a redirect to a file": (answer(b"302 Found\nLocation: file:///etc/passwd"), "is not allowed"),
    "a redirect to nowhere": (answer(b"302 Found"), "302"),
    "a redirect to a broken port": (answer(b"302 Found\nLocation: http://127.0.0.1:port/x"), "nonnumeric port"),
    "a redirect to a broken host": (answer(b"302 Found\nLocation: http://[::1/x"), "Invalid IPv6"),
    "a redirect to a host of dots": (answer(b"302 Found\nLocation: http://..../x"), "kept"),
    "a redirect to itself": (answer(b"302 Found\nLocation: {url}/x"), "infinite loop"),
    "no HTTP": (b"hello\r\n\r\n", "hello"),
    "nothing": (b"", "closed connection"),
    "endless headers": (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000, "headers"),
    "one endless header": (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000, "line"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_server_that_talks_nonsense_is_one_message(tmp_path, name):
    sent, words = ANSWERS[name]
    with answering(sent) as url, pytest.raises(DataError) as caught:
        fetch(Data(Download(f"{url}/x")), tmp_path)
    (problem,) = caught.value.problems
    assert words in problem
    assert not (tmp_path / "Clips").exists()


def test_what_belongs_to_another_size_is_not_kept(tmp_path, site):
    site.content["/x"] = content = zipped({"Clips/a.bin": NOISE})
    with pytest.raises(DataError, match=rf"announces {len(content):,} bytes, but 1,000 were published"):
        fetch(Data(Download(f"{site.url}/x", 1000)), tmp_path)
    assert left(tmp_path) == [".downloads"]


def test_more_than_was_published_is_not_taken(tmp_path):
    endless = answer(b"200 OK\nTransfer-Encoding: chunked", b"40000\r\n" + b"x" * 0x40000 + b"\r\n" + b"40000\r\n")
    heard = []
    with answering(endless) as url, pytest.raises(DataError, match="sends more than the 1,000 bytes published"):
        fetch(Data(Download(f"{url}/x", 1000)), tmp_path, lambda done, total: heard.append(done))
    assert all(done <= 1000 for done in heard)
    assert left(tmp_path) == [".downloads"]


def test_less_than_was_published_is_not_taken(tmp_path):
    expected = r"connection broke after 100 of 1,000 bytes; 100 bytes are kept"
    with answering(answer(b"200 OK", b"x" * 100)) as url, pytest.raises(DataError, match=expected):
        fetch(Data(Download(f"{url}/x", 1000)), tmp_path)


def test_a_download_has_a_time_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "LIMIT", -1.0)
    expected = r"takes longer than .* hours; .* bytes are kept"
    with answering(answer(b"200 OK", b"x" * 100)) as url, pytest.raises(DataError, match=expected):
        fetch(Data(Download(f"{url}/x")), tmp_path)


def test_a_bad_archive_does_not_end_the_next_try_alike(tmp_path, site):
    site.content["/x"] = zipped({"Clips/a.bin": NOISE})[:-50]
    with pytest.raises(DataError, match=r"neither a ZIP nor a tar file.*set aside as .*\.wrong: look at it"):
        fetch(Data(Download(f"{site.url}/x")), tmp_path)
    site.content["/x"] = zipped({"Clips/a.bin": NOISE})
    fetch(Data(Download(f"{site.url}/x")), tmp_path)
    assert (tmp_path / "Clips" / "a.bin").read_bytes() == NOISE


def test_an_archive_of_something_else_does_not_end_the_next_try_alike(tmp_path, site):
    site.content["/x"] = zipped({"one/a": b"a", "two/b": b"b"})
    with pytest.raises(DataError, match=r"holds no such folder.*set aside as "):
        fetch(Data(Download(f"{site.url}/x")), tmp_path)
    site.content["/x"] = zipped({"Clips/a": b"a"})
    fetch(Data(Download(f"{site.url}/x")), tmp_path)


@pytest.mark.parametrize(
    "checksum", ["sha999:00", "sha256:00", "sha256", "shake_128:00", "md5:" + "g" * 32, ":" + "0" * 32, ""]
)
def test_an_unknown_checksum_is_told_before_anything_is_asked(tmp_path, site, archive, checksum):
    with pytest.raises(DataError, match=r"is no checksum like sha256:… or md5:…; tell the author of the data set"):
        fetch(archive(checksum=checksum), tmp_path)
    assert site.requests == []


def test_a_name_longer_than_files_have_is_shortened(tmp_path, site):
    path = f"/{'long' * 100}.zip"
    site.content[path] = zipped({"Clips/a": b"a"})
    fetch(Data(Download(site.url + path)), tmp_path)
    assert left(tmp_path) == ["Clips", "Clips/a"]


def test_a_full_disk_keeps_what_is_there(tmp_path, site, archive, monkeypatch):
    def fail(self, size):
        raise OSError(28, "No space left on device")

    content = site.content["/files/Clips.zip"]
    with monkeypatch.context() as full:
        full.setattr(downloads, "need_space", lambda *_: None)
        full.setattr(downloads, "_note_version", fail)
        with pytest.raises(DataError, match="No space left on device"):
            fetch(archive(), tmp_path)
    fetch(archive(size=len(content)), tmp_path)
    assert left(tmp_path) == WHOLE


@pytest.mark.parametrize("place", ["", ".downloads"])
def test_a_file_where_a_folder_is_needed_is_named(tmp_path, archive, place):
    root = tmp_path / "data"
    blocker = root / place
    blocker.parent.mkdir(exist_ok=True)
    blocker.write_text("")
    with pytest.raises(DataError) as caught:
        fetch(archive(), root)
    (problem,) = caught.value.problems
    assert str(blocker) in problem
    assert problem.endswith("name another data folder with --data")
