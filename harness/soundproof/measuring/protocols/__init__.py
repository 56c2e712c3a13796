"""The four protocols: what is measured of a classifier, with or without an attack. Text: docs/protocols.md."""

from soundproof.measuring.protocols.bounded import measure_bounded
from soundproof.measuring.protocols.clean import measure_clean
from soundproof.measuring.protocols.grey import measure_grey
from soundproof.measuring.protocols.reach import measure_reach
from soundproof.measuring.protocols.subject import Subject
from soundproof.measuring.protocols.transfer import measure_transfer

__all__ = ["Subject", "measure_bounded", "measure_clean", "measure_grey", "measure_reach", "measure_transfer"]
