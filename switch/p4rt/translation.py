"""Values that clients write otherwise than the data plane has them: `@p4runtime_translation` (§ 8.4.6, 18.1).

The specification leaves the mapping to the target. Here a number stands for the same number, and so does a
string that is a decimal number; any other string is given a value of its own when it is first heard.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from finsy.proto import p4t

from . import values
from .errors import exhausted, not_found


@dataclass(frozen=True, slots=True)
class Wire:
    """How the values of one field are written: `sdn_bits` wide (None: strings), in the data plane `bits`.

    `decode` raises ValueError for a byte string that is no value.
    """

    bits: int
    sdn_bits: int | None
    decode: Callable[[bytes], int]
    encode: Callable[[int], bytes]

    @property
    def whole(self) -> bool:
        """Whether only whole values can be matched, no parts of their bits (§ 18.1.3)."""
        return self.sdn_bits != self.bits


def plain(bits: int) -> Wire:
    """Values that are written as they are."""
    return Wire(bits, bits, values.decoder(bits), values.encode)


def _number(sdn_bits: int, bits: int) -> Wire:
    number = values.decoder(sdn_bits)

    def decode(data: bytes) -> int:
        value = number(data)
        if value >> bits:
            raise values.OutOfRangeError(f"0x{value:x} stands for no value of {bits} bits")
        return value

    return Wire(bits, sdn_bits, decode, values.encode)


class Names:
    """The strings of one translation, and the values that they stand for.

    Values are given from the highest down, as those that mean something in the data plane tend to be low.
    """

    def __init__(self) -> None:
        self.bits: int | None = None
        self.asking = False
        self._values: dict[bytes, int] = {}
        self._names: dict[int, bytes] = {}

    def wire(self, bits: int | None) -> Wire:
        """How a field of this translation is written; all values have to fit the narrowest one."""
        if bits is not None:
            self.bits = bits if self.bits is None else min(bits, self.bits)
        return Wire(bits or _ANY_BITS, None, self.value, self.name)

    def value(self, name: bytes) -> int:
        """The value that a string stands for.

        Raises:
            ValueError: the string is empty, or the value of a decimal number is too high or has another name.
            P4RuntimeError: RESOURCE_EXHAUSTED, as all values have names; NOT_FOUND while only `asking`.
        """
        known = self._values.get(name)
        if known is not None:
            return known
        if not name:
            raise values.OutOfRangeError("the value is missing (an empty string)")
        value = self._decimal(name)
        if self.asking:
            if value is None or value in self._names:
                raise not_found(f"nothing has the value {name!r}")
            return value
        if value is None:
            value = self._free()
        elif value in self._names:
            raise ValueError(f"the value {value} stands for {self._names[value]!r} already")
        self._values[name], self._names[value] = value, name
        return value

    def name(self, value: int) -> bytes:
        """The string that stands for a value: the one that was given it, or its decimal number."""
        return self._names.get(value) or str(value).encode()

    def adopt(self, other: Names) -> None:
        """Take over what strings stand for, where the values fit."""
        for name, value in other._values.items():
            if not value >> self._limit:
                self._values[name], self._names[value] = value, name

    @property
    def _limit(self) -> int:
        return self.bits or _ANY_BITS

    def _decimal(self, name: bytes) -> int | None:
        if not name.isdigit() or (name[:1] == b"0" and name != b"0"):
            return None
        # Longer ones cannot fit, and Python refuses to convert very long ones.
        value = int(name) if len(name) <= self._limit else 1 << self._limit
        if value >> self._limit:
            raise values.OutOfRangeError(f"{name!r} does not fit {self._limit} bits")
        return value

    def _free(self) -> int:
        value = (1 << self._limit) - 1
        while value in self._names:
            value -= 1
        if value <= 0:
            raise exhausted(f"all values of {self._limit} bits stand for a string already")
        return value


_ANY_BITS = 64
"""For what the program does not have any more."""


class Translations:
    """The translations of one P4Info; types with the same URI share theirs."""

    def __init__(self, info: p4t.P4TypeInfo):
        self._info = info
        self._names: dict[str, Names] = {}

    def translates(self, type_name: str) -> bool:
        """Whether values of a type are written otherwise than the data plane has them."""
        new_type = self._info.new_types.get(type_name)
        return new_type is not None and new_type.WhichOneof("representation") == "translated_type"

    def wire(self, type_name: str, sdn_bits: int, bits: int | None) -> Wire:
        """How values of a type are written, whose P4Info has the width `sdn_bits` and the program `bits`.

        Raises:
            ValueError: neither gives a width.
        """
        if self.translates(type_name):
            translated = self._info.new_types[type_name].translated_type
            if translated.WhichOneof("sdn_type") == "sdn_string":
                return self._names.setdefault(translated.uri or type_name, Names()).wire(bits)
            sdn_bits = translated.sdn_bitwidth
            if sdn_bits > 0 and bits is not None:
                return _number(sdn_bits, bits)
        sdn_bits = sdn_bits or bits or 0  # P4Info gives fields of type error no width
        if sdn_bits <= 0:
            raise ValueError("it has no width")
        return plain(sdn_bits)

    @contextmanager
    def asking(self) -> Generator[None]:
        """Give no string a value meanwhile, as a read changes nothing (§ 13)."""
        for names in self._names.values():
            names.asking = True
        try:
            yield
        finally:
            for names in self._names.values():
                names.asking = False

    def adopt(self, other: Translations) -> None:
        """Let strings stand for what they stood for under another P4Info."""
        for key, names in self._names.items():
            if key in other._names:
                names.adopt(other._names[key])
