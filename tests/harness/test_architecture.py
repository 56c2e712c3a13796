"""Imports go one way, the core knows no plugin, and plugins know only the public API."""

import ast
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "harness" / "soundproof"
PLUGINS = sorted((ROOT / "plugins").glob("*/soundproof_*"))

# Lowest first: a room may import from itself and those below.
ROOMS = (
    "types",
    "errors",
    "digest",
    "faults",
    "modules",
    "sound",
    "victim",
    "training",
    "contract",
    "data",
    "measuring",
    "probing",
    "results",
    "gate",
    "planning",
    "engine",
    "submissions",
    "weights",
    "papers",
    "conformance",
    "scaffold",
    "boards",
    "frames",
    "api",
    "evaluation",
    "cli",
)
LEVEL = {name: level for level, name in enumerate(ROOMS)}


def imported(path: Path, *, typing: bool) -> set[str]:
    """Modules that a file imports; those under TYPE_CHECKING only if asked for."""
    found = set()
    tree = ast.parse(path.read_text())
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING" and not typing:
            skipped |= set(ast.walk(node))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.module == "soundproof":
                found |= {f"soundproof.{alias.name}" for alias in node.names}
            else:
                found.add(node.module or "")
    return found


def core_files():
    return [path for path in sorted(CORE.rglob("*.py")) if path.parent != CORE or path.name != "__init__.py"]


@pytest.mark.parametrize("path", core_files(), ids=lambda path: str(path.relative_to(CORE)))
def test_core_imports_go_downward(path):
    own = path.relative_to(CORE).parts[0].removesuffix(".py")
    assert own in LEVEL, f"{own} is no room: give it its place among them"
    for name in imported(path, typing=True):
        parts = name.split(".")
        assert not parts[0].startswith("soundproof_"), f"{path.name} imports the plugin {name}"
        if parts[0] == "soundproof" and len(parts) > 1 and parts[1] != own:
            assert LEVEL[parts[1]] <= LEVEL[own], (
                f"{own} (floor {LEVEL[own]}) imports {name} (floor {LEVEL[parts[1]]})"
            )


def test_no_two_files_know_each_other():
    """Not even for types or inside functions."""
    files = {}
    for root in (CORE.parent, *(package.parent for package in PLUGINS)):
        for path in root.rglob("*.py"):
            files[".".join(path.relative_to(root).with_suffix("").parts)] = path
    graph = {name: imported(path, typing=True) & files.keys() for name, path in files.items()}
    assert "soundproof.victim.ball" in graph["soundproof.victim.metered"], "the imports are read"
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


@pytest.mark.parametrize("package", PLUGINS, ids=lambda path: path.name)
def test_plugins_use_the_public_api(package):
    import soundproof

    files = list(package.rglob("*.py"))
    assert files
    for path in files:
        for name in imported(path, typing=True):
            if name == "soundproof.data.audio":
                bases = any(base in path.read_text() for base in ("(Dataset)", "(OwnAudio)"))
                defines = package.name == "soundproof_datasets" or bases
                assert defines, f"{path} reads audio, which is for data sets"
            elif name.startswith("soundproof."):
                assert name.removeprefix("soundproof.") in soundproof.__all__, f"{path} imports {name}"
            elif name.startswith("soundproof_"):
                assert name.partition(".")[0] == package.name, f"{path} imports another plugin: {name}"


def test_public_api_is_complete():
    import soundproof

    for name in soundproof.__all__:
        assert getattr(soundproof, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = soundproof.nonsense
