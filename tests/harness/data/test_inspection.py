from pathlib import Path

import pytest

from publications import asvspoof, fsdd, urbansound8k, write
from soundproof.contract.discovery import discover
from soundproof.data.inspection import inspect
from soundproof.types import Kind, Ref

pytestmark = pytest.mark.slow


def build(name, **parameters):
    return discover().build(Ref(Kind.DATASET, name, parameters))


def sized(data, **sizes):
    """The data set, published with other sizes."""
    cls = type(data)
    return type(cls.__name__, (cls,), sizes)(**data.parameters())


def test_a_whole_data_set_is_counted(tmp_path):
    fsdd(tmp_path)
    data = sized(build("fsdd"), class_sizes=(21,) * 10, fold_sizes=(70,) * 3)
    found = inspect(data, tmp_path)
    assert found.problems == ()
    assert (found.clips, found.classes, found.recordings, found.seconds) == (210, 10, 3, 210.0)


def test_every_file_that_is_missing_damaged_or_unexpected_is_named_once(tmp_path):
    folder, rows = urbansound8k(tmp_path)
    audio = folder / "audio" / "fold1"
    gone, cut, nan = (audio / row[0] for row in rows[:3])
    gone.unlink()
    cut.write_bytes(cut.read_bytes()[:-30])
    # Only decoding finds this one.
    write(nan, float("nan"), subtype="FLOAT")
    write(audio / "1-2-3-4.wav")
    found = inspect(build("urbansound8k"), tmp_path)
    assert len(found.problems) == 4
    for path, words in (
        (gone, "missing"),
        (cut, "truncated"),
        (nan, "are NaN"),
        (audio / "1-2-3-4.wav", "not used"),
    ):
        (problem,) = [problem for problem in found.problems if problem.startswith(f"{path}: ")]
        assert words in problem
    assert found.clips == 0


def test_sizes_that_are_not_as_published_are_named(tmp_path):
    asvspoof(tmp_path)
    data = build("asvspoof2019-la")
    assert inspect(sized(data, class_sizes=(12, 24), fold_sizes=(12, 12, 12)), tmp_path).problems == ()
    found = inspect(sized(data, class_sizes=(12, 25), fold_sizes=(12, 13, 14)), tmp_path)
    assert [problem.partition("; ")[0] for problem in found.problems] == [
        "class spoof: 24 clips, but 25 were published",
        "training part: 12 clips, but 13 were published",
        "fold 0: 12 clips, but 14 were published",
    ]
    urbansound8k(tmp_path, folds=1)
    problems = inspect(build("urbansound8k"), tmp_path).problems
    assert problems[-1] == "1 folds, but 10 were published; restore what is missing"
    assert problems[0].startswith("class air_conditioner: 4 clips, but 1000 were published")


def test_a_data_set_that_is_not_there_is_one_problem(tmp_path):
    (problem,) = inspect(build("sc09"), tmp_path).problems
    assert "no such folder" in problem


def test_generated_data_is_whole():
    found = inspect(build("synth", recordings=2, takes=1, seconds=0.5), Path("nowhere"))
    assert found.problems == ()
    assert (found.clips, found.recordings) == (20, 20)


def test_the_real_recordings_are_whole(real_audio):
    if not (real_audio / "free-spoken-digit-dataset").is_dir():
        pytest.skip("SOUNDPROOF_DATA holds no free-spoken-digit-dataset")
    found = inspect(build("fsdd"), real_audio)
    assert found.problems == ()
    assert (found.clips, found.classes, found.recordings) == (3000, 10, 6)
