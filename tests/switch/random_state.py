"""Random entries and other state for a program."""

from __future__ import annotations

from collections.abc import Sequence

from switch.api import Action, Group, Match, Member, Replica, Target
from switch.generate.shape import ActionShape, KeyShape, Shape, TableShape
from switch.load.expression import Const
from switch.load.primitive import Clone
from tests.switch.pools import PORTS, Pools
from tests.switch.state import (
    CloneSession,
    CounterCell,
    DefaultAction,
    Entry,
    Item,
    MeterCell,
    MulticastGroup,
    Profile,
    RegisterCell,
    State,
    ValueSet,
)

MAX_ENTRIES = 30
_REAL_PORTS = [port for port in PORTS if port != 511]


class RandomState:
    """Draws state for a program of this shape, with these clone primitives, that multicasts or not."""

    def __init__(self, pools: Pools, shape: Shape, clones: Sequence[Clone], multicasts: bool) -> None:
        self.pools = pools
        self.chance = pools.chance
        self.shape = shape
        self.clones = clones
        self.multicasts = multicasts

    def state(self) -> State:
        """Everything that the program can be given."""
        profiles = tuple(
            self._profile(p.name, p.actions, p.selector, p.size) for p in self.shape.profiles if p.actions
        )
        by_name = {profile.name: profile for profile in profiles}
        items: list[Item] = [*self._replication(), *self._value_sets(), *self._cells()]
        for table in self.shape.tables:
            profile = None if table.profile is None else by_name.get(self.shape.profiles[table.profile].name)
            if table.profile is None or profile is not None:
                items += self._table(table, profile)
        return State(profiles, tuple(items))

    def _action(self, actions: tuple[ActionShape, ...]) -> Action:
        action = self.chance.choice(actions)
        return Action(action.name, tuple(self.pools.value(width) for width in action.widths))

    def _profile(self, name: str, actions: tuple[ActionShape, ...], selector: bool, size: int) -> Profile:
        members = tuple(self._action(actions) for _ in range(min(self.chance.randrange(1, 8), size)))
        groups: list[tuple[int, ...]] = []
        if selector:
            for _ in range(min(self.chance.randrange(1, 4), size)):
                count = self.chance.randrange(1, len(members) + 1)
                groups.append(tuple(sorted(self.chance.sample(range(len(members)), count))))
        return Profile(name, members, tuple(groups))

    def _target(self, table: TableShape, profile: Profile | None) -> Target:
        if profile is None:
            return self._action(table.actions)
        if profile.groups and self.chance.random() < 0.7:
            return Group(self.chance.randrange(len(profile.groups)))
        return Member(self.chance.randrange(len(profile.members)))

    def _table(self, table: TableShape, profile: Profile | None) -> list[Item]:
        items: list[Item] = []
        if not table.const_default and table.actions and profile is None and self.chance.random() < 0.6:
            items.append(DefaultAction(table.name, self._target(table, profile)))
        if table.immutable or not table.keys or not table.actions:
            return items
        seen: set[tuple[Match, ...]] = set()
        room = min(table.size - len(table.entries), MAX_ENTRIES)
        for _ in range(self.chance.randrange(room + 1) if room > 0 else 0):
            key = tuple(self._match(shape) for shape in table.keys)
            if key in seen:
                continue
            seen.add(key)
            priority = self.chance.randrange(1, 20) if table.kind == "ternary" else 0
            bursts = self._bursts() if table.meter and self.chance.random() < 0.7 else None
            items.append(Entry(table.name, key, priority, self._target(table, profile), bursts))
        return items

    def _match(self, key: KeyShape) -> Match:
        full = (1 << key.width) - 1
        value = self.pools.value(key.width)
        match key.kind:
            case "lpm":
                length = self.chance.choice((0, key.width, self.chance.randrange(key.width + 1)))
                mask = full ^ (full >> length)
                return Match(value & mask, mask)
            case "ternary":
                mask = self.chance.choice((0, full, full, self.chance.getrandbits(key.width) if full else 0))
                return Match(value & mask, mask)
            case "range":
                other = self.chance.choice((value, full, self.pools.value(key.width)))
                return Match(min(value, other), 0, max(value, other))
            case _:
                return Match(value & key.mask)

    def _bursts(self) -> tuple[int, int]:
        committed = self.chance.randrange(1, 3000)
        return committed, committed + self.chance.randrange(3000)

    def _replication(self) -> list[Item]:
        sessions = {0, 1, 2, 3, 4, 5, 100, 255}
        sessions |= {c.session.value & 0x7FFF for c in self.clones if isinstance(c.session, Const)}
        items: list[Item] = []
        if self.clones:
            items += [
                CloneSession(session, self.chance.choice(_REAL_PORTS))
                for session in sorted(sessions)
                if self.chance.random() < 0.8
            ]
        groups = {value for value in self.pools.pool(16) if 0 < value < 1 << 16} | {1, 2, 3}
        for group in sorted(groups) if self.multicasts else ():
            replicas = tuple(
                Replica(self.chance.choice(_REAL_PORTS), self.chance.getrandbits(16))
                for _ in range(self.chance.randrange(1, 4))
            )
            items.append(MulticastGroup(group, replicas))
        return items

    def _value_sets(self) -> list[Item]:
        items: list[Item] = []
        for value_set in self.shape.value_sets:
            members = {
                tuple(self.pools.value(key.width) for key in value_set.keys)
                for _ in range(self.chance.randrange(4))
            }
            items.append(ValueSet(value_set.name, tuple(sorted(members))))
        return items

    def _cells(self) -> list[Item]:
        items: list[Item] = []
        for name, size, width in self.shape.registers:
            # The CLI takes what fits 32 bits with a sign.
            for index in {self.chance.randrange(size) for _ in range(4)} if size else ():
                value = self.chance.getrandbits(min(width, 31))
                items.append(RegisterCell(name, index, value))
        for name, size in self.shape.counters:
            for index in {self.chance.randrange(size) for _ in range(2)} if size else ():
                items.append(CounterCell(name, index, self.chance.randrange(99), self.chance.randrange(9999)))
        for name, size, _ in self.shape.meters:
            for index in {self.chance.randrange(min(size, 8)) for _ in range(4)} if size else ():
                items.append(MeterCell(name, index, self._bursts()))
        return items
