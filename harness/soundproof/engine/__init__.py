"""The engine: environment, store, keys and the stages of a run."""
