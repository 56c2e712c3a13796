"""Conformance: what every component promises, tried on one of any plugin, with what to mend where it breaks.

In a plugin's tests:

    import pytest
    from soundproof import conformance

    @pytest.mark.parametrize("check", conformance.checks("attack", "tremolo"), ids=str)
    def test_it_keeps_its_promises(check):
        check()

`bench check` runs the same.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
