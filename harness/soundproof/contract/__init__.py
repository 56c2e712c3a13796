"""The contract of plugins: kinds of component, their identity, and the registry that finds them."""
