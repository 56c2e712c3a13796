"""The papers: their printed numbers, ours beside them, and what a run says of their conclusions."""
