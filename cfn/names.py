"""Names and the identifiers that travel: FuncID, DataIn, DataOut.

The namespace fills the high 24 bits of a FuncID: one /24 prefix stands for all functions of a namespace.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

FUNC_ID_BITS = 64
NAMESPACE_BITS = 24
DATA_ID_LENGTH = 16

_PART = re.compile(r"[a-z0-9][a-z0-9._-]*")
_DATA_ID = re.compile(rf"[0-9a-fA-F]{{{2 * DATA_ID_LENGTH}}}")
_LITERAL = re.compile(r"0x[0-9a-fA-F]{1,16}")
_KEPT = 65_536


def func_id(name: str) -> int:
    """The 64-bit FuncID of `namespace/function`, or of a literal `0x…`.

    Raises:
        ValueError: neither a name nor a literal of at most 64 bits.
    """
    if _LITERAL.fullmatch(name):
        return int(name, 16)
    namespace, slash, function = name.partition("/")
    if not slash or not _PART.fullmatch(namespace) or not _PART.fullmatch(function):
        raise ValueError(
            f"{name!r} is no function name: write namespace/function in lower-case letters, digits, "
            "'.', '_', '-', or the FuncID as 0x…"
        )
    return _namespace_bits(namespace) | int.from_bytes(hashlib.sha256(function.encode()).digest()[:5])


def function_number(function: str | int) -> int:
    """The FuncID of a name or literal, or the number itself.

    Raises:
        ValueError: no function name, or a number of more than 64 bits.
    """
    if isinstance(function, str):
        return func_id(function)
    if function < 0 or function >> FUNC_ID_BITS:
        raise ValueError(f"FuncID {function} does not fit {FUNC_ID_BITS} bits")
    return function


@lru_cache(_KEPT)
def func_prefix(name: str) -> tuple[int, int]:
    """The FuncID prefix (value, length in bits) of `namespace/*`, or the whole FuncID of a name or literal.

    Raises:
        ValueError: neither.
    """
    namespace, _, function = name.partition("/")
    if function == "*" and _PART.fullmatch(namespace):
        return _namespace_bits(namespace), NAMESPACE_BITS
    return func_id(name), FUNC_ID_BITS


def data_in_id(payload: bytes) -> bytes:
    """The content identifier of an input: the first 16 bytes of its SHA-256."""
    return hashlib.sha256(payload).digest()[:DATA_ID_LENGTH]


def parse_data_id(text: str) -> bytes:
    """A content identifier written as 32 hexadecimal digits.

    Raises:
        ValueError: it is written otherwise.
    """
    if not _DATA_ID.fullmatch(text):
        raise ValueError(f"{text!r} is no content identifier: write {2 * DATA_ID_LENGTH} hexadecimal digits")
    return bytes.fromhex(text)


def data_out_id(function: int, data_in: bytes) -> bytes:
    """The identifier of what a function makes of `data_in`: first 16 bytes of SHA-256(FuncID ‖ DataIn)."""
    return hashlib.sha256(function.to_bytes(8) + data_in).digest()[:DATA_ID_LENGTH]


def _namespace_bits(namespace: str) -> int:
    head = int.from_bytes(hashlib.sha256(namespace.encode()).digest()[: NAMESPACE_BITS // 8])
    return head << (FUNC_ID_BITS - NAMESPACE_BITS)
