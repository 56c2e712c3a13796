"""The protocols: what is measured of a classifier, with or without an attack. Text: docs/protocols.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundproof.measuring.protocols.bounded import Bounded
from soundproof.measuring.protocols.certified import Certified
from soundproof.measuring.protocols.channels import Channels
from soundproof.measuring.protocols.clean import Clean
from soundproof.measuring.protocols.reach import Reach
from soundproof.measuring.protocols.realised import Realised
from soundproof.measuring.protocols.transfer import Transfer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from soundproof.measuring.protocols.base import Protocol

# By id, in the order in which rows are sorted.
PROTOCOLS: Mapping[str, Protocol] = {
    each.id: each for each in (Clean(), Bounded(), Reach(), Transfer(), Certified(), Realised(), Channels())
}
