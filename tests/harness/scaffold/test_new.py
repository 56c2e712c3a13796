"""`bench new`, and the tutorial from nothing to a row on a board, command by command as it is written."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from soundproof.cli import main
from soundproof.errors import SoundproofError
from soundproof.scaffold.distribution import write
from soundproof.types import Kind

PAGE = (Path(__file__).parents[3] / "docs" / "writing-a-plugin.md").read_text()
ROOTS = [Path(__file__).parents[3] / "harness", *sorted((Path(__file__).parents[3] / "plugins").iterdir())]


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """Runs a command in a folder of its own, where `pip` installs into a folder that nobody else sees."""
    folder = tmp_path_factory.mktemp("tutorial")
    site, programs = folder / "site", folder / "bin"
    programs.mkdir()
    for name, code in {
        "bench": "from soundproof.cli import main; import sys; sys.exit(main())",
        "pip": "import runpy; runpy.run_module('pip', run_name='__main__')",
    }.items():
        program = programs / name
        program.write_text(f"#!{sys.executable}\n{code}\n")
        program.chmod(0o755)
    # Nothing is fetched: soundproof is here, and so is what builds.
    pip = {"PIP_TARGET": site, "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1"}
    pip |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    environment = {
        **os.environ,
        **{name: str(value) for name, value in pip.items()},
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(map(str, [site, *ROOTS])),
        "SOUNDPROOF_CACHE": str(folder / "cache"),
    }

    def run(command):
        done = subprocess.run(
            command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    run.folder = folder
    return run


@pytest.mark.slow
def test_the_tutorial_as_it_is_written(shell):
    installing, running = blocks("sh")
    made = re.findall(r"^bench new (\w+) (\w+)$", installing, flags=re.MULTILINE)
    assert {kind for kind, _ in made} == set(Kind), "one of every kind"
    said = {command: shell(command) for command in installing.splitlines()}
    checked = said["bench check tones murmur twofold blur tremolo louder megaphone"]
    assert "7 checked, 0 to mend" in checked
    listed = {(each["kind"], each["id"]): each for each in json.loads(shell("bench ls --json"))}
    for kind, name in made:
        assert listed[kind, name]["error"] is None
        assert listed[kind, name]["distribution"] == f"soundproof-{name}"
    suite = next(block for block in blocks("toml") if block.startswith("# mine.toml"))
    (shell.folder / "mine.toml").write_text(suite)
    for command in running.splitlines():
        shell(command)
    rows = [json.loads(line) for line in (shell.folder / "results/mine/results.jsonl").read_text().splitlines()]
    assert [row["status"] for row in rows] == ["ok"] * 6
    assert {row["defense"]["id"] for row in rows} == {"none", "blur"}
    assert {row["attack"]["id"] for row in rows if row["attack"]} == {"fgsm", "tremolo"}
    board = (shell.folder / "results/mine/robustness.md").read_text()
    for name in ("tones", "murmur", "twofold", "blur"):
        assert name in board
    # The distribution's own tests, too.
    tests = shell(f"cd soundproof-tremolo && {sys.executable} -m pytest -q -p no:cacheprovider")
    assert re.search(r"\d\d passed", tests)


def test_every_kind_s_suite_and_files_are_whole(tmp_path):
    import tomllib

    for kind in Kind:
        folder, *files = write(kind, f"some-{kind}", tmp_path)
        names = {str(file.relative_to(folder)) for file in files}
        assert {"pyproject.toml", "README.md", "suite.toml", f"soundproof_some_{kind}.py"} <= names
        project = tomllib.loads((folder / "pyproject.toml").read_text())
        assert project["project"]["entry-points"]["soundproof.plugins"] == {
            f"some-{kind}": f"soundproof_some_{kind}"
        }
        suite = tomllib.loads((folder / "suite.toml").read_text())
        assert f"some-{kind}" in str(suite)
        assert not [file for file in files if "{{" in file.read_text().replace("${{", "")]
        compile((folder / f"soundproof_some_{kind}.py").read_text(), "plugin", "exec")


@pytest.mark.parametrize("name", ["Tremolo", "../evil", "1st", "a--b", "", "a_b"])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    with pytest.raises(SoundproofError, match="is no name"):
        write(Kind.ATTACK, name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path, capsys):
    assert main(["new", "attack", "tremolo", "--into", str(tmp_path)]) == 0
    assert "bench check tremolo --kind attack" in capsys.readouterr().out
    assert main(["new", "attack", "tremolo", "--into", str(tmp_path)]) == 2
    assert "there is one already" in capsys.readouterr().err
