"""Training: what models and defenses hold."""
