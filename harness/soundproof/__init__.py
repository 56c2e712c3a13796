"""soundproof: how well audio classifiers hold against adversarial attacks.

This module is the public API: everything a plugin may import, and `run`. The names stand in `__init__.pyi`; each
is loaded on first use, so that importing this module (and `bench ls`) does not import torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
