"""Scaffold: the files of a new plugin, as a distribution that installs, runs and tests itself."""
