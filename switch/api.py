"""What a loaded pipeline offers to whoever controls it, in the program's own names.

The P4Runtime server is written against `Pipeline`; `switch.dataplane` implements it over native code.
Values are unsigned integers unless said otherwise; widths are the program's. Nothing here validates against
P4Info: that is the server's work, and an unknown name is a `KeyError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

PORT_MASK = 0x1FF  # v1model: PortId_t is 9 bits wide


class Match(NamedTuple):
    """One key field of an entry.

    exact and optional: `value` (mask all ones, or 0 for an absent optional); lpm: the mask is a
    prefix; ternary: `value & mask`; range: `value` is the low bound and `high` the high one, both inclusive.
    """

    value: int
    mask: int = 0
    high: int = 0


class Action(NamedTuple):
    """A call of the action `name` with its parameters in order."""

    name: str
    params: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """An entry's result: the member `handle` of the table's action profile."""

    handle: int


@dataclass(frozen=True, slots=True)
class Group:
    """An entry's result: the group `handle` of the table's action selector."""

    handle: int


Target = Action | Member | Group


class CounterValue(NamedTuple):
    """What a counter cell holds."""

    packets: int = 0
    bytes: int = 0


class ExistsError(ValueError):
    """What is to be added is there already."""


class Row(NamedTuple):
    """An entry as the pipeline holds it; where the table has no direct counter, `counter` is zero."""

    handle: int
    key: tuple[Match, ...]
    priority: int
    target: Target
    counter: CounterValue = CounterValue()


@dataclass(frozen=True, slots=True)
class InitialEntry:
    """An entry that the program itself declares and that is there from the start."""

    handle: int
    key: tuple[Match, ...]
    priority: int
    action: Action


@dataclass(frozen=True, slots=True)
class Bucket:
    """A member of a group, `weight` times; `watch_port` takes it out of the draw while that port is down."""

    member: int
    weight: int = 1
    watch_port: int | None = None


@dataclass(frozen=True, slots=True)
class MeterRates:
    """Two rates of a trTCM (RFC 2698), in bytes or packets per second; bursts in the same unit.

    With `eburst` it is a single-rate meter (RFC 2697): `pir` and `pburst` are those of `cir`.
    """

    cir: int
    cburst: int
    pir: int
    pburst: int
    eburst: int = 0


class Marked(NamedTuple):
    """What a meter has marked, by colour."""

    green: CounterValue = CounterValue()
    yellow: CounterValue = CounterValue()
    red: CounterValue = CounterValue()


@dataclass(frozen=True, slots=True)
class Replica:
    """One copy a multicast group or clone session makes."""

    port: int
    instance: int = 0


@dataclass(frozen=True, slots=True)
class Digest:
    """One message a pipeline sent with `digest()`: the learn list's name and its field values in order."""

    name: str
    values: tuple[int, ...]


class Pipeline(Protocol):
    """A running program. Every call is seen whole or not at all by the packet path."""

    def batch(self) -> AbstractContextManager[None]:
        """Make all calls inside the block visible to packets at one instant."""
        ...

    def table_insert(self, table: str, key: Sequence[Match], priority: int, target: Target) -> int:
        """Add an entry and return its handle; a higher `priority` wins (0 where the table has no priorities).

        Raises:
            ExistsError: the table has an entry with this key and priority.
            OverflowError: the table holds as many entries as its size promises.
        """
        ...

    def table_find(self, table: str, key: Sequence[Match], priority: int) -> int:
        """The handle of the entry with this key and priority, or 0."""
        ...

    def table_row(self, table: str, handle: int) -> Row:
        """An entry by its handle."""
        ...

    def table_rows(self, table: str) -> Iterator[Row]:
        """All entries, those first that have smaller handles; what is added meanwhile may be missed."""
        ...

    def table_modify(self, table: str, handle: int, target: Target) -> None:
        """Give an entry a new result; its direct counter and meter stay."""
        ...

    def table_delete(self, table: str, handle: int) -> None:
        """Remove an entry."""
        ...

    def table_default(self, table: str, target: Target | None) -> None:
        """Set the default action, or with None the one the program declares."""
        ...

    def initial_entries(self, table: str) -> Sequence[InitialEntry]:
        """The entries that the program declares (`const entries`); their handles read their counters."""
        ...

    def table_idle(self, table: str, handle: int, timeout_ns: int) -> None:
        """Report the entry through `on_idle` when no packet hit it for `timeout_ns`; 0 stops that."""
        ...

    def table_last_hit_ns(self, table: str, handle: int) -> int:
        """Nanoseconds since the entry was last hit (or added)."""
        ...

    def member_add(self, profile: str, action: Action) -> int:
        """Add a member to an action profile or selector and return its handle."""
        ...

    def member_modify(self, profile: str, handle: int, action: Action) -> None:
        """Change a member's action."""
        ...

    def member_delete(self, profile: str, handle: int) -> None:
        """Remove a member that no group and no entry uses."""
        ...

    def group_add(self, profile: str, buckets: Sequence[Bucket]) -> int:
        """Add a group and return its handle."""
        ...

    def group_modify(self, profile: str, handle: int, buckets: Sequence[Bucket]) -> None:
        """Replace a group's buckets at one instant."""
        ...

    def group_delete(self, profile: str, handle: int) -> None:
        """Remove a group that no entry uses."""
        ...

    def direct_counter(self, table: str, handle: int) -> CounterValue:
        """Read an entry's direct counter."""
        ...

    def direct_counter_set(self, table: str, handle: int, value: CounterValue) -> None:
        """Write an entry's direct counter."""
        ...

    def counter(self, name: str, index: int) -> CounterValue:
        """Read one cell of an indirect counter."""
        ...

    def counter_set(self, name: str, index: int, value: CounterValue) -> None:
        """Write one cell of an indirect counter."""
        ...

    def meter_set(self, name: str, index: int, rates: MeterRates | None) -> None:
        """Configure one cell of an indirect meter; None lets everything pass green."""
        ...

    def direct_meter_set(self, table: str, handle: int, rates: MeterRates | None) -> None:
        """Configure an entry's direct meter; None lets everything pass green."""
        ...

    def meter_marked(self, name: str, index: int) -> Marked:
        """What one cell of an indirect meter has marked."""
        ...

    def meter_marked_set(self, name: str, index: int, marked: Marked) -> None:
        """Write what one cell of an indirect meter has marked."""
        ...

    def direct_meter_marked(self, table: str, handle: int) -> Marked:
        """What an entry's direct meter has marked."""
        ...

    def direct_meter_marked_set(self, table: str, handle: int, marked: Marked) -> None:
        """Write what an entry's direct meter has marked."""
        ...

    def register(self, name: str, index: int) -> int:
        """Read one cell of a register."""
        ...

    def register_set(self, name: str, index: int, value: int) -> None:
        """Write one cell of a register."""
        ...

    def value_set(self, name: str, members: Sequence[tuple[Match, ...]]) -> None:
        """Replace a parser value set's members, each field `value & mask`."""
        ...

    def multicast_set(self, group: int, replicas: Sequence[Replica]) -> None:
        """Replace a multicast group's replicas; none removes it."""
        ...

    def clone_session_set(self, session: int, replicas: Sequence[Replica], truncate: int = 0) -> None:
        """Replace a clone session's replicas (copies cut to `truncate` bytes, 0: whole); none removes it."""
        ...

    def packet_out(self, packet: bytes) -> None:
        """Run a packet through the pipeline as if it came in on the CPU port (headers already serialised)."""
        ...

    def on_packet_in(self, callback: Callable[[bytes], None]) -> None:
        """Call `callback` with each packet sent to the CPU port, never from the packet thread."""
        ...

    def on_digest(self, callback: Callable[[Sequence[Digest]], None]) -> None:
        """Call `callback` with digests as they come, from a thread that is not the packet thread."""
        ...

    def on_idle(self, callback: Callable[[str, int], None]) -> None:
        """Call `callback` with (table, handle) when an entry's idle timeout passes."""
        ...
