"""Stages that failed, so that they fail at once when the next cell asks for them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from soundproof.store import Key


class Failures:
    """What failed in this run. Nothing of it is stored: the next run tries again."""

    def __init__(self) -> None:
        self._errors: dict[str, Exception] = {}

    @contextlib.contextmanager
    def once(self, key: Key) -> Iterator[None]:
        """Do something, unless it has failed before: then raise the same error again."""
        if key.digest in self._errors:
            raise self._errors[key.digest]
        try:
            yield
        except Exception as error:
            self._errors[key.digest] = error
            raise
