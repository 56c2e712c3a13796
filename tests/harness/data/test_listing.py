"""Files in users' folders: what cannot be read is named, never left out."""

import os
from pathlib import Path

import pytest

from soundproof.data.listing import audio_files, audio_files_below, folders

ODD = {
    "dangling.wav": (lambda path: path.symlink_to(path.with_name("nowhere.wav")), "a link that leads nowhere"),
    "circle.wav": (lambda path: path.symlink_to(path), "a link that leads in a circle"),
    "pipe.wav": (os.mkfifo, "a pipe, socket or device and no file"),
}


@pytest.mark.parametrize("find", [audio_files, audio_files_below])
@pytest.mark.parametrize("name", ODD)
def test_what_only_looks_like_a_file_is_named(tmp_path, find, name):
    make, words = ODD[name]
    (tmp_path / "good.wav").write_bytes(b"")
    (tmp_path / "link.wav").symlink_to(tmp_path / "good.wav")
    make(tmp_path / name)
    problems = []
    assert find(tmp_path, problems) == [tmp_path / "good.wav", tmp_path / "link.wav"]
    (problem,) = problems
    assert problem.startswith(f"{tmp_path / name}: {words}; ")


def test_a_class_folder_that_leads_nowhere_is_named(tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "dog").symlink_to(tmp_path / "cat")
    (tmp_path / "cow").symlink_to(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / ".cache").mkdir()
    problems = []
    assert folders(tmp_path, problems) == [tmp_path / "cat", tmp_path / "dog"]
    assert problems == [f"{tmp_path / 'cow'}: a link that leads nowhere; mend it, or remove it"]


def test_linked_folders_are_followed_once(tmp_path):
    (tmp_path / "voices" / "deep").mkdir(parents=True)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "b.wav").write_bytes(b"")
    (tmp_path / "voices" / "deep" / "a.WAV").write_bytes(b"")
    (tmp_path / "voices" / "deep" / "up").symlink_to(tmp_path / "voices")
    (tmp_path / "voices" / "linked").symlink_to(tmp_path / "more")
    problems = []
    found = audio_files_below(tmp_path / "voices", problems)
    assert [file.relative_to(tmp_path / "voices").as_posix() for file in found] == ["deep/a.WAV", "linked/b.wav"]
    (problem,) = problems
    assert problem.startswith(f"{tmp_path / 'voices' / 'deep' / 'up'}: a link that leads back to ")


@pytest.mark.parametrize("find", [folders, audio_files, audio_files_below])
def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch, find):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    problems = []
    assert find(tmp_path, problems) == []
    assert problems == [f"{tmp_path}: Permission denied; make it readable"]
