"""`bench data` as a user meets it."""

import io
import json
import zipfile
from dataclasses import replace

import pytest

from publications import fsdd, urbansound8k, write
from soundproof.cli import main
from soundproof.cli import meter as meter_module
from soundproof.cli.meter import meter
from soundproof_datasets.fsdd import FSDD
from web import served

pytestmark = pytest.mark.slow


@pytest.fixture
def bench(capsys):
    def call(*arguments):
        """Exit code, output and errors of `bench data …`."""
        code = main(["data", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def small(monkeypatch):
    """FSDD, published with the sizes of a small tree."""
    monkeypatch.setattr(FSDD, "class_sizes", (21,) * 10)


@pytest.fixture
def published(tmp_path, monkeypatch, small):
    """A site that serves the small tree as GitHub does."""
    fsdd(tmp_path / "origin")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for file in sorted((tmp_path / "origin").rglob("*.wav")):
            archive.write(file, f"free-spoken-digit-dataset-1.0.10/recordings/{file.name}")
    with served() as site:
        site.content["/v1.zip"] = content.getvalue()
        download = replace(FSDD.downloads[0], url=f"{site.url}/v1.zip", size=len(content.getvalue()))
        monkeypatch.setattr(FSDD, "downloads", (download,))
        yield site


def test_list_tells_licence_size_place_and_presence(bench, tmp_path):
    fsdd(tmp_path, speakers="a", takes=1)
    code, said, _ = bench("list", "--data", tmp_path)
    assert code == 0
    lines = {line.split()[0]: line for line in said.splitlines()}
    assert set(lines) == {"asvspoof2019-la", "esc10", "esc50", "fsdd", "sc09", "urbansound8k"}
    assert lines["fsdd"].split()[1] == "there"
    assert lines["urbansound8k"].split()[1] == "absent"
    assert "6.0 GB" in lines["urbansound8k"]
    assert "CC BY-NC 3.0" in lines["urbansound8k"]
    assert lines["urbansound8k"].endswith(str(tmp_path / "UrbanSound8K"))
    _, said, _ = bench("list", "--data", tmp_path, "--json")
    rows = {row["id"]: row for row in json.loads(said)}
    assert set(rows["sc09"]) == {"id", "summary", "licence", "homepage", "bytes", "path", "there"}
    assert (rows["fsdd"]["there"], rows["sc09"]["there"]) == (True, False)
    assert (rows["sc09"]["bytes"], rows["esc10"]["bytes"]) == (1489096277, None)


def test_the_environment_names_the_data_folder(bench, tmp_path, monkeypatch):
    fsdd(tmp_path, speakers="a", takes=1)
    monkeypatch.setenv("SOUNDPROOF_DATA", str(tmp_path))
    _, said, _ = bench("list", "--json")
    assert {row["id"] for row in json.loads(said) if row["there"]} == {"fsdd"}


def test_check_counts_what_is_whole(bench, tmp_path, small):
    fsdd(tmp_path)
    code, said, told = bench("check", "--data", tmp_path)
    assert (code, told) == (0, "")
    assert said == "fsdd: whole: 210 clips of 1 s, 10 classes, 3 recordings, 210 s in all\n"


def test_check_names_all_that_is_wrong_with_all_that_is_there(bench, tmp_path, small):
    recordings = fsdd(tmp_path) / "recordings"
    (recordings / "0_ann_0.wav").unlink()
    write(recordings / "1_ann_1.wav", float("nan"), rate=8000, subtype="FLOAT")
    folder, _ = urbansound8k(tmp_path, folds=1)
    write(folder / "audio" / "stranger.wav")
    code, said, told = bench("check", "--data", tmp_path)
    assert code == 2
    assert said.splitlines()[0] == "fsdd: 2 problems"
    assert f"fsdd: {recordings / '0_ann_0.wav'}: missing" in told
    assert f"fsdd: {recordings / '1_ann_1.wav'}: 160 of 160 samples are NaN" in told
    assert f"urbansound8k: {folder / 'audio' / 'stranger.wav'}: not a part of the published data set" in told
    assert "urbansound8k: class car_horn: 4 clips, but 429 were published" in told
    code, _, told = bench("check", "urbansound8k", "--data", tmp_path)
    assert code == 2
    assert "fsdd" not in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check"], "holds no known data set"),
        (["check", "esc50"], "ESC-50-master: no such folder; get it with `bench data fetch esc50`"),
        (["check", "fsd", "esc5"], "2 problems"),
        (["fetch", "fsd", "--yes"], "did you mean 'fsdd'"),
        (["fetch", "synth", "--yes"], "synth: no public download"),
        (["fetch", "esc10"], "add --yes to accept licence and size"),
    ],
)
def test_bad_input_exits_with_two(bench, tmp_path, monkeypatch, arguments, words):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    code, _, told = bench(*arguments, "--data", tmp_path)
    assert code == 2
    assert words in told
    assert list(tmp_path.iterdir()) == []


def test_fetch_tells_licence_and_size_and_leaves_a_whole_data_set(bench, tmp_path, published):
    root = tmp_path / "data"
    code, said, told = bench("fetch", "fsdd", "--data", root, "--yes")
    assert (code, told) == (0, "")
    assert "licence CC BY-SA 4.0; https://github.com/Jakobovski" in said
    assert f"MB from {published.url}/v1.zip" in said
    assert f"fsdd: unpacked to {root / 'free-spoken-digit-dataset'}" in said
    assert [path.name for path in root.iterdir()] == ["free-spoken-digit-dataset"]
    assert bench("check", "--data", root)[0] == 0
    code, said, _ = bench("fetch", "fsdd", "--data", root, "--yes")
    assert code == 0
    assert "is there already; see `bench data check fsdd`" in said
    assert len(published.requests) == 1


def test_a_broken_fetch_exits_with_two_and_goes_on(bench, tmp_path, published):
    published.breaks_after = 1000
    code, _, told = bench("fetch", "fsdd", "--data", tmp_path / "data", "--yes")
    assert code == 2
    assert "1,000 bytes are kept, and the same command goes on from there" in told
    assert bench("fetch", "fsdd", "--data", tmp_path / "data", "--yes")[0] == 0
    assert published.requests == [None, "bytes=1000-"]


@pytest.mark.parametrize(("answer", "fetched"), [("y", True), ("Yes", True), ("", False), ("no", False)])
def test_fetch_asks_on_a_terminal(bench, tmp_path, published, monkeypatch, answer, fetched):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Terminal(f"{answer}\n"))
    root = tmp_path / "data"
    code, said, _ = bench("fetch", "fsdd", "--data", root)
    assert code == 0
    assert said.index("licence") < said.index("Download? [y/N]")
    assert root.exists() is fetched
    assert ("nothing downloaded" in said) is not fetched


def test_data_sets_in_one_folder_are_downloaded_once(bench, tmp_path, monkeypatch):
    from soundproof_datasets.esc import ESC10, ESC50

    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("ESC-50-master/meta/esc50.csv", "")
    with served() as site:
        site.content["/master.zip"] = content.getvalue()
        for cls in (ESC10, ESC50):
            monkeypatch.setattr(cls, "downloads", (replace(cls.downloads[0], url=f"{site.url}/master.zip"),))
        code, said, _ = bench("fetch", "esc10", "esc50", "--data", tmp_path, "--yes")
        assert code == 0
        assert site.requests == [None]
    assert "unknown size from" in said


@pytest.mark.parametrize("action", [[], ["list"], ["check"], ["fetch"]])
def test_help_has_examples(capsys, action):
    with pytest.raises(SystemExit) as stopped:
        main(["data", *action, "--help"])
    assert stopped.value.code == 0
    said = capsys.readouterr().out
    assert "example" in said
    assert f"bench data {' '.join(action)}".strip() in said


def test_a_log_hears_of_long_work_now_and_then(monkeypatch):
    clock = iter([0.0, 10.0, 31.0, 31.0, 40.0])
    monkeypatch.setattr(meter_module.time, "monotonic", lambda: next(clock))
    stream = io.StringIO()
    with meter(stream, "esc10", lambda done, total: f"{done} of {total}") as tell:
        for done in (1, 2, 3):
            tell(done, 3)
    assert stream.getvalue() == "esc10: 2 of 3\n"


def test_a_terminal_gets_a_bar():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    with meter(stream, "esc[10]", lambda done, total: f"{done} bytes of {total or '?'}") as tell:
        tell(1, 0)
        tell(2, 3)
    assert "esc[10]" in stream.getvalue()
    assert "2 bytes of 3" in stream.getvalue()
