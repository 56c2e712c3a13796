"""What of a plugin's source counts for which component."""

import itertools
import subprocess
import sys
import textwrap

import pytest

from soundproof.contract import sources

pytestmark = pytest.mark.slow

NUMBERS = itertools.count()
PACKAGE = {
    "__init__.py": """
        '''A plugin.'''
        from typing import TYPE_CHECKING
        from soundproof import hookimpl

        if TYPE_CHECKING:
            from {0}.typed import Typed

        @hookimpl
        def soundproof_components():
            from {0}.first import First
            from {0}.second import Second
            return [First, Second]
        """,
    "first.py": """
        from {0}._helper import helped
        from . import _relative

        class First:
            def perturb(self):
                from {0}.late import thing
                import {1}
        """,
    "second.py": """
        import {0}.deep.inner

        class Second:
            pass
        """,
    "_helper.py": "from ._below import *\ndef helped(): pass\n",
    "_below.py": "x = 1\n",
    "_relative.py": "import numpy, torch.nn\n",
    "late.py": "thing = 1\n",
    "typed.py": "class Typed: pass\n",
    "unused.py": "y = 1\n",
    "deep/__init__.py": "",
    "deep/inner.py": "from .. import _relative as r\nfrom ..bases import Base\n",
    "bases.py": "class Base: pass\n",
    "table.json": "[]\n",
    "data/weights.bin": "0\n",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with two components, and a module beside it; a function that gives their digests anew."""
    name, beside = f"generated_{next(NUMBERS)}", f"beside_{next(NUMBERS)}"
    for file, content in PACKAGE.items():
        path = tmp_path / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(content).replace("{0}", name).replace("{1}", beside))
    (tmp_path / f"{beside}.py").write_text("z = 1\n")
    monkeypatch.syspath_prepend(tmp_path)

    def digests():
        code = (
            f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
            "from soundproof.contract.sources import source_digest\n"
            f"from {name}.first import First\nfrom {name}.second import Second\n"
            "print(source_digest(First), source_digest(Second), {'numpy', 'torch'} & {*sys.modules} - {'numpy'})"
        )
        # numpy and torch, which the package imports, are stood in for: this looks at source alone.
        stubs = tmp_path / "stubs"
        (stubs / "torch").mkdir(parents=True, exist_ok=True)
        (stubs / "torch" / "__init__.py").write_text("")
        (stubs / "torch" / "nn.py").write_text("")
        (stubs / "numpy.py").write_text("")
        done = subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(stubs)!r})\n{code}"],
            capture_output=True,
            text=True,
            check=True,
        )
        first, second, *_ = done.stdout.split()
        return {"first": first, "second": second}

    digests.folder, digests.beside = tmp_path / name, tmp_path / f"{beside}.py"
    return digests


def changes(package, file, content=None):
    """Which components' digests change with a file."""
    before = package()
    path = package.folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    old = path.read_text() if path.exists() else ""
    path.write_text(old + "CHANGED = 1\n" if content is None else content)
    after = package()
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    ("file", "whose"),
    [
        ("first.py", {"first"}),
        ("second.py", {"second"}),
        ("_helper.py", {"first"}),
        ("_below.py", {"first"}),
        ("late.py", {"first"}),
        ("_relative.py", {"first", "second"}),
        ("deep/inner.py", {"second"}),
        ("deep/__init__.py", {"second"}),
        ("bases.py", {"second"}),
        ("__init__.py", {"first", "second"}),
        ("typed.py", set()),
        ("unused.py", set()),
        ("new.py", set()),
        ("table.json", {"first", "second"}),
        ("data/weights.bin", {"first", "second"}),
        ("data/new.bin", {"first", "second"}),
        (".hidden", set()),
        ("__pycache__/x.pyc", set()),
    ],
)
def test_a_change_counts_for_those_who_run_it(package, file, whose):
    assert changes(package, file) == whose


def test_a_module_beside_the_package_counts_where_it_is_imported(package):
    before = package()
    package.beside.write_text("z = 2\n")
    after = package()
    assert {name for name in before if before[name] != after[name]} == {"first"}


def test_a_neighbour_more_changes_nothing(package):
    init = package.folder / "__init__.py"
    listed = init.read_text().replace(
        "return [First, Second]", "from x.third import Third\n    return [First, Third]"
    )
    assert listed != init.read_text()
    assert changes(package, "__init__.py", listed) == set()


def test_an_editors_lock_is_no_source(package):
    (package.folder / ".#first.py").symlink_to("me@host.1234:5678")
    (package.folder / "lost.json").symlink_to("nowhere")
    assert len(package()["first"]) == 32


@pytest.mark.parametrize(
    ("call", "whose"),
    [
        ("import importlib; importlib.import_module('.unused', __package__)", {"first"}),
        ("import importlib; name = '.unused'; importlib.import_module(name, __package__)", {"first"}),
        ("__import__('{0}.unused')", {"first"}),
        ("'import_module is only written about'", set()),
    ],
)
def test_what_is_imported_by_a_call_counts(package, call, whose):
    first = package.folder / "first.py"
    first.write_text(f"{call.replace('{0}', package.folder.name)}\n{first.read_text()}")
    assert changes(package, "unused.py") == whose


def test_remarks_count_for_nobody(package):
    first = (package.folder / "first.py").read_text()
    assert changes(package, "first.py", f'"""A remark of the module."""\n{first}\n# And one more.\n') == set()


def test_source_that_cannot_be_found_needs_a_version():
    cls = type("Typed", (), {"__module__": "typed_in_by_hand"})
    with pytest.raises(ValueError, match="the source of typed_in_by_hand cannot be found: give its comp"):
        sources.source_digest(cls)


def test_the_core_and_libraries_count_for_no_plugin():
    packages = ("soundproof_attacks", "soundproof_models", "soundproof", "torch", "json")
    assert {package for package in packages if sources._belongs(package, "soundproof_attacks")} == {
        "soundproof_attacks",
        "soundproof_models",
    }
