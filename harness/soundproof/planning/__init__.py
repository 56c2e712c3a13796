"""Planning: a suite's cross-product as a graph of cells and their needs."""
