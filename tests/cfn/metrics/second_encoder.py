"""A second encoder of metrics, from docs/metrics.md alone: rationals, and protobuf's wire format by hand.

It imports nothing of the project. The default profile is read out of the document's table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, getcontext
from fractions import Fraction
from pathlib import Path

getcontext().prec = 80

DOCUMENT = Path(__file__).parents[3] / "docs" / "metrics.md"
CATEGORIES = {"compute": 1, "communication": 2, "service": 3, "composed": 4}
NORM_FI = 5
MADE_OF = (1, 2, 3)
FUNCTIONS = {"min-max": 1, "log": 2, "sigmoid": 3}
COMPUTE = {
    "compute_logic_utilisation": 1,
    "compute_parallel_utilisation": 2,
    "compute_neural_utilisation": 3,
}
AMOUNTS = {"memory_size": 3, "memory_left": 4, "storage_size": 5, "storage_left": 6, "power": 7}

Row = tuple[str, int, str, int, int, int]
Trace = Sequence[tuple[str, int, int]]
"""Metric, value and window of each sample."""
Tenths = dict[int, tuple[int, int]]
"""Tenths and window by category."""


def documented_profile() -> list[Row]:
    section = DOCUMENT.read_text().split("## What is normalised how")[1].split("\n## ")[0]
    rows: list[Row] = []
    for line in section.splitlines():
        cells = [cell.strip().strip("`") for cell in line.split("|")[1:-1]]
        if len(cells) == 6 and cells[5].isdigit():
            metric, category, function, first, second, weight = cells
            rows.append((metric, CATEGORIES[category], function, int(first), int(second), int(weight)))
    return rows


def rounded(x: Fraction) -> int:
    return math.floor(x + Fraction(1, 2))


def tenths(function: str, first: int, second: int, x: int) -> int:
    if function == "min-max":
        f = Fraction(x - first, second - first)
    elif function == "log":
        low, high = min(first, second), max(first, second)
        kept = Decimal(min(high, max(low, x)))
        f = Fraction((kept / first).ln() / (Decimal(second) / first).ln())
    else:
        f = Fraction(1 / (1 + (Decimal(first - x) / second).exp()))
    return rounded(100 * min(Fraction(1), max(Fraction(0), f)))


def level1(profile: Iterable[Row], samples: Trace) -> Tenths:
    found: Tenths = {}
    for category in CATEGORIES.values():
        parts = [
            (tenths(function, first, second, value), weight, window)
            for metric, of, function, first, second, weight in profile
            for name, value, window in samples
            if of == category and name == metric
        ]
        if parts:
            mean = Fraction(sum(t * w for t, w, _ in parts), sum(w for _, w, _ in parts))
            found[category] = rounded(mean), max(window for _, _, window in parts)
    return found


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value) if value else b""


def block(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def metrics(field: int, own: Tenths, shared: Tenths) -> bytes:
    told = [(kind, *own[kind]) for kind in sorted(own)]
    counted = [both[kind] for both in [{**shared, **own}] for kind in MADE_OF if kind in both]
    if counted:
        told.append((NORM_FI, min(t for t, _ in counted), max(w for _, w in counted)))
    return b"".join(
        block(field, number(1, kind) + number(2, rounded(Fraction(t, 10))) + number(3, window))
        for kind, t, window in told
    )


def resources(samples: Mapping[str, tuple[int, int]]) -> bytes:
    there = {name: samples[name] for name in (*COMPUTE, *AMOUNTS) if name in samples}
    if not there:
        return b""
    content = number(1, max(window for _, window in there.values()))
    content += b"".join(
        block(2, number(1, kind) + number(2, there[name][0]))
        for name, kind in COMPUTE.items()
        if name in there
    )
    content += b"".join(number(field, there[name][0]) for name, field in AMOUNTS.items() if name in there)
    return block(12, content)


def profile_bytes(profile: Iterable[Row]) -> bytes:
    content = b""
    for metric, category, function, first, second, weight in profile:
        # sint64 is zigzag: twice the number, less one where it is negative.
        parameters = b"".join(varint(2 * p if p >= 0 else -2 * p - 1) for p in (first, second))
        content += block(
            1,
            block(1, metric.encode())
            + number(2, category)
            + number(3, FUNCTIONS[function])
            + block(4, parameters)
            + number(5, weight),
        )
    made_of = b"".join(map(varint, MADE_OF))
    return block(13, content + number(2, 1) + number(3, 2) + block(4, made_of))


def encode(site: Trace, instances: Mapping[int, Trace]) -> bytes:
    """The fields of an advert that metrics have a part in; of an instance its number and metrics."""
    profile = documented_profile()
    shared = level1(profile, site)
    own = {instance: level1(profile, samples) for instance, samples in instances.items()}
    out = b"".join(block(8, number(2, instance) + metrics(13, of, shared)) for instance, of in own.items())
    of_site: Tenths = {}
    for category in CATEGORIES.values():
        parts = [of[category] for of in own.values() if category in of]
        if parts:
            mean = rounded(Fraction(sum(t for t, _ in parts), len(parts)))
            of_site[category] = mean, max(window for _, window in parts)
    of_site |= shared
    out += metrics(11, of_site, {})
    out += resources({name: (value, window) for name, value, window in site})
    return out + (profile_bytes(profile) if of_site else b"")
