"""Canonical JSON, its digest and seeds drawn from it: what makes two things the same."""

from __future__ import annotations

import ast
import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Made once: a results folder of ten thousand rows asks for a hundred thousand strings.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def canonical(value: object) -> str:
    """JSON with sorted keys and no spaces; NaN and infinities are refused, since they equal nothing.

    Raises:
        ValueError: The value holds a number that JSON has no word for.
    """
    return _ENCODER.encode(value)


class Encoded(str):
    """Text that is canonical JSON already."""

    __slots__ = ()


def canonical_object(fields: Mapping[str, object]) -> str:
    """Canonical JSON of an object, some of whose values may be `Encoded`: what thousands share is encoded once."""
    return "{" + ",".join([f'"{name}":{_encoded(fields[name])}' for name in sorted(fields)]) + "}"


def _encoded(value: object) -> str:
    return value if type(value) is Encoded else canonical(value)


def digest(value: object) -> str:
    """The first 32 hexadecimal digits of the SHA-256 of the canonical JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:32]


def seed_from(value: object) -> int:
    """A seed below 2⁶³ that depends on nothing but the value, so that no order of execution can change it."""
    return int(digest(value)[:16], 16) >> 1


def tree_digest(tree: ast.Module) -> str:
    """Digest of a parsed source file by what it does: comments, layout and docstrings do not count."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0].value if node.body and isinstance(node.body[0], ast.Expr) else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()
