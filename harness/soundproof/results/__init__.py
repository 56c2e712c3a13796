"""Results: files, flags, and the combination of rows."""
