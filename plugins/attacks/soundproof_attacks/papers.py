"""The budgets under which the two papers ran their attacks.

A table of suite entries rather than a parameter of every attack: a suite spells out what it runs, results name
the values and not a nickname for them, and no parameter has to say what happens when it meets another one.

Where a paper sweeps a budget the entry holds the largest value: the run's trace gives its whole budget curve.
JSMA's change θ is the first of the paper's sweep. Targets of arXiv 2007.13703's BIM follow its text (§II-C).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# Both papers print the map of a class's output against the sum of the others, and take its highest entry.
_ONE_VALUE = {"values": 1, "saliency": "logits"}
# Carlini and Wagner's own variable, start and rate.
_AUTHORS = {"box": "tanh", "initial_c": 1e-3, "learning_rate": 0.01}

PAPERS: Mapping[str, Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        # "Adversarially Training for Audio Classifiers", arXiv 2008.11618, §VI
        "2008.11618": {
            "bim-a": {"norm": "l2", "targeted": True},
            "bim-b": {"norm": "l2", "targeted": True},
            "jsma": {"steps": 1000, "theta": 50 / 255, **_ONE_VALUE},
            "deepfool": {"steps": 600},
            "cwa": {"search_steps": 7, "steps": 1500, **_AUTHORS},
            "pia": {"steps": 500, "decay": 0.001, "smallest_step": 0.001, "largest_step": 0.6},
        },
        # "From Sound Representation to Model Robustness", arXiv 2007.13703, §IV-C
        "2007.13703": {
            "fgsm": {"norm": "linf", "targeted": True},
            "bim-a": {"norm": "linf"},
            "bim-b": {"norm": "linf"},
            "jsma": {"steps": 1000, "theta": 40 / 255, **_ONE_VALUE},
            "deepfool": {"steps": 1000, "targeted": True},
            "cwa": {"search_steps": 9, "steps": 5000, **_AUTHORS},
            "lbfgs": {},
        },
    }
)


def suite_entries(paper: str) -> list[dict[str, Any]]:
    """A paper's attacks as entries of a suite's `attacks`.

    Args:
        paper: An arXiv number, a key of `PAPERS`.

    Raises:
        KeyError: It is not.
    """
    return [{"id": name, **parameters} for name, parameters in PAPERS[paper].items()]
