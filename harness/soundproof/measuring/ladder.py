"""The ladder of radii that the protocol `reach` climbs, and how it is refined."""

from __future__ import annotations

# From one rung to the next.
RUNG = 1.5
# As l∞ steps (they are multiplied by √D for l2): 0.001 · 1.5^k (arXiv 2007.13703, §IV: from 0.001 upward; the
# factor and the 18 rungs are this project's).
LADDER = tuple(0.001 * RUNG**rung for rung in range(18))
# A clip's size is known well enough when the radius that fools it is within 3 % of one that does not.
PRECISION = 1.03
# Bisections between two rungs to that precision: 1.5^(1/16) = 1.026.
REFINEMENTS = 4
# Clips that the first rung fools are followed downwards, a rung at a time, at most so far.
DESCENT = 12
