"""Probing: what is measured of classifiers and attacks to tell whether their numbers can be believed."""
