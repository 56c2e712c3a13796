"""What the papers conclude, statement by statement, and whether a run bears it out (docs/papers.md)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from soundproof.digest import canonical
from soundproof.papers.beside import BASELINE, fgsm_trained
from soundproof.papers.evidence import Evidence, Verdict, together
from soundproof.papers.shares import Shares, nothing
from soundproof.results.combine import Combination

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from soundproof.measuring.metrics.intervals import Metric
    from soundproof.measuring.place import Coordinate
    from soundproof.results.files import Results, Row

# "Close" in 002 is read as less than half of the 8 points by which it puts AlexNet apart.
CLOSE = 0.04
# What 001 prints: the smallest and the largest of its Tables I (drop), II and III.
DROPS, AREAS, RATIOS = (0.0689, 0.2912), (0.4933, 0.5898), (1.372, 2.892)
# What the claims were made of.
DATASETS = ("esc10", "esc50", "urbansound8k")
_ATTACKS = {
    "001": frozenset({"bim-a", "bim-b", "jsma", "deepfool", "cwa", "pia"}),
    "002": frozenset({"fgsm", "bim-a", "bim-b", "jsma", "deepfool", "cwa"}),
}
_FAMILIES = {"MFCC": "mfcc", "STFT": "stft", "DWT": "dwt-morlet"}
_MOTHERS = {"complex Morlet": "dwt-morlet", "Mexican hat": "dwt-mexican-hat", "Haar": "dwt-haar"}


@dataclass(frozen=True)
class Ordering:
    """One conclusion of a paper.

    Attributes:
        paper: Its number.
        claim: In the paper's sense.
        evidence: By data set, its statements.
    """

    paper: str
    claim: str
    evidence: tuple[tuple[Coordinate, tuple[Evidence, ...]], ...]

    @property
    def verdict(self) -> Verdict:
        """On all statements, on all data sets of the run."""
        return together([each.verdict for _, statements in self.evidence for each in statements])

    @property
    def measured(self) -> bool:
        """Whether the run has anything to say of it."""
        return any(each.rows for _, statements in self.evidence for each in statements)


def orderings(results: Results) -> tuple[Ordering, ...]:
    """The six conclusions; of data sets that the papers did not use nothing is said."""
    combination = Combination(results)
    datasets = {canonical(row.dataset): row.dataset for row in results.rows if _id(row.dataset) in DATASETS}
    shares = [Shares(datasets[key], results.rows, combination) for key in sorted(datasets)]
    return tuple(
        Ordering(paper, " ".join(claim.split()), tuple((each.dataset, tuple(state(each))) for each in shares))
        for paper, claim, state in _CLAIMS
    )


def _points(found: Metric) -> str:
    return f"{100 * found.value:+.1f} points [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"


def _number(found: Metric) -> str:
    return f"{found.value:.3g} [{found.low:.3g}, {found.high:.3g}]"


def _more(found: Metric) -> str:
    return f"{found.value:+.3g} [{found.low:+.3g}, {found.high:+.3g}]"


def _representations(shares: Shares) -> Iterator[Evidence]:
    """002: MFCC < STFT < DWT in accuracy; DWT costs most gradients and yields the lowest AUC."""
    best = {name: _best(shares, identity) for name, identity in _FAMILIES.items()}
    of = partial(_of_representation, shares)
    for more, less in (("STFT", "MFCC"), ("DWT", "STFT")):
        yield shares.compare(
            f"{more} is recognised more accurately than {less}",
            shares.paired(of("clean", best[more]), of("clean", best[less]), "representation"),
            "accuracy",
            _points,
        )
    for less in ("MFCC", "STFT"):
        searches = [
            [row for row in of("reach", best[name]) if row.reached and _id(row.attack) != "fgsm"]
            for name in ("DWT", less)
        ]
        yield shares.compare(
            f"DWT costs more gradients than {less} until AUC > 0.9",
            shares.paired(searches[0], searches[1], "representation"),
            "gradients",
            _more,
        )
    for less in ("MFCC", "STFT"):
        yield shares.compare(
            f"DWT yields a lower AUC than {less} within the ball",
            shares.paired(of("bounded", best[less]), of("bounded", best["DWT"]), "representation"),
            "fooling_auc",
            _more,
        )


def _trade(shares: Shares) -> Iterator[Evidence]:
    """002: within MFCC and STFT the most accurate setting has the highest AUC."""
    for name in ("MFCC", "STFT"):
        statement = f"the most accurate setting of {name} has a higher AUC than the others"
        best = _best(shares, _FAMILIES[name])
        protocol = "bounded" if shares.rows("bounded") else "reach"
        rows = [row for row in _undefended(shares, protocol) if row.representation["id"] == _FAMILIES[name]]
        first = [row for row in rows if row.representation == best]
        others: dict[str, list[Row]] = {}
        for row in rows:
            if row.representation != best:
                others.setdefault(canonical(row.representation), []).append(row)
        pairs = [pair for each in others.values() for pair in shares.paired(first, each, "representation")]
        yield shares.compare(statement, pairs, "fooling_auc", _more)


def _mothers(shares: Shares) -> Iterator[Evidence]:
    """002: Morlet > Mexican hat > Haar in accuracy, CWA the most expensive attack everywhere."""
    best = {name: _best(shares, identity) for name, identity in _MOTHERS.items()}
    of = partial(_of_representation, shares)
    for more, less in (("complex Morlet", "Mexican hat"), ("Mexican hat", "Haar")):
        yield shares.compare(
            f"the {more} wavelet is recognised more accurately than the {less} wavelet",
            shares.paired(of("clean", best[more]), of("clean", best[less]), "representation"),
            "accuracy",
            _points,
        )
    searches = [row for row in _undefended(shares, "reach") if row.reached]
    ids = sorted({_id(row.attack) for row in searches} - {"cwa"})
    dearest = [row for row in searches if _id(row.attack) == "cwa"]
    if not ids:
        yield nothing("CWA costs more gradients than any other attack")
    for other in ids:
        pairs = shares.paired(dearest, [row for row in searches if _id(row.attack) == other], "attack")
        yield shares.compare(f"CWA costs more gradients than {other} until AUC > 0.9", pairs, "gradients", _more)


def _training(shares: Shares) -> Iterator[Evidence]:
    """001: what FGSM training costs and gains."""
    clean = shares.paired(_undefended(shares, "clean"), _trained(shares, "clean"), "defense")
    yield shares.bounded_by(
        "FGSM training costs 7 to 29 points of accuracy",
        [(shares.drop(*pair), pair) for pair in clean],
        DROPS,
        _points,
    )
    inside, outside = _trained(shares, "bounded"), _undefended(shares, "bounded", "001")
    yield shares.compare(
        "FGSM training lowers the AUC within the ball",
        shares.paired(outside, inside, "defense"),
        "fooling_auc",
        _more,
    )
    areas = [(part, (row,)) for row in inside if (part := shares.share(row, "fooling_auc")) is not None]
    yield shares.bounded_by(
        "after FGSM training the AUC within the ball lies at 0.49 to 0.59", areas, AREAS, _number
    )
    searched = _trained(shares, "reach")
    before = [row for row in _undefended(shares, "reach", "001") if row.reached]
    pairs = shares.paired(before, [row for row in searched if row.reached], "defense")
    yield shares.bounded_by(
        "FGSM training makes perturbations 1.4 to 2.9 times as large (ε_r)",
        [(shares.ratio(*pair), pair) for pair in pairs],
        RATIOS,
        _number,
    )
    yield _unbounded(searched)


def _unbounded(searched: Sequence[Row]) -> Evidence:
    statement = "no attack without a bound is stopped: all reach AUC > 0.9"
    stopped = sorted({_id(row.attack) for row in searched if not row.reached})
    if not searched:
        return nothing(statement)
    if stopped:
        found = (
            f"{sum(not row.reached for row in searched)} of {len(searched)} did not reach: {', '.join(stopped)}"
        )
        # A ladder of radii ends where the box does; a search of so many steps may only have been too short.
        verdict = Verdict.FAILS if set(stopped) & {"bim-a", "bim-b"} else Verdict.UNDECIDED
        return Evidence(statement, verdict, found, tuple(searched))
    return Evidence(statement, Verdict.HOLDS, f"all {len(searched)} searches reached", tuple(searched))


def _networks(shares: Shares) -> Iterator[Evidence]:
    """002: AlexNet is 8 % less accurate than ResNet-18, GoogLeNet close; all are fooled above 95 %."""
    of = partial(_of_model, shares)
    yield shares.compare(
        "ResNet-18 is more accurate than AlexNet (by about 8 points)",
        shares.paired(of("clean", "resnet18"), of("clean", "alexnet"), "model"),
        "accuracy",
        _points,
    )
    close = shares.paired(of("clean", "resnet18"), of("clean", "googlenet"), "model")
    yield shares.bounded_by(
        f"GoogLeNet is as accurate as ResNet-18, within {100 * CLOSE:.0f} points",
        [(shares.drop(*pair), pair) for pair in close],
        (-CLOSE, CLOSE),
        _points,
    )
    strongest = _strongest(_undefended(shares, "bounded"))
    yield shares.bounded_by(
        "the strongest attack fools more than 95 % of the clips",
        [(part, (row,)) for row in strongest if (part := shares.share(row, "fooling_rate")) is not None],
        (0.95, 1.0),
        _number,
    )
    for more, less in (("resnet18", "googlenet"), ("googlenet", "alexnet")):
        searches = [[row for row in of("reach", name) if row.reached] for name in (more, less)]
        yield shares.compare(
            f"{more} takes more gradients to fool than {less}",
            shares.paired(searches[0], searches[1], "model"),
            "gradients",
            _more,
        )


def _waveforms(shares: Shares) -> Iterator[Evidence]:
    """002, of networks on samples: 30 points lost, and often restored by a factor."""
    rows = [row for row in _undefended(shares, "bounded") if row.representation["id"] in ("waveform", "mu-law")]
    losses = [(part, (row,)) for row in rows if (part := shares.share(row, "fooling_rate")) is not None]
    yield shares.bounded_by("attacks on samples cost about 30 points (20 to 40)", losses, (0.2, 0.4), _number)
    yield nothing("a small random factor often restores the label")


_CLAIMS: tuple[tuple[str, str, Callable[[Shares], Iterator[Evidence]]], ...] = (
    (
        "002",
        "Accuracy rises from MFCC to STFT to DWT at their best; DWT takes most gradients, and its AUC is lowest.",
        _representations,
    ),
    ("002", "Within MFCC and STFT, the most accurate setting has the highest AUC.", _trade),
    (
        "002",
        "Complex Morlet is more accurate than Mexican hat, and that than Haar; CWA is the most expensive attack.",
        _mothers,
    ),
    (
        "001",
        """FGSM training costs 7 to 29 points, lowers the AUC to about 54 % at ‖ε‖₂ ≤ 3, makes the needed
        perturbation 1.4 to 2.9 times as large, and never stops an unbounded attack.""",
        _training,
    ),
    (
        "002",
        """AlexNet is about 8 % less accurate than ResNet-18, GoogLeNet close to it; all are fooled above 95 %;
        ResNet-18 takes the most gradients, then GoogLeNet, then AlexNet.""",
        _networks,
    ),
    (
        "002",
        "On samples, attacks cost about 30 % of accuracy, and a small random factor often restores the label.",
        _waveforms,
    ),
)


def _undefended(shares: Shares, protocol: str, paper: str = "002") -> list[Row]:
    """Rows of undefended classifiers under a paper's attacks."""
    return [row for row in _attacked(shares, protocol, paper) if row.defense == BASELINE]


def _trained(shares: Shares, protocol: str) -> list[Row]:
    """Rows of FGSM-trained classifiers under 001's attacks."""
    return [row for row in _attacked(shares, protocol, "001") if fgsm_trained(row.defense)]


def _attacked(shares: Shares, protocol: str, paper: str) -> list[Row]:
    return [row for row in shares.rows(protocol) if row.attack is None or _id(row.attack) in _ATTACKS[paper]]


def _of_representation(shares: Shares, protocol: str, representation: Coordinate | None) -> list[Row]:
    return [row for row in _undefended(shares, protocol) if row.representation == representation]


def _of_model(shares: Shares, protocol: str, model: str) -> list[Row]:
    return [row for row in _undefended(shares, protocol) if row.model["id"] == model]


def _best(shares: Shares, representation: str) -> Coordinate | None:
    """The most accurate setting of a representation, over all undefended networks."""
    accuracies: dict[str, list[float]] = {}
    settings: dict[str, Coordinate] = {}
    for row in _undefended(shares, "clean"):
        if row.representation["id"] == representation:
            key = canonical(row.representation)
            settings[key] = row.representation
            accuracies.setdefault(key, []).append(row.metrics["accuracy"].value)
    chosen = max(sorted(accuracies), key=lambda key: float(np.mean(accuracies[key])), default=None)
    return None if chosen is None else settings[chosen]


def _strongest(rows: Sequence[Row]) -> list[Row]:
    """Of each classifier the row of the attack that fools most of its clips."""
    found: dict[str, Row] = {}
    for row in rows:
        key = canonical([row.representation, row.model, row.fold, row.seed])
        if key not in found or row.metrics["fooling_rate"].value > found[key].metrics["fooling_rate"].value:
            found[key] = row
    return list(found.values())


def _id(coordinate: Coordinate | None) -> str:
    return "" if coordinate is None else str(coordinate["id"])
