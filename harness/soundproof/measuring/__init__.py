"""Measuring: protocols, metrics and the judge of examples."""
