"""Gate: whether a run is worse than a baseline by more than chance, clip by clip (docs/gate.md)."""
