"""Extension headers: next(8), length(8), body.

An extension's own type stands in the `next` field before it, as in IPv6 (RFC 8200 §4). The length counts
32-bit words with those two bytes, so that a router can skip what it does not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from cfn.wire_error import WireError

MAX_EXTENSIONS = 255 * 4 - 72
"""Bytes that all extensions of a packet may take: what `length` can count, less the base header."""
_PREFIX = 2
_NONE = 0


class ExtensionType(IntEnum):
    """Assigned extension types."""

    CHAIN = 1
    AUTH = 2
    TRACE = 3


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension.

    Attributes:
        type: an `ExtensionType`, or any other of 1–255 for one that is not known here.
        body: 4n + 2 bytes, opaque.
    """

    type: int
    body: bytes


def encode_extensions(extensions: Sequence[Extension]) -> tuple[int, bytes]:
    """The type of the first extension (0 without any) and the bytes of all.

    Raises:
        WireError: a type or a body length that the format can't carry.
    """
    offset = 72
    parts: list[bytes] = []
    types = [extension.type for extension in extensions]
    for extension, following in zip(extensions, [*types, _NONE][1:], strict=True):
        if not 0 < extension.type < 256:
            raise WireError("extension.type", offset, f"{extension.type} is not in 1–255")
        words, rest = divmod(_PREFIX + len(extension.body), 4)
        if rest:
            raise WireError("extension.body", offset + _PREFIX, f"{len(extension.body)} bytes are not 4n + 2")
        offset += words * 4
        if offset > 72 + MAX_EXTENSIONS:
            raise WireError("length", 2, f"extensions of more than {MAX_EXTENSIONS} bytes")
        parts.append(bytes((following, words)) + extension.body)
    return (types[0] if types else _NONE), b"".join(parts)


def decode_extensions(first: int, data: bytes, offset: int) -> tuple[Extension, ...]:
    """Read the chain of extensions that fills `data` exactly.

    Args:
        first: type of the first extension, 0 for none.
        data: the header's bytes after the base header.
        offset: where `data` starts in the datagram, for the errors.

    Raises:
        WireError: the chain ends before the header does, or the header before the chain.
    """
    extensions: list[Extension] = []
    position, current = 0, first
    while current != _NONE:
        if position + _PREFIX > len(data):
            raise WireError("next", offset + position, f"type {current} starts past the header's end")
        following, words = data[position], data[position + 1]
        end = position + words * 4
        if words == 0:
            raise WireError("extension.length", offset + position + 1, "0 words do not hold the extension")
        if end > len(data):
            raise WireError("extension.length", offset + position + 1, f"{words} words pass the header's end")
        extensions.append(Extension(current, data[position + _PREFIX : end]))
        position, current = end, following
    if position != len(data):
        raise WireError("length", 2, f"{len(data) - position} bytes of the header belong to no extension")
    return tuple(extensions)
