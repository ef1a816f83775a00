"""One round of the differential test: the same state and packets on both switches."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from switch.api import CounterValue
from switch.dataplane import Dataplane
from switch.generate import generate
from switch.generate.layout import walk
from switch.generate.shape import table_actions
from switch.load import load
from switch.load.primitive import Assign, Clone, Recirculate, RegisterRead, RegisterWrite, Resubmit
from switch.load.program import Program
from tests.switch.bmv2 import Bmv2
from tests.switch.determinism import for_bmv2, settled
from tests.switch.hints import compared
from tests.switch.pools import constants
from tests.switch.state import Commands, State, cells, install

ROUND_WINDOW = 256  # packets at once in a program that sends packets round: that queue holds 1024
REGISTER_MOST = (1 << 63) - 1  # that Thrift tells of a register's cell
_COUNTER = re.compile(r"(\S+)\[(\d+)\]= \((\d+) bytes, (\d+) packets\)")
_REGISTER = re.compile(r"(\S+)= (.*)")


@dataclass(frozen=True)
class Case:
    """What both switches get: state, then packets that come in on a port."""

    state: State
    packets: tuple[bytes, ...]
    port: int


@dataclass(frozen=True)
class Difference:
    """Where the two differ: `packet` is the number of the packet that shows it, if one does."""

    where: str
    embedded: str
    bmv2: str
    packet: int | None = None


class Subject:
    """A program as both switches run it."""

    def __init__(self, program_json: bytes) -> None:
        self.json = settled(program_json)
        self.bmv2_json = for_bmv2(self.json)
        self.program = load(self.json)
        self.shape = generate(self.program).shape
        self.commands = Commands(self.shape, self.json)
        self.named = constants(self.json, self.program)
        self.compared = compared(self.program)
        parts = list(walk((self.program.actions, self.program.states)))
        self.clones = [part for part in parts if isinstance(part, Clone)]
        self.multicasts = any(
            isinstance(p, Assign) and p.dst == self.program.standard_field("mcast_grp") for p in parts
        )
        # What goes round, or is copied on the way out, overtakes and is overtaken in BMv2.
        self.ordered = not any(
            isinstance(p, (Resubmit, Recirculate)) or (isinstance(p, Clone) and p.egress) for p in parts
        )
        self.window = 1 if _meet(self.program, self.ordered) else None if self.ordered else ROUND_WINDOW

    def without_loops(self, case: Case) -> Case:
        """The case without packets that breed copies without end: BMv2 never stops them."""
        dataplane = Dataplane(self.json)
        try:
            install(case.state, dataplane)
            packets: list[bytes] = []
            lost = 0
            for packet in case.packets:
                dataplane.inject(case.port, packet)
                now = dataplane.ended()["lost_to_loop"]
                if now == lost:
                    packets.append(packet)
                lost = now
            return dataclasses.replace(case, packets=tuple(packets))
        finally:
            dataplane.close()

    def embedded(self, case: Case) -> Outcome:
        """Run a case on the embedded switch."""
        dataplane = Dataplane(self.json)
        try:
            handles = install(case.state, dataplane)
            sent: list[tuple[int, int, bytes]] = []
            for number, packet in enumerate(case.packets):
                sent += [(number, port, out) for port, out in dataplane.inject(case.port, packet)]
            direct = [table.name for table in dataplane.shape.tables if table.counters]
            told = cells(dataplane, handles, direct)
            return Outcome(tuple(sent), told)
        finally:
            dataplane.close()

    def bmv2(self, case: Case, wanted: Sequence[tuple[str, int]]) -> tuple[dict[int, list[bytes]], Cells]:
        """Run a case on BMv2; also read the cells asked for."""
        with Bmv2(self.bmv2_json, case.port) as switch:
            self.commands.install(case.state, switch)
            switch.send(case.packets, self.window)
            return switch.outputs(), self._cells(switch, wanted)

    def _cells(self, switch: Bmv2, wanted: Sequence[tuple[str, int]]) -> Cells:
        registers = {register.name for register in self.program.registers}
        lines = [f"register_read {name}" for name in sorted({n for n, _ in wanted if n in registers})]
        names = {self.commands.direct_counters.get(name, name): name for name, _ in wanted}
        by_table = self.commands.direct_counters
        lines += [
            f"counter_read {by_table.get(name, name)} {index}"
            for name, index in wanted
            if name not in registers
        ]
        found: Cells = {}
        for line in switch.cli(lines).splitlines():
            text = line.removeprefix("RuntimeCmd: ")
            if match := _COUNTER.search(text):
                counted = CounterValue(int(match[4]), int(match[3]))
                found[names.get(match[1], match[1]), int(match[2])] = counted
            elif (match := _REGISTER.match(text)) and match[1] in registers:
                for index, value in enumerate(match[2].split(", ")):
                    found[match[1], index] = int(value)
        asked = set(wanted)
        return {cell: value for cell, value in found.items() if cell in asked}

    def compare(self, case: Case) -> tuple[Difference | None, int]:
        """The first difference, and how many packets came out of BMv2."""
        if not self.ordered:
            case = self.without_loops(case)
        here = self.embedded(case)
        outputs, told = self.bmv2(case, list(here.cells))
        count = sum(len(packets) for packets in outputs.values())
        difference = self._packets(here, outputs)
        if difference is None:
            difference = _cell_difference(here.cells, told)
        return difference, count

    def _packets(self, here: Outcome, outputs: dict[int, list[bytes]]) -> Difference | None:
        mine: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
        for number, port, packet in here.sent:
            mine[port].append((number, packet))
        for port in sorted({*mine, *outputs}):
            ours, theirs = mine[port], outputs.get(port, [])
            if [packet for _, packet in ours] == theirs:
                continue
            if self.ordered:
                return _first(port, ours, theirs)
            missing = Counter(theirs)
            missing.subtract(packet for _, packet in ours)
            if wrong := {packet for packet, count in missing.items() if count}:
                number = next((n for n, packet in ours if packet in wrong), None)
                shown = [packet.hex() for packet in wrong if missing[packet] > 0]
                extra = [packet.hex() for packet in wrong if missing[packet] < 0]
                return Difference(f"port {port}", f"{extra[:2]}", f"{shown[:2]}", number)
        return None


def _meet(program: Program, ordered: bool) -> bool:
    """Whether it is chance on BMv2 whether a packet finds what the one before it wrote to a register.

    Its egress runs beside its ingress, and in several threads (nb_egress_threads in simple_switch.h).
    """
    tables = [program.tables[number] for number in program.egress.tables] if ordered else program.tables
    actions = tuple(program.actions[action] for table in tables for action in table_actions(program, table))
    used = {part.register for part in walk(actions) if isinstance(part, (RegisterRead, RegisterWrite))}
    written = {part.register for part in walk(program.actions) if isinstance(part, RegisterWrite)}
    return not used.isdisjoint(written)


Cells = dict[tuple[str, int], CounterValue | int]


@dataclass(frozen=True)
class Outcome:
    """What the embedded switch did: (number of the packet, port, bytes) in order, and its cells."""

    sent: tuple[tuple[int, int, bytes], ...]
    cells: Cells


def _first(port: int, ours: list[tuple[int, bytes]], theirs: list[bytes]) -> Difference:
    for at in range(max(len(ours), len(theirs))):
        number, mine = ours[at] if at < len(ours) else (None, None)
        other = theirs[at] if at < len(theirs) else None
        if mine != other:
            shown = (packet.hex() if packet is not None else "nothing" for packet in (mine, other))
            return Difference(f"port {port}, its packet {at}", *shown, number)
    raise AssertionError("there is a difference")


def _cell_difference(ours: Cells, theirs: Cells) -> Difference | None:
    for cell, value in ours.items():
        mine = min(value, REGISTER_MOST) if isinstance(value, int) else value
        if theirs.get(cell) != mine:
            return Difference(f"{cell[0]}[{cell[1]}]", f"{mine}", f"{theirs.get(cell)}")
    return None
