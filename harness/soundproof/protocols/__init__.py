"""The four protocols: what is measured of a classifier, with or without an attack. Text: docs/protocols.md."""

from soundproof.protocols.bounded import measure_bounded
from soundproof.protocols.clean import measure_clean
from soundproof.protocols.grey import measure_grey
from soundproof.protocols.reach import measure_reach
from soundproof.protocols.subject import Subject
from soundproof.protocols.transfer import measure_transfer

__all__ = ["Subject", "measure_bounded", "measure_clean", "measure_grey", "measure_reach", "measure_transfer"]
