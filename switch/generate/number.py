"""C types for integers of a known range, and conversions between them."""

from __future__ import annotations

from dataclasses import dataclass

_NATIVE = (32, 64, 128)
_NAMES = {
    (32, False): "uint32_t",
    (32, True): "int32_t",
    (64, False): "uint64_t",
    (64, True): "int64_t",
    (128, False): "u128",
    (128, True): "i128",
}


@dataclass(frozen=True, slots=True)
class CType:
    """A native integer of 32, 64 or 128 bits, or limbs (always two's complement) for more."""

    bits: int
    signed: bool

    @property
    def wide(self) -> bool:
        """Whether this is limbs."""
        return self.bits > 128

    @property
    def limbs(self) -> int:
        """Number of 64-bit limbs."""
        return self.bits // 64

    @property
    def name(self) -> str:
        """What C calls it."""
        return f"w{self.limbs}" if self.wide else _NAMES[self.bits, self.signed]


def unsigned(width: int) -> CType:
    """The smallest unsigned type with at least `width` bits, for arithmetic modulo 2^bits."""
    for bits in _NATIVE:
        if width <= bits:
            return CType(bits, signed=False)
    return CType((width + 63) // 64 * 64, signed=True)


def holding(low: int, high: int) -> CType:
    """The smallest type that has every value in [low, high]."""
    if low >= 0:
        width = high.bit_length()
        # Limbs are signed: a number that is not negative needs one bit more.
        return unsigned(width) if width <= 128 else unsigned(width + 1)
    width = max((~low).bit_length(), high.bit_length()) + 1
    for bits in _NATIVE:
        if width <= bits:
            return CType(bits, signed=True)
    return CType((width + 63) // 64 * 64, signed=True)


def storage(width: int) -> str:
    """The C type in which a field of `width` bits is kept."""
    for bits in (8, 16, 32, 64):
        if width <= bits:
            return f"uint{bits}_t"
    return "u128" if width <= 128 else f"w{(width + 63) // 64}"


def constant(value: int, ctype: CType) -> str:
    """A literal of this type, reduced modulo 2^bits."""
    reduced = value & ((1 << ctype.bits) - 1)
    if ctype.wide:
        limbs = ", ".join(f"{reduced >> (64 * i) & (1 << 64) - 1:#x}ull" for i in range(ctype.limbs))
        return f"(({ctype.name}){{{{{limbs}}}}})"
    if ctype.bits == 128:
        low, high = reduced & ((1 << 64) - 1), reduced >> 64
        return f"(({ctype.name})((u128){high:#x}ull << 64 | {low:#x}ull))"
    suffix = "u" if ctype.bits == 32 else "ull"
    return f"(({ctype.name}){reduced:#x}{suffix})"


def convert(code: str, have: CType, want: CType) -> str:
    """An expression of type `have` as one of type `want`: value kept, or reduced modulo 2^bits."""
    if have == want or (have.wide and have.bits == want.bits):
        return code
    if not want.wide:
        return f"(({want.name}){have.name}_low({code}))" if have.wide else f"(({want.name}){code})"
    if have.wide:
        return f"({{ {have.name} s_ = {code}; {want.name}_resize(s_.w, {have.limbs}); }})"
    return f"{want.name}_from_{'i128' if have.signed else 'u128'}({code})"
