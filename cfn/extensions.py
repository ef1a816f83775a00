"""Extension headers: next(8), length(8), body.

An extension's own type stands in the `next` field before it, as in IPv6 (RFC 8200 §4). The length counts
32-bit words with those two bytes, so that a router can skip what it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cfn.extension_bodies import Auth, Chain, ExtensionType, Trace
from cfn.wire_error import WireError

MAX_EXTENSIONS = 255 * 4 - 72
"""Bytes that all extensions of a packet may take: what `length` can count, less the base header."""
_PREFIX = 2
_NONE = 0


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension whose body means nothing here.

    Attributes:
        type: 1–255.
        body: 4n + 2 bytes, opaque.
    """

    type: int
    body: bytes

    def encode_body(self, offset: int) -> bytes:
        """The body of an extension that starts at `offset`.

        Raises:
            WireError: it does not fill whole words.
        """
        if (_PREFIX + len(self.body)) % 4:
            raise WireError("extension.body", offset + _PREFIX, f"{len(self.body)} bytes are not 4n + 2")
        return self.body


AnyExtension = Extension | Chain | Auth | Trace

_DECODERS: Mapping[int, Callable[[bytes, int], AnyExtension]] = {
    ExtensionType.CHAIN: Chain.decode_body,
    ExtensionType.AUTH: Auth.decode_body,
    ExtensionType.TRACE: Trace.decode_body,
}


def encode_extensions(extensions: Sequence[AnyExtension]) -> tuple[int, bytes]:
    """The type of the first extension (0 without any) and the bytes of all.

    Raises:
        WireError: a type, a body or a length that the format can't carry.
    """
    offset = 72
    parts: list[bytes] = []
    types = [extension.type for extension in extensions]
    for extension, following in zip(extensions, [*types, _NONE][1:], strict=True):
        if not 0 < extension.type < 256:
            raise WireError("extension.type", offset, f"{extension.type} is not in 1–255")
        body = extension.encode_body(offset)
        offset += _PREFIX + len(body)
        if offset > 72 + MAX_EXTENSIONS:
            raise WireError("length", 2, f"extensions of more than {MAX_EXTENSIONS} bytes")
        parts.append(bytes((following, (_PREFIX + len(body)) // 4)) + body)
    return (types[0] if types else _NONE), b"".join(parts)


def decode_extensions(first: int, data: bytes, offset: int) -> tuple[AnyExtension, ...]:
    """Read the chain of extensions that fills `data` exactly.

    Args:
        first: type of the first extension, 0 for none.
        data: the header's bytes after the base header.
        offset: where `data` starts in the datagram, for the errors.

    Raises:
        WireError: the chain ends before the header does, or the header before the chain, or a body is not
            laid out as its type is.
    """
    extensions: list[AnyExtension] = []
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
        body = data[position + _PREFIX : end]
        decoder = _DECODERS.get(current)
        extensions.append(decoder(body, offset + position) if decoder else Extension(current, body))
        position, current = end, following
    if position != len(data):
        raise WireError("length", 2, f"{len(data) - position} bytes of the header belong to no extension")
    return tuple(extensions)
