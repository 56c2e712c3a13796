"""The constants of the additive-margin softmax, which recipes need without torch."""

SCALE = 30.0
"""Of cosines, Wang et al. 2018."""

MARGIN = SCALE * 0.35
"""What a recipe subtracts from the true class's logit in training: 30 · (cos − 0.35) instead of 30 · cos."""
