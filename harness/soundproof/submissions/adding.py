"""Adding a verified row to the board of others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from soundproof.errors import SoundproofError
from soundproof.results import files
from soundproof.results.files import ROWS
from soundproof.results.flags import VERIFIED
from soundproof.submissions.verifying import Network

if TYPE_CHECKING:
    from pathlib import Path

    from soundproof.results.files import Results
    from soundproof.submissions.verifying import Verified


def add(verified: Verified, out: Path) -> None:
    """Put a verified row into a results folder, or begin one with it; another row of its key makes room.

    Raises:
        SoundproofError: The folder holds other results than of the network that the row was scored on.
    """
    found = verified.results
    if (out / ROWS).exists():
        there = files.read(out)
        clean = next(row for row in found.rows if row.protocol == "clean")
        own = next((row for row in there.rows if row.lookup == clean.lookup), None)
        if verified.network is not Network.OWN:
            raise SoundproofError(
                f"{out}: a row of a claimed network stands on no board of others; name a new folder, or let "
                "--train make the network here"
            )
        same = own is not None and np.array_equal(
            there.fields(own).get("prediction", ()), found.fields(clean)["prediction"]
        )
        if not same:
            raise SoundproofError(
                f"{out}: holds no classifier like {clean.title()} that decides as the one here does; run "
                "its suite here first"
            )
        found = _with(there, verified)
    files.write(found, out)


def _with(there: Results, verified: Verified) -> Results:
    """Results with the verified row in them: one that is there and says the same is only marked."""
    key = verified.row.key
    own = next((row for row in there.rows if row.key == key), None)
    rows = [row for row in there.rows if row.key != key]
    new = verified.results.fields(verified.row)
    if own is not None and np.array_equal(there.fields(own).get("score", ()), new["score"]):
        marked = replace(own, flags=tuple(sorted({*own.flags, VERIFIED})))
        return replace(there, rows=[*rows, marked])
    samples = {name: array for name, array in there.samples.items() if name.partition("/")[0] != key}
    samples |= {f"{key}/{name}": array for name, array in new.items()}
    return replace(there, rows=[*rows, verified.row], samples=samples)
