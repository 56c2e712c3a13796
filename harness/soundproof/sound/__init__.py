"""Sound: what a change of a waveform sounds like, in numbers (docs/metrics.md, "In sound")."""
