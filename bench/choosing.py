"""The work of `programs/choose.p4`: functions, groups of instances and frames, and who does it.

`Generated` is the program as the embedded switch compiles it, `Handwritten` is `native/choose.c`. Both hold
the same functions and groups and are given the same frames, in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import native
from bench.keys import random_keys
from bench.programs import CHOOSE
from switch.api import Action, Bucket, Group, Match
from switch.dataplane import Dataplane

IN_PORT, OUT_PORT = 1, 2
GROUPS = 64
WEIGHTS = (1, 2, 3, 4) * 4
"""Of each group's instances."""
INSTANCES = len(WEIGHTS)
FRAME_BYTES = 64
ROUTER_MAC = 0x0200_0000_0100
FIRST_INSTANCE_MAC = 0x0200_0001_0000
_CALL_PORT = 50000
_SEED = 1

Frames = NDArray[np.void]

_FRAME = np.dtype(
    [
        ("dst_mac", "V6"), ("src_mac", "V6"), ("ether_type", ">u2"),
        ("version_ihl", "u1"), ("diffserv", "u1"), ("total_len", ">u2"), ("identification", ">u2"),
        ("fragment", ">u2"), ("ttl", "u1"), ("protocol", "u1"), ("ip_checksum", ">u2"),
        ("src", ">u4"), ("dst", ">u4"),
        ("src_port", ">u2"), ("dst_port", ">u2"), ("udp_len", ">u2"), ("udp_checksum", ">u2"),
        ("function", ">u8"), ("payload", f"V{FRAME_BYTES - 50}"),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Catalogue:
    """Functions (64-bit keys, distinct) and the number of the group of each, from 0."""

    functions: NDArray[np.uint64]
    group_of: NDArray[np.uint32]

    @classmethod
    def of(cls, count: int) -> Catalogue:
        """Return `count` random functions, the same each time."""
        draw = np.random.default_rng(_SEED)
        return cls(random_keys(count), draw.integers(GROUPS, size=count, dtype=np.uint32))


def frames(catalogue: Catalogue, count: int) -> Frames:
    """Return `count` calls of random flows, each of a function drawn anew; their checksums are left out."""
    draw = np.random.default_rng(_SEED + 1)
    made = np.zeros(count, dtype=_FRAME)
    made["dst_mac"], made["src_mac"] = _mac(ROUTER_MAC), _mac(ROUTER_MAC + 1)
    made["ether_type"], made["version_ihl"], made["ttl"], made["protocol"] = 0x0800, 0x45, 64, 17
    made["total_len"], made["udp_len"] = FRAME_BYTES - 14, FRAME_BYTES - 34
    made["src"], made["dst"] = draw.integers(1 << 32, size=count), 0x0AFF0001
    made["src_port"], made["dst_port"] = draw.integers(1 << 16, size=count), _CALL_PORT
    made["function"] = draw.choice(catalogue.functions, size=count)
    return made


def oddities(catalogue: Catalogue) -> Frames:
    """Return a call, and frames that are none of a known function, each for a reason of its own."""
    made = np.repeat(frames(catalogue, 1), 6)
    made["function"][1] = made["function"][0] ^ np.uint64(1)
    made["ether_type"][2] = 0x86DD
    made["version_ihl"][3] = 0x46
    made["protocol"][4] = 6
    made["dst_port"][5] = _CALL_PORT + 1
    return made


class Generated:
    """The program on the embedded switch, in memory; with `table_stats` it counts hits and misses."""

    def __init__(self, catalogue: Catalogue, table_stats: bool = False) -> None:
        self._dataplane = Dataplane(CHOOSE.json.read_bytes(), table_stats=table_stats)
        members = [
            self._dataplane.member_add(
                "Incoming.instances",
                Action("Incoming.to_instance", (OUT_PORT, ROUTER_MAC, FIRST_INSTANCE_MAC + number)),
            )
            for number in range(GROUPS * INSTANCES)
        ]
        groups = [
            Group(
                self._dataplane.group_add(
                    "Incoming.instances",
                    [
                        Bucket(member, weight)
                        for member, weight in zip(members[first : first + INSTANCES], WEIGHTS, strict=True)
                    ],
                )
            )
            for first in range(0, GROUPS * INSTANCES, INSTANCES)
        ]
        pairs = zip(catalogue.functions.tolist(), catalogue.group_of.tolist(), strict=True)
        for function, group in pairs:
            self._dataplane.table_insert("Incoming.function", [Match(function)], 0, groups[group])

    def outputs(self, frames: Frames) -> list[bytes | None]:
        """Return what comes out of OUT_PORT for each frame, None where nothing does."""
        found: list[bytes | None] = []
        for frame in frames:
            out = self._dataplane.inject(IN_PORT, frame.tobytes())
            found.append(out[0][1] if [port for port, _ in out] == [OUT_PORT] else None)
        return found

    def ns_per_packet(self, frames: Frames, rounds: int) -> float:
        """Return the processor time of one frame when all are run `rounds` times."""
        return self._dataplane.bench(IN_PORT, [frame.tobytes() for frame in frames], rounds)

    def close(self) -> None:
        """Give the memory back."""
        self._dataplane.close()


class Handwritten:
    """The same work in C by hand."""

    def __init__(self, catalogue: Catalogue, directory: Path) -> None:
        self._ffi, self._lib = native.load("choose", directory)
        instances = self._ffi.new("struct choose_instance[]", GROUPS * INSTANCES)
        for number, instance in enumerate(instances):
            instance.destination_mac = _mac(FIRST_INSTANCE_MAC + number)
            instance.source_mac = _mac(ROUTER_MAC)
            instance.port = OUT_PORT
            instance.weight = WEIGHTS[number % INSTANCES]
        self._choose = self._lib.choose_new(
            self._ffi.from_buffer("uint64_t[]", catalogue.functions),
            self._ffi.from_buffer("uint32_t[]", catalogue.group_of),
            len(catalogue.functions),
            instances,
            GROUPS,
            INSTANCES,
        )
        if self._choose == self._ffi.NULL:
            raise MemoryError("no memory for the functions")

    def outputs(self, frames: Frames) -> list[bytes | None]:
        """Return what comes out of OUT_PORT for each frame, None where nothing does."""
        rewritten = frames.copy()
        ports = np.zeros(len(frames), dtype=np.uint16)
        listed = self._ffi.new("struct choose_frame[]", len(frames))
        for number, frame in enumerate(listed):
            frame.data = self._data(rewritten) + number * FRAME_BYTES
            frame.length = FRAME_BYTES
        self._lib.choose_run(self._choose, listed, len(frames), self._ffi.from_buffer("uint16_t[]", ports))
        return [
            frame.tobytes() if port == OUT_PORT else None
            for frame, port in zip(rewritten, ports, strict=True)
        ]

    def ns_per_packet(self, frames: Frames, rounds: int) -> float:
        """Return the processor time of one frame when all are run `rounds` times."""
        return self._lib.choose_bench(
            self._choose, self._data(frames.copy()), FRAME_BYTES, len(frames), rounds
        )

    def close(self) -> None:
        """Give the memory back."""
        self._lib.choose_free(self._choose)

    def _data(self, frames: Frames) -> Any:
        return self._ffi.from_buffer("uint8_t[]", frames.view(np.uint8))


def _mac(address: int) -> bytes:
    return address.to_bytes(6, "big")
