"""A generator of sounds, its inverse, and how both are trained: the parts of `wavegan-inversion`."""
