"""What hostile and clumsy plugins bring in by the door: refused by name, and everything else works."""

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest

from doors import ATTACK, installed
from soundproof import Augmentation, Dataset, Defense, Kind, PluginError, Ref, Representation
from soundproof.contract.admission import flaw
from soundproof.contract.discovery import discover

pytestmark = pytest.mark.slow

PROPERTY = "    @property\n    def planned"


@pytest.mark.parametrize("packages", [["one", "two", "three"], ["one"] * 2, ["one", "two", "one"]])
def test_however_many_packages_provide_an_id_none_wins(door, packages):
    entries = [door(f"module_{number}", ATTACK.format(id="same"), name) for number, name in enumerate(packages)]
    registry = discover(entries)
    assert len(registry.refused) == len(packages)
    with pytest.raises(PluginError, match="'same' is refused: attack 'same' is provided by 'one'") as caught:
        registry.find(Kind.ATTACK, "same")
    assert all(repr(name) in str(caught.value) for name in packages)


@pytest.mark.parametrize("name", ["fgsm", "mine"])
def test_a_distribution_that_takes_our_name_replaces_nothing(door, name):
    registry = discover([door("aaa", ATTACK.format(id=name), "soundproof"), *installed()])
    assert registry.find(Kind.ATTACK, "fgsm").component.__module__ == "soundproof_attacks.fgsm"
    (refused,) = registry.refused
    assert "'aaa' is no part of soundproof; give the distribution another name" in refused.error


def distribution(folder, name, source, *, metadata=True):
    """A distribution as pip leaves it, with one plugin in a module of its own."""
    (folder / f"{name}_plugin.py").write_text(source)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text(f"[soundproof.plugins]\nmain = {name}_plugin\n")
    if metadata:
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")


def listed(folder):
    """What `bench ls --json` prints where a folder comes first on the path."""
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r}); from soundproof.cli import main; "
        "sys.exit(main(['ls', '--json']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {(row["kind"], row["id"]): row for row in json.loads(done.stdout)}, done.stderr


def test_a_distribution_of_our_name_on_the_path_does_not_hide_us(tmp_path):
    distribution(tmp_path, "soundproof", ATTACK.format(id="fgsm"))
    rows, _ = listed(tmp_path)
    assert rows["attack", "fgsm"]["version"] == rows["model", "resnet18"]["version"] != "1.0"
    assert "no part of soundproof" in rows[None, "main"]["error"]


def test_a_distribution_without_metadata_hurts_nobody(tmp_path):
    distribution(tmp_path, "nameless", ATTACK.format(id="mine"), metadata=False)
    (tmp_path / "broken-1.0.dist-info").mkdir()
    (tmp_path / "broken-1.0.dist-info" / "entry_points.txt").write_bytes(b"\xff[[[=\n")
    rows, _ = listed(tmp_path)
    assert rows["attack", "mine"]["distribution"] == "unknown"
    assert ("attack", "fgsm") in rows


def test_what_a_plugin_prints_is_no_output(tmp_path):
    source = ATTACK.format(id="mine").replace("    return [Mine]", "    print('hello again'); return [Mine]")
    chatty = "    @classmethod\n    def capabilities(cls): print('and again'); return {}\n"
    distribution(tmp_path, "chatty", "print('hello from a plugin')\n" + source.replace(CLASS, CLASS + chatty))
    rows, told = listed(tmp_path)
    assert rows["attack", "mine"]["error"] is None
    assert told.splitlines()[:3] == ["hello from a plugin", "hello again", "and again"]


CLASS = "    '''Does nothing.'''\n"
METHOD = CLASS + "    @classmethod\n    def {}(cls): {}\n"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((CLASS, METHOD.format("summary", "return 1 / 0")), "summary cannot be read: ZeroDivisionError"),
        ((CLASS, METHOD.format("summary", "return 5")), "summary() must return a string, not 5"),
        ((CLASS, METHOD.format("summary", "raise SystemExit(0)")), "summary cannot be read: SystemExit: 0"),
        ((CLASS, CLASS + "    def summary(self): return 'x'\n"), "summary cannot be read: TypeError"),
        ((CLASS, "    __doc__ = 5\n"), "summary cannot be read: AttributeError"),
        ((CLASS, CLASS + "    kind = []\n"), "its kind must stay 'attack', not []"),
        ((CLASS, CLASS + "    kind = 'model'\n"), "its kind must stay 'attack', not 'model'"),
        (('id = "mine"', "id = 5"), "needs an id of lower-case letters, digits and hyphens, not 5"),
        (('id = "mine"', "id = ['mine']"), "needs an id of lower-case"),
        ((CLASS, METHOD.format("capabilities", "return 1 / 0")), "capabilities cannot be read: Zero"),
        ((CLASS, METHOD.format("capabilities", "return {1j}")), "capabilities cannot be read: TypeError"),
        ((CLASS, CLASS + "    presets = 5\n"), "presets must be a mapping of mappings, not 5"),
        ((CLASS, CLASS + "    presets = {'001': 5}\n"), "presets must be a mapping of mappings"),
        ((CLASS, CLASS + "    presets = {'001': {'steps': 5}}\n"), "its preset '001' names the parameter 'steps'"),
        ((PROPERTY, "    def planned"), "planned_gradients is a method; decorate it with @property"),
        ((CLASS, CLASS + "    def planned_queries(self): return 1\n"), "planned_queries is a method; decorate it"),
        ((CLASS, CLASS + "    def files(self): return ()\n"), "files is a method; decorate it with @property"),
        (("    def perturb(", "    @property\n    def perturb("), "perturb must be a method, not property"),
        (("strength: float = 1.0", "strength: 'Undefined' = 1.0"), "parameters cannot be read"),
    ],
)
def test_a_class_that_misleads_is_refused_with_the_reason(door, change, reason):
    source = ATTACK.format(id="mine")
    assert change[0] in source
    registry = discover([*installed(), door("flawed", source.replace(*change))])
    (refused,) = registry.refused
    assert reason in refused.error
    assert "\n" not in refused.error
    assert refused.kind is Kind.ATTACK
    assert registry.find(Kind.ATTACK, "fgsm")
    assert json.dumps(registry.listing())
    with pytest.raises(PluginError, match=rf"attack {refused.id!r} is refused: "):
        registry.find(Kind.ATTACK, refused.id)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Dataset, "seconds"),
        (Representation, "rate"),
        (Defense, "draws"),
        (Defense, "from_scratch"),
        (Augmentation, "copies"),
    ],
)
def test_a_method_where_a_value_is_due_is_refused(kind, name):
    members = dict.fromkeys(kind.__abstractmethods__ - {name}, lambda self: None)
    members |= {"id": "mine", "__doc__": "Mine.", name: lambda self: 1, "__module__": "mine"}
    cls = dataclass(frozen=True)(type("Mine", (kind,), members))
    assert flaw(cls) == f"mine.Mine: {name} is a method; decorate it with @property"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("planned_gradients = 'many'", "planned_gradients must be a whole number from 0 on, not 'many'"),
        ("planned_gradients = -1", "planned_gradients must be a whole number from 0 on, not -1"),
        ("planned_gradients = float('nan')", "planned_gradients must be a whole number"),
        ("planned_queries = True", "planned_queries must be a whole number from 0 on, not True"),
        ("files = 'weights.pt'", "files must be a tuple of paths, not 'weights.pt'"),
        ("files = property(lambda self: 1 / 0)", "files raised ZeroDivisionError: division by zero"),
        ("files = property(lambda self: exit(0))", "files raised SystemExit: 0"),
        ("is_targeted = 1", "is_targeted must be True or False, not 1"),
        ("def __post_init__(self): raise KeyError('x')", "mine: KeyError: 'x' ("),
        ("def __post_init__(self): raise SystemExit(0)", "mine: SystemExit: 0 ("),
    ],
)
def test_a_component_that_misleads_when_made_is_refused_with_the_reason(door, body, reason):
    source = ATTACK.format(id="mine").replace("strength: float = 1.0", f"strength: float = 1.0\n    {body}")
    if body.startswith("planned_gradients"):
        source = source.replace("    @property\n    def planned_gradients(self): return 0\n", "")
    registry = discover([*installed(), door("flawed", source)])
    assert registry.refused == []
    with pytest.raises(PluginError) as caught:
        registry.build(Ref(Kind.ATTACK, "mine"))
    # What follows from another property may be wrong, too.
    assert reason in caught.value.problems[0]


MODEL = """
from dataclasses import dataclass
from soundproof import Model, hookimpl

@dataclass(frozen=True)
class Mine(Model):
    '''Does nothing.'''
    id = "mine"
    @property
    def flags(self): return FLAGS
    def build(self, shape, classes): return None

@hookimpl
def soundproof_components(): return [Mine]
"""


@pytest.mark.parametrize("flags", ["'leaky'", "['leaky']", "(5,)", "None"])
def test_flags_are_a_tuple_of_strings(door, flags):
    registry = discover([*installed(), door("flawed", MODEL.replace("FLAGS", flags))])
    with pytest.raises(PluginError, match="mine: flags must be a tuple of strings"):
        registry.build(Ref(Kind.MODEL, "mine"))


def test_a_description_that_fails_later_is_listed_with_the_reason(door, monkeypatch):
    registry = discover([*installed(), door("fickle", ATTACK.format(id="mine"))])
    monkeypatch.setattr(registry.components[Kind.ATTACK, "mine"].component, "capabilities", lambda: 1 / 0)
    (row,) = [row for row in registry.listing() if row["error"]]
    assert (row["id"], row["error"]) == ("mine", "cannot be described: ZeroDivisionError: division by zero")


def test_every_built_in_component_has_what_is_asked_of_others(door):
    registry = discover()
    for kind, name in registry.components:
        given = {
            "folder": {"path": "x"},
            "spoofed-speech": {"path": "x"},
            "module": {"build": "torch.nn:Identity"},
            "timm": {"name": "resnet18"},
            "torchvision": {"name": "resnet18"},
            "transformers": {"path": "x"},
        }
        assert registry.build(Ref(kind, name, given.get(name, {})))
