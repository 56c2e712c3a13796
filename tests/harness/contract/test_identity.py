"""Names, digests and seeds."""

import pytest

from soundproof import Kind, Ref
from soundproof.contract.discovery import discover
from soundproof.contract.identity import coordinate, fingerprint, label
from soundproof.contract.sources import source_digest
from soundproof.digest import canonical, digest, seed_from


def test_canonical_json_ignores_order_and_refuses_nan():
    assert canonical({"b": 1, "a": [1.5, None, "é"]}) == '{"a":[1.5,null,"é"],"b":1}'
    with pytest.raises(ValueError, match="JSON"):
        canonical(float("inf"))


def test_digests_and_seeds_depend_on_the_value_alone():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest([1, 2]) != digest([2, 1])
    seeds = {seed_from(["stage", number]) for number in range(1000)}
    assert len(seeds) == 1000
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_coordinates_name_what_differs_from_the_defaults():
    registry = discover()
    assert coordinate(registry.build(Ref(Kind.ATTACK, "bim-b"))) == {"id": "bim-b"}
    assert coordinate(registry.build(Ref(Kind.ATTACK, "bim-b", {"steps": 10}))) == {"id": "bim-b"}
    assert coordinate(registry.build(Ref(Kind.ATTACK, "bim-b", {"steps": 5}))) == {"id": "bim-b", "steps": 5}
    nested = registry.build(Ref(Kind.DEFENSE, "adversarial-training", {"attack": {"id": "bim-b", "steps": 4}}))
    assert coordinate(nested) == {"id": "adversarial-training", "attack": {"id": "bim-b", "steps": 4}}
    assert label(coordinate(nested)) == "adversarial-training(attack=bim-b(steps=4))"


def test_fingerprints_hold_every_parameter_and_the_source():
    registry = discover()
    component = registry.build(Ref(Kind.ATTACK, "bim-b"))
    found = fingerprint(component)
    assert found["parameters"]["steps"] == 10
    assert found["version"] == source_digest(type(component))
    assert fingerprint(registry.build(Ref(Kind.ATTACK, "bim-b", {"steps": 11}))) != found
