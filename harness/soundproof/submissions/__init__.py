"""Submissions: examples of one row in a file, scored again by people who run none of their maker's code."""
