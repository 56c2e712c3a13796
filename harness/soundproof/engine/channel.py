"""The wire between a run and its workers: JSON and arrays in frames.

No pickle: a worker may send whatever it likes, and none of it runs here.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO

    import numpy.typing as npt

_LENGTHS = struct.Struct(">QQ")
# Bytes. Longer frames are no reply.
_LARGEST_HEADER, _LARGEST_BODY = 64 << 20, 4 << 30


class ChannelError(Exception):
    """The other side sent something that is no message."""


@dataclass(frozen=True, eq=False)
class Message:
    """One frame.

    Attributes:
        kind: What it is about.
        content: JSON.
        arrays: By name.
    """

    kind: str
    content: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)


def send(file: IO[bytes], message: Message) -> None:
    """Write one message."""
    import numpy as np
    from safetensors.numpy import save

    header = json.dumps({"kind": message.kind, "content": message.content}).encode("utf-8", "backslashreplace")
    arrays = {name: np.ascontiguousarray(array) for name, array in message.arrays.items()}
    body = save(arrays) if arrays else b""
    file.write(_LENGTHS.pack(len(header), len(body)) + header + body)
    file.flush()


def receive(file: IO[bytes]) -> Message | None:
    """Read one message; None where the other side has closed.

    Raises:
        ChannelError: What came is no message.
    """
    from safetensors.numpy import load

    lengths = file.read(_LENGTHS.size)
    if not lengths:
        return None
    try:
        header, body = _LENGTHS.unpack(lengths)
        if header > _LARGEST_HEADER or body > _LARGEST_BODY:
            raise ValueError(f"a frame of {header} and {body} bytes")
        text, packed = file.read(header), file.read(body)
        if len(text) < header or len(packed) < body:
            return None  # it died while writing
        found = json.loads(text)
        return Message(str(found["kind"]), dict(found["content"]), load(packed) if packed else {})
    except Exception as error:  # safetensors has an exception of its own
        raise ChannelError(f"{type(error).__name__}: {error}") from error
