"""The metrics of a cell, from its per-clip outcomes. Boards use the same definitions over folds and seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from soundproof.measuring.metrics import statistics
from soundproof.measuring.metrics.intervals import Metric, Part, estimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

RATE = (0.0, 1.0)
_GREY = {"clip": "clip", "clean_score": "clean_score", "score": "grey_score", "fooled": "grey_fooled"}


def recognition(
    cells: Sequence[Mapping[str, npt.NDArray[Any]]], groups: npt.NDArray[np.int64], classes: int
) -> dict[str, Metric]:
    """`accuracy`, macro `precision`, `recall` and `f1`, and for two classes `eer`, from `clean` samples.

    Args:
        cells: The samples of one classifier for each fold and seed.
        groups: The recording of every clip of the data set.
        classes: Number of classes.
    """
    found: dict[str, Metric | None] = {}
    found["accuracy"] = estimate(
        [Part(c["clip"], statistics.mean(c["label"] == c["prediction"])) for c in cells], groups, bounds=RATE
    )
    macros = [statistics.macro(c["label"], c["prediction"], classes) for c in cells]
    for name in ("precision", "recall", "f1"):
        parts = [Part(c["clip"], macro[name]) for c, macro in zip(cells, macros, strict=True)]
        found[name] = estimate(parts, groups, bounds=RATE)
    if classes == 2:
        # s(x; y) is the margin of the wrong class: turned towards class 1 it is a detection score.
        parts = [
            Part(
                c["clip"],
                statistics.equal_error_rate(np.where(c["label"] == 1, -c["score"], c["score"]), c["label"] == 1),
            )
            for c in cells
        ]
        found["eer"] = estimate(parts, groups, bounds=RATE)
    return _known(found)


def fooling(
    cells: Sequence[Mapping[str, npt.NDArray[Any]]],
    tests: Sequence[npt.NDArray[np.integer[Any]]],
    groups: npt.NDArray[np.int64],
) -> dict[str, Metric]:
    """`fooling_auc`, `fooling_rate` and `robust_accuracy`, for targeted attacks also `targeted_auc`.

    Args:
        cells: The `bounded` samples of one attack on one classifier for each fold and seed.
        tests: All test clips of the same folds and seeds, also those that were not attacked.
        groups: The recording of every clip of the data set.
    """
    found: dict[str, Metric | None] = {
        "fooling_auc": estimate(
            [Part(c["clip"], statistics.auc(c["clean_score"], c["score"])) for c in cells], groups, bounds=RATE
        ),
        "fooling_rate": estimate(
            [Part(c["clip"], statistics.mean(c["fooled"] > 0)) for c in cells], groups, bounds=RATE
        ),
        "robust_accuracy": estimate(
            [Part(t, statistics.mean(_robust(c, t))) for c, t in zip(cells, tests, strict=True)],
            groups,
            bounds=RATE,
        ),
    }
    if all("target_score" in c for c in cells):
        parts = [Part(c["clip"], statistics.auc(c["clean_target_score"], c["target_score"])) for c in cells]
        found["targeted_auc"] = estimate(parts, groups, bounds=RATE)
    return _known(found)


def grey_box(
    cells: Sequence[Mapping[str, npt.NDArray[Any]]],
    tests: Sequence[npt.NDArray[np.integer[Any]]],
    groups: npt.NDArray[np.int64],
) -> dict[str, Metric]:
    """`grey_fooling_auc`, `grey_fooling_rate` and `grey_robust_accuracy`, as `fooling` defines them.

    Args:
        cells: `bounded` samples of a defended classifier for each fold and seed; where one has no grey-box
            attacker, there is no metric.
        tests: All test clips of the same folds and seeds.
        groups: The recording of every clip of the data set.
    """
    if not all("grey_score" in cell for cell in cells):
        return {}
    turned = [{name: cell[field] for name, field in _GREY.items()} for cell in cells]
    return {f"grey_{name}": metric for name, metric in fooling(turned, tests, groups).items()}


def effort(
    cells: Sequence[Mapping[str, npt.NDArray[Any]]], groups: npt.NDArray[np.int64], dimension: int
) -> dict[str, Metric]:
    """`gradients` and `queries` a clip, and `l2` and `rms` over the clips that are fooled."""
    found: dict[str, Metric | None] = {
        name: estimate([Part(c["clip"], statistics.mean(c[name])) for c in cells], groups)
        for name in ("gradients", "queries")
    }
    sizes = [np.where(c["fooled"] > 0, c["l2"], np.nan) for c in cells]
    for name, unit in (("l2", 1.0), ("rms", dimension**0.5)):
        parts = []
        for cell, size in zip(cells, sizes, strict=True):
            fooled = cell["fooled"] > 0
            parts.append(Part(cell["clip"][fooled], statistics.mean(size[fooled] / unit)))
        found[name] = estimate(parts, groups)
    return _known(found)


def transfer(cells: Sequence[Mapping[str, npt.NDArray[Any]]], groups: npt.NDArray[np.int64]) -> dict[str, Metric]:
    """`transfer_ratio`, from `transfer` samples."""
    parts = [Part(c["clip"], statistics.mean(c["fooled"] > 0)) for c in cells]
    return _known({"transfer_ratio": estimate(parts, groups, bounds=RATE)})


def epsilon_ratio(
    defended: Sequence[Mapping[str, npt.NDArray[Any]]],
    undefended: Sequence[Mapping[str, npt.NDArray[Any]]],
    groups: npt.NDArray[np.int64],
) -> dict[str, Metric]:
    """ε_r: mean ‖ε‖₂ at `reach` over the fooled clips, defended over undefended (arXiv 2008.11618, Eq. 15).

    Args:
        defended: `reach` samples of the defended classifier for each fold and seed.
        undefended: Those of the undefended one, in the same order.
        groups: The recording of every clip of the data set.
    """
    parts = []
    for above, below in zip(defended, undefended, strict=True):
        clips = np.union1d(above["clip"], below["clip"])
        columns = [_spread(cell, clips) for cell in (above, below)]
        parts.append(Part(clips, statistics.ratio_of_means(*columns)))
    return _known({"epsilon_ratio": estimate(parts, groups)})


def _robust(cell: Mapping[str, npt.NDArray[Any]], test: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which test clips are right when clean and still right when attacked."""
    return np.isin(test, cell["clip"][cell["fooled"] == 0])


def _spread(cell: Mapping[str, npt.NDArray[Any]], clips: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The l2 norms of fooled clips as a column over `clips`, NaN for the others."""
    fooled = cell["fooled"] > 0
    column = np.full(len(clips), np.nan)
    column[np.searchsorted(clips, cell["clip"][fooled])] = cell["l2"][fooled]
    return column


def _known(found: Mapping[str, Metric | None]) -> dict[str, Metric]:
    return {name: metric for name, metric in found.items() if metric is not None}
