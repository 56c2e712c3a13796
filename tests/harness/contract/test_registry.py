"""The plugin door: lazy, guarded, honest about what does not load."""

import dataclasses
import subprocess
import sys

import pytest

from doors import ATTACK, installed
from soundproof import Kind, PluginError, Ref
from soundproof.contract.discovery import discover

pytestmark = pytest.mark.slow


def test_all_built_in_plugins_load():
    registry = discover()
    assert registry.refused == []
    assert {"fgsm", "bim-a", "bim-b", "noise"} <= set(registry.ids(Kind.ATTACK))
    assert {"none", "adversarial-training"} <= set(registry.ids(Kind.DEFENSE))
    assert {"resnet56", "resnet18", "mel-cnn"} <= set(registry.ids(Kind.MODEL))
    assert {"stft", "mfcc"} <= set(registry.ids(Kind.REPRESENTATION))
    assert {"synth", "esc10", "esc50", "folder"} <= set(registry.ids(Kind.DATASET))


def test_listing_imports_neither_torch_nor_librosa():
    code = (
        "import sys; from soundproof.cli import main; main(['ls', '--json']);"
        "heavy = {'torch', 'librosa', 'sklearn', 'pandas', 'art'};"
        "print(heavy & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "set()"


# What is the user's own has no default.
OWN = {"folder", "module", "spoofed-speech", "timm", "torchvision", "transformers"}


def test_listing_describes_every_component():
    for entry in discover().listing():
        assert entry["error"] is None
        assert entry["summary"]
        assert entry["distribution"] == "soundproof"
        for name, parameter in entry["parameters"].items():
            assert "default" in parameter or entry["id"] in OWN, f"{entry['id']}.{name}"


def test_a_third_party_comes_in_by_the_same_door(door):
    registry = discover([*installed(), door("mine", ATTACK.format(id="mine"))])
    found = registry.find(Kind.ATTACK, "mine")
    assert (found.distribution, found.version) == ("third-party", "1.0")
    assert registry.build(Ref(Kind.ATTACK, "mine", {"strength": 2})).strength == 2.0


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "import_fails = 1\nimport nonexistent_module_of_mine",
            "ModuleNotFoundError: No module named 'nonexistent",
        ),
        ("raise SystemExit('bye')", "SystemExit: bye"),
        ("x = 1", "implements no hook"),
        (
            ATTACK.format(id="mine").replace("def soundproof_components", "def soundproof_component"),
            "soundproof_component",
        ),
        (ATTACK.format(id="mine").replace("return [Mine]", "return [42]"), "42, which is no Component class"),
        (ATTACK.format(id="mine").replace("return [Mine]", "return 1/0"), "ZeroDivisionError"),
    ],
    ids=["import", "exit", "hookless", "misspelt", "nonsense", "raising"],
)
def test_broken_plugins_hurt_nobody_else(door, source, reason):
    registry = discover([*installed(), door("broken", source)])
    assert registry.build(Ref(Kind.ATTACK, "fgsm"))
    (refused,) = registry.refused
    assert reason in refused.error
    assert (refused.id, refused.distribution, refused.kind) == ("broken", "third-party", None)
    assert "Traceback" in refused.details
    (listed,) = [entry for entry in registry.listing() if entry["error"]]
    assert listed["error"] == refused.error
    with pytest.raises(PluginError, match="third-party:broken"):
        registry.find(Kind.ATTACK, "mine")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("@dataclass(frozen=True)", "@dataclass"), "must be decorated with @dataclass"),
        (
            ("    def perturb(self, victim, ball, generator): return victim.clean\n", ""),
            "does not implement perturb",
        ),
        (('id = "mine"', 'id = "My Attack"'), "needs an id of lower-case"),
        (("'''Does nothing.'''", "pass"), "needs a docstring"),
        (("strength: float", "strength: 'Undefined'"), "parameters cannot be read"),
    ],
)
def test_flawed_components_are_refused_one_by_one(door, change, reason):
    registry = discover([*installed(), door("flawed", ATTACK.format(id="mine").replace(*change))])
    (refused,) = registry.refused
    assert reason in refused.error
    assert refused.kind is Kind.ATTACK


def test_built_in_components_cannot_be_shadowed(door):
    registry = discover([door("aaa", ATTACK.format(id="fgsm"), "aaa"), *installed()])
    assert registry.find(Kind.ATTACK, "fgsm").distribution == "soundproof"
    (refused,) = registry.refused
    assert "'soundproof' and 'aaa'" in refused.error


def test_duplicate_ids_are_refused_naming_both(door):
    registry = discover(
        [door("one", ATTACK.format(id="same"), "one"), door("two", ATTACK.format(id="same"), "two")]
    )
    with pytest.raises(PluginError, match="'one' and 'two'"):
        registry.find(Kind.ATTACK, "same")


def test_unknown_ids_get_a_suggestion():
    with pytest.raises(PluginError, match=r"unknown attack 'fgms': did you mean 'fgsm'"):
        discover().find(Kind.ATTACK, "fgms")
    with pytest.raises(PluginError, match=r"known: .*bim-a"):
        discover().find(Kind.ATTACK, "zzzzzz")


@pytest.mark.parametrize(
    ("kind", "name", "parameters", "reason"),
    [
        (Kind.ATTACK, "bim-b", {"step": 3}, "no parameter 'step': did you mean 'steps'"),
        (Kind.ATTACK, "bim-b", {"steps": 0}, r"bim-b.steps: .* greater than or equal to 1"),
        (Kind.ATTACK, "bim-b", {"steps": "ten"}, r"bim-b.steps: .*valid integer"),
        (Kind.ATTACK, "bim-b", {"steps": 2.5}, r"bim-b.steps: .*valid integer"),
        (Kind.ATTACK, "bim-b", {"step_size": float("inf")}, r"bim-b.step_size: .*finite"),
        (Kind.ATTACK, "fgsm", {"norm": "l3"}, r"fgsm.norm: .*'l2' or 'linf'"),
        (Kind.MODEL, "resnet56", {"depth": 21}, "depth must be 6n \\+ 2, such as 20, not 21"),
        (Kind.DEFENSE, "adversarial-training", {"attack": "fgms"}, "attack: unknown attack 'fgms'"),
        (Kind.DEFENSE, "adversarial-training", {"attack": {"id": "bim-b", "steps": 0}}, "attack: bim-b.steps"),
        (Kind.DEFENSE, "adversarial-training", {"attack": 3}, "attack: write"),
    ],
)
def test_bad_parameters_are_explained(kind, name, parameters, reason):
    with pytest.raises(PluginError, match=reason):
        discover().build(Ref(kind, name, parameters))


def test_all_bad_parameters_are_named_at_once():
    with pytest.raises(PluginError) as caught:
        discover().build(Ref(Kind.ATTACK, "bim-b", {"steps": 0, "step_size": -1, "nonsense": 1}))
    assert len(caught.value.problems) == 3


def test_equal_parameters_make_equal_components():
    registry = discover()
    first = registry.build(Ref(Kind.ATTACK, "bim-b", {"step_size": 1}))
    second = registry.build(Ref(Kind.ATTACK, "bim-b", {"step_size": 1.0}))
    assert first == second
    assert hash(first) == hash(second)
    assert isinstance(first.step_size, float)


@pytest.mark.parametrize(("given", "steps"), [({}, None), ({"attack": {"id": "bim-b", "steps": 4}}, 4)])
def test_named_components_are_built_too(given, steps):
    """By default and by name; whether a reference holds its component makes no difference to it."""
    from soundproof_attacks.bim import BimB
    from soundproof_attacks.pgd import Pgd

    built = discover().build(Ref(Kind.DEFENSE, "adversarial-training", given))
    assert built.attack.component == (Pgd(steps=4) if steps is None else BimB(steps=steps))
    assert built.attack == dataclasses.replace(built.attack, component=None)


@pytest.mark.parametrize(
    ("declared", "remedy"),
    [(2, "upgrade soundproof"), (0, "a newer version of the plugin"), ("x", "a newer version")],
)
def test_a_plugin_for_another_interface_is_refused_with_what_to_do(declared, remedy):
    from types import SimpleNamespace

    from soundproof.contract.discovery import _check_api

    _check_api(SimpleNamespace(soundproof_api=1))
    _check_api(SimpleNamespace())
    with pytest.raises(PluginError, match=f"written for version {declared!r} .*{remedy}"):
        _check_api(SimpleNamespace(soundproof_api=declared))
