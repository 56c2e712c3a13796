"""A results folder of ten thousand rows, as a large suite would leave it; the numbers are drawn, not measured."""

from __future__ import annotations

import numpy as np

from soundproof.digest import digest
from soundproof.measuring.protocols import PROTOCOLS
from soundproof.measuring.scene import Scene
from soundproof.results.files import Results, Row, groups_name, names_name
from soundproof.types import Status

DATASETS = ("esc10", "urbansound8k")
REPRESENTATIONS = ("stft", "mfcc", "dwt-haar", "stft-tonnetz", "dwt-tonnetz")
MODELS = ("googlenet", "alexnet", "resnet18", "resnet34", "resnet56", "vgg16")
DEFENSES = ({"id": "none"}, {"id": "adversarial-training", "attack": {"id": "fgsm"}, "radius": 3.0})
ATTACKS = ("fgsm", "bim-a", "bim-b", "jsma", "deepfool", "cwa", "pia")
CLASSES, CLIPS = 10, 80


def crowd(datasets=DATASETS, representations=REPRESENTATIONS, models=MODELS, attacks=ATTACKS):
    """Every classifier clean, attacked both ways, and its examples shown to all others of its inputs."""
    made = _Crowd()
    for dataset in datasets:
        made.samples[groups_name({"id": dataset})] = np.arange(CLIPS) // 2
        names = "[" + ",".join(f'"{dataset}-{clip:04}.wav"' for clip in range(CLIPS)) + "]"
        made.samples[names_name({"id": dataset})] = np.frombuffer(names.encode(), np.uint8)
        for representation in representations:
            family = [(model, defense) for model in models for defense in DEFENSES]
            for model, defense in family:
                made.classifier(family, attacks, (dataset, representation, model, defense))
    run = {
        "suite": {
            "name": "crowd",
            "attacks": list(attacks),
            "protocols": ["clean", "bounded", "reach", "transfer"],
        },
        "budget": {"norm": "l2", "epsilon": 3.0, "target_auc": 0.9},
        "datasets": [
            {"dataset": {"id": name}, "clips": CLIPS, "classes": [f"class {k}" for k in range(CLASSES)]}
            for name in datasets
        ],
        "components": [],
    }
    return Results(made.rows, made.samples, run)


class _Crowd:
    def __init__(self):
        self.rows, self.samples, self.common, self.count = [], {}, {}, 0
        self.rng = np.random.default_rng(1)

    def add(self, protocol, where, fields, **further):
        dataset, representation, model, defense = where
        scene = Scene(np.arange(CLIPS) // 2, CLASSES, 16384)
        place = {"dataset": {"id": dataset}, "representation": {"id": representation}, "model": {"id": model}}
        attack, target = further.pop("attack", None), further.pop("target", None)
        row = Row(
            key=digest([protocol, where, attack, target]),
            status=Status.OK,
            reason=None,
            protocol=protocol,
            **{**place, "defense": defense, "attack": attack and {"id": attack}, "target": target},
            fold=0,
            seed=0,
            metrics=PROTOCOLS[protocol].metrics([fields], scene),
            **further,
        )
        self.rows.append(row)
        self.samples.update({f"{row.key}/{name}": array for name, array in fields.items()})

    def classifier(self, family, attacks, where):
        rng, clips = self.rng, np.arange(CLIPS)
        label = clips % CLASSES
        right = rng.random(CLIPS) < rng.uniform(0.6, 0.95)
        fields = {
            "clip": clips,
            "label": label,
            "prediction": np.where(right, label, (label + 1) % CLASSES),
            "score": rng.random(CLIPS),
            "model_loss": np.geomspace(2, 0.1, 40),
            "model_validation": np.linspace(0.1, 0.8, 40),
        }
        self.add("clean", where, fields)
        hit, strength = clips[right], rng.lognormal(0, 0.6)
        self.count = len(hit)
        self.common = {
            "clip": hit,
            "clean_score": -rng.random(self.count) - 0.1,
            "gradients": np.full(self.count, 20.0),
            "queries": np.full(self.count, 20.0),
            "l0": np.full(self.count, 0.9),
        }
        for attack in attacks:
            size = strength * rng.lognormal(0, 0.8, self.count)
            self.attacked(where, attack, size, label[hit])
            for other in family:
                if other != where[2:]:
                    self.moved(where, attack, size < 3, other)

    def attacked(self, where, attack, size, label):
        fooled, steps = size < 3, np.arange(21.0)
        sizes = {"l2": size, "linf": size / 50}
        bounded = {
            "score": np.where(fooled, 1 + size, self.common["clean_score"]),
            "fooled": fooled,
            "tested": np.arange(CLIPS),
            "prediction": np.where(fooled, (label + 2) % CLASSES, label),
            "curve_gradients": steps,
            "curve_rate": fooled.mean() * steps / 20,
            "curve_auc": 0.5 + steps / 41,
        }
        self.add("bounded", where, {**self.common, **sizes, **bounded}, attack=attack)
        reach = {"score": 1 + size, "fooled": np.ones(self.count, bool), "smallest": size}
        self.add("reach", where, {**self.common, **sizes, **reach}, attack=attack, reached=True)

    def moved(self, where, attack, source_fooled, other):
        fooled = source_fooled & (self.rng.random(self.count) < 0.3)
        fields = {"clip": self.common["clip"], "source_fooled": source_fooled, "fooled": fooled}
        model, defense = other
        target = {"id": model} if defense == where[3] else {"id": model, "defense": defense}
        score = np.where(fooled, 1.0, -1.0)
        self.add("transfer", where, {**fields, "score": score}, attack=attack, target=target)
