"""A workbench that makes results folders out of per-clip outcomes, with metrics computed independently."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from soundproof.digest import canonical, digest
from soundproof.measuring.metrics.intervals import Metric
from soundproof.results.files import Results, Row, groups_name
from soundproof.types import Status

RUN = {
    "schema": 1,
    "suite": {"name": "bench"},
    "suite_digest": "0123456789abcdef",
    "budget": {"norm": "l2", "epsilon": 3.0, "target_auc": 0.9, "max_gradients": None, "max_queries": 2000},
    "environment": {"soundproof": "0.1.0", "python": "3.11.7", "torch": "2.6.0", "device": "cpu", "threads": 2},
    "datasets": [{"dataset": {"id": "synth"}, "checksum": "f00dfeedcafe", "clips": 40, "classes": ["a", "b"]}],
    "inputs": [
        {"dataset": {"id": "synth"}, "representation": {"id": "stft"}, "shape": [1, 8, 8], "dimension": 64},
    ],
    "components": [{"kind": "attack", "id": "fgsm", "distribution": "soundproof", "version": "0.1.0"}],
}
NONE = {"id": "none"}
DIMENSION = 64


class Workbench:
    """Collects rows and samples; every metric is computed here with scikit-learn or NumPy, not with soundproof."""

    def __init__(self, clips=40):
        self.rows = []
        self.samples = {groups_name({"id": "synth"}): np.arange(clips) // 2}
        self.run = dict(RUN)

    def results(self):
        return Results(self.rows, self.samples, self.run)

    def row(self, protocol, metrics=None, fields=None, **where):
        where = {"model": "resnet", "representation": "stft", "dataset": "synth", "defense": NONE, **where}
        coordinates = {
            name: {"id": c} if isinstance(c, str) else c for name, c in where.items() if name in _PLACES
        }
        row = Row(
            key="",
            status=where.get("status", Status.OK),
            reason=where.get("reason"),
            protocol=protocol,
            **{"attack": None, "target": None, **coordinates},
            fold=where.get("fold", 0),
            seed=where.get("seed", 0),
            metrics={name: _metric(*pair) for name, pair in (metrics or {}).items() if pair is not None},
            reports={name: _metric(*pair) for name, pair in where.get("reports", {}).items()},
            flags=where.get("flags", ()),
            reached=where.get("reached"),
        )
        row = replace(row, key=digest([row.order, protocol]))
        self.rows.append(row)
        self.samples.update({f"{row.key}/{name}": np.asarray(array) for name, array in (fields or {}).items()})
        return row

    def broken(self, protocol, status=Status.FAILED, reason="out of memory", **where):
        return self.row(protocol, status=status, reason=reason, **where)

    def clean(self, labels, predictions, clips=None, scores=None, eer=None, training_gradients=None, **where):
        labels, predictions = np.asarray(labels), np.asarray(predictions)
        n = len(labels)
        precision, recall, f1, _ = precision_recall_fscore_support(
            labels, predictions, average="macro", zero_division=0
        )
        metrics = {
            "accuracy": (np.mean(labels == predictions), n),
            "precision": (precision, n),
            "recall": (recall, n),
            "f1": (f1, n),
            "eer": None if eer is None else (eer, n),
            "training_gradients": training_gradients,
        }
        fields = {
            "clip": np.arange(n) if clips is None else clips,
            "label": labels,
            "prediction": predictions,
            "score": np.where(labels == predictions, -1.0, 1.0) if scores is None else scores,
        }
        return self.row("clean", metrics, fields, **where)

    def learned(self, row, loss, score, whose="model"):
        """Give a row a learning curve."""
        for name, curve in (("loss", loss), ("validation", score)):
            self.samples[f"{row.key}/{whose}_{name}"] = np.asarray(curve, dtype=np.float32)

    def bounded(
        self, clips, fooled, tested, attack="fgsm", scores=None, gradients=1.0, l2=3.0, *, grey=None, **where
    ):
        """`tested` clips are 0 … tested - 1, or given; `grey`: what the undefended classifier's examples fool."""
        fields = _outcomes(clips, fooled, scores, gradients, l2)
        tested = np.arange(tested) if np.ndim(tested) == 0 else np.asarray(tested)
        n, by_grey_box = len(fields["clip"]), {}
        if grey is not None:
            turned = _outcomes(clips, grey, None, 0, 0)
            self._transferred(turned, attack, where)
            by_grey_box = {
                "grey_fooling_auc": (_auc(turned), n),
                "grey_fooling_rate": (np.mean(turned["fooled"]), n),
                "grey_robust_accuracy": (np.sum(~turned["fooled"]) / len(tested), len(tested)),
            }
        metrics = {
            "fooling_auc": (_auc(fields), n),
            "fooling_rate": (np.mean(fields["fooled"]), n),
            "robust_accuracy": (np.sum(~fields["fooled"]) / len(tested), len(tested)),
            **_spent(fields, n),
            **by_grey_box,
        }
        return self.row("bounded", metrics, {**fields, "tested": tested}, attack=attack, **where)

    def _transferred(self, turned, attack, where):
        """The row that the grey-box attacker of a defended one is read from."""
        model = where.get("model", "resnet")
        target = {**({"id": model} if isinstance(model, str) else model), "defense": where["defense"]}
        fields = {name: turned[name] for name in ("clip", "score", "fooled")}
        source = {**where, "defense": NONE, "flags": ()}
        fields["source_fooled"] = turned["fooled"]
        return self.row("transfer", _ratio(fields), fields, attack=attack, target=target, **source)

    def reach(
        self, clips, attack="fgsm", gradients=1.0, l2=3.0, ratio=None, *, fooled=None, reached=True, **where
    ):
        fooled = np.ones(len(clips), dtype=bool) if fooled is None else fooled
        fields = _outcomes(clips, fooled, None, gradients, l2)
        rate = (np.mean(fields["fooled"]), len(clips))
        metrics = {
            **_spent(fields, len(clips)),
            "fooling_rate": rate,
            "fooling_auc": (_auc(fields), len(clips)),
            "epsilon_ratio": ratio,
        }
        if not reached:
            fields = {name: array for name, array in fields.items() if name not in ("l2", "linf", "l0")}
            metrics = {name: metrics[name] for name in ("gradients", "queries", "fooling_rate", "fooling_auc")}
            where = {"reason": "not reached: AUC 0.71 when the budget was spent", **where}
        return self.row("reach", metrics, fields, attack=attack, reached=reached, **where)

    def transfer(self, clips, fooled, target, attack="fgsm", source_fooled=None, **where):
        fooled = np.asarray(fooled, dtype=bool)
        moved = (
            np.ones(len(fooled), dtype=bool) if source_fooled is None else np.asarray(source_fooled, dtype=bool)
        )
        score = np.where(fooled, 1.0, -1.0)
        fields = {"clip": np.asarray(clips), "fooled": fooled, "score": score, "source_fooled": moved}
        return self.row("transfer", _ratio(fields), fields, attack=attack, target=target, **where)

    def controls(self, *ids):
        """Declare attacks that are none."""
        said = [{"kind": "attack", "id": name, "capabilities": {"access": "control"}} for name in ids]
        self.run["components"] = [*self.run["components"], *said]


_PLACES = ("dataset", "representation", "model", "defense", "attack", "target")


def _outcomes(clips, fooled, scores, gradients, l2):
    clips, fooled = np.asarray(clips), np.asarray(fooled, dtype=bool)
    n = len(clips)
    clean = -1.0 - np.arange(n) / max(1, n)
    return {
        "clip": clips,
        "clean_score": clean,
        "score": np.where(fooled, 1.0, clean) if scores is None else np.asarray(scores),
        "fooled": fooled,
        "l2": np.broadcast_to(np.asarray(l2, dtype=float), n),
        "linf": np.full(n, 0.5),
        "l0": np.full(n, 0.25),
        "gradients": np.broadcast_to(np.asarray(gradients, dtype=float), n),
        "queries": np.broadcast_to(2 * np.asarray(gradients, dtype=float), n),
    }


def _spent(fields, n):
    """Effort over all attacked clips, lengths over the fooled ones."""
    effort = {name: (np.mean(fields[name]), n) for name in ("gradients", "queries")}
    lengths = fields["l2"][fields["fooled"]]
    if not len(lengths):
        return effort
    found = {"l2": lengths.mean(), "rms": lengths.mean() / DIMENSION**0.5, "linf": 0.5, "l0": 0.25}
    return {**effort, **{name: (value, len(lengths)) for name, value in found.items()}}


def _ratio(fields):
    moved = fields["fooled"][fields["source_fooled"] > 0]
    return {"transfer_ratio": (np.mean(moved), len(moved))} if len(moved) else {}


def _auc(fields):
    n = len(fields["clip"])
    return roc_auc_score([0] * n + [1] * n, [*fields["clean_score"], *fields["score"]])


def _metric(value, n):
    """As a row of results keeps it; the interval is made up, to see where it comes out again."""
    short = float(f"{value:.6g}")
    low, high = sorted((short * 0.9, short * 1.05))
    return Metric(short, float(f"{low:.6g}"), float(f"{high:.6g}"), n)


@pytest.fixture
def bench():
    return Workbench()


HOSTILE = "</script><img src=x onerror=alert(1)>|`*_[x](http://evil.test)"


@pytest.fixture
def crowded():
    """A bit of everything: two models and defenses, folds, attacks, transfers, losses, flags and hostile names."""
    bench = Workbench()
    hostile = {"id": "alexnet", "name": HOSTILE}
    bench.run["suite"] = {"name": "bench", "labels": {"model": {canonical(hostile): HOSTILE}}}
    rng = np.random.default_rng(5)
    trained = {"id": "adversarial-training", "attack": {"id": "fgsm", "note": "=cmd()"}}
    for fold in (0, 1):
        clips = np.arange(fold, 40, 2)
        for model in ("resnet", {"id": "alexnet", "name": HOSTILE}):
            for defense in (NONE, trained):
                where = {"model": model, "defense": defense, "fold": fold}
                right = rng.random(20) < 0.8
                defended = defense is trained
                flags = ("leaky",) if model == "resnet" and defended else ()
                reports = {HOSTILE: (0.5, 9), "=gain_db": (1.5, 9)} if defended else {}
                spent = (3.0, 50) if defended else None
                labels, predictions = np.arange(20) % 2, (np.arange(20) + ~right) % 2
                given = {"flags": flags, "reports": reports, **where}
                row = bench.clean(labels, predictions, clips=clips, training_gradients=spent, **given)
                bench.learned(row, [2.0, 1.0, 0.5], [0.3, 0.6, 0.5])
                if defended:
                    bench.learned(row, [0.9, 0.7], [0.5, 0.4], "defense")
                attacked = clips[right]
                for attack in ("fgsm", {"id": "cwa", "note": HOSTILE}):
                    fooled = rng.random(len(attacked)) < 0.5
                    grey = fooled & (attacked % 3 > 0) if defended else None
                    bench.bounded(attacked, fooled, clips, attack=attack, grey=grey, **where)
                    bench.reach(attacked, attack=attack, gradients=7.0, reached=fold == 0, **where)
                    other = (
                        {"id": "vgg", "defense": trained} if defense is NONE else {"id": "vgg", "defense": NONE}
                    )
                    bench.transfer(attacked[:5], fooled[:5], other, attack=attack, flags=("-odd flag",), **where)
    bench.learned(bench.broken("clean", Status.DIVERGED, reason=HOSTILE, model="vgg"), [1.0], [0.5])
    bench.broken("bounded", reason=HOSTILE, attack="jsma")
    bench.broken("clean", Status.SKIPPED, reason="@needs an image", model="yamnet")
    bench.broken("transfer", Status.INVALID, reason="NaN", attack="fgsm", target={"id": "vgg"})
    return bench
