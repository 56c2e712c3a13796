"""Metrics: statistics of per-clip outcomes, and their intervals. Definitions: docs/metrics.md."""
