import numpy as np
import pytest

from soundproof.boards import draw
from workbench import bench, crowded

__all__ = ["bench", "crowded", "small"]


@pytest.fixture
def small(bench):
    """Four classifiers, of which one leaks, with two attacks, transfers and learning curves; as a page."""
    for model, right in (("alexnet", 6), ("resnet", 9), ("vgg", 8)):
        bench.clean([0] * 10, [0] * right + [1] * (10 - right), model=model)
        bench.learned(bench.rows[-1], [1.0, 0.5], [0.5, 0.9])
        for attack, fooled in (("fgsm", 1), ("cwa", 4)):
            outcomes = [True] * fooled + [False] * (right - fooled)
            bench.bounded(range(right), outcomes, tested=10, attack=attack, l2=right / fooled, model=model)
            row = bench.reach(range(right), attack=attack, model=model, gradients=3.0, l2=2.0)
            bench.samples[f"{row.key}/smallest"] = np.arange(right) / 10 + 1
        bench.transfer(range(4), [True, False, False, True], {"id": "other"}, model=model)
    bench.clean([0] * 10, [0] * 10, model="leaks", flags=("leaky",))
    bench.broken("clean", reason="out of memory", model="huge")
    return draw(bench.results()).pages["index.html"]
