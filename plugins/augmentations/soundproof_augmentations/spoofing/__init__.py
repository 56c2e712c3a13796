"""Transformations of speech that imitate what synthesis leaves behind, one family a file."""
