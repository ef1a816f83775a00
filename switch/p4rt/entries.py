"""Table entries: what one holds, and the messages it is written and read by (§ 9.1)."""

from __future__ import annotations

from dataclasses import dataclass

from finsy.proto import p4r

from .. import api
from . import meters, one_shots
from .codec import ActionCodec, Key, KeyCodec, check_scope
from .errors import denied, invalid_argument
from .one_shots import ActionSet, OneShot
from .p4info import TableSpec
from .profiles import GroupState, MemberState, Profile


@dataclass(frozen=True, slots=True)
class MemberRef:
    """An entry's result: a member of the table's profile, by its id."""

    member_id: int


@dataclass(frozen=True, slots=True)
class GroupRef:
    """An entry's result: a group of the table's selector, by its id."""

    group_id: int


Request = api.Action | MemberRef | GroupRef | ActionSet
"""A result that a client asks for, checked."""

Result = api.Action | MemberState | GroupState | OneShot
"""A result in force; all but an action are shared with the profile that has them."""


@dataclass(frozen=True, slots=True)
class Note:
    """What the pipeline has no place for: opaque to it, or only to be read back."""

    controller_metadata: int = 0
    metadata: bytes = b""
    idle_timeout_ns: int = 0
    rates: api.MeterRates | None = None
    is_const: bool = False


PLAIN = Note()
"""The note of an entry that nothing is to be noted of."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry in force, as it is now; in a table without priorities its priority is 0."""

    row: api.Row
    result: Result
    note: Note


class EntryCodec:
    """The entries of one table as messages."""

    def __init__(self, spec: TableSpec, actions: ActionCodec, profile: Profile | None):
        self.spec = spec
        self.name = f"table {spec.name}"
        self._prioritised = spec.prioritised
        self.keys = KeyCodec(self.name, spec.fields)
        self._actions = actions
        self._profile = profile

    def key(self, message: p4r.TableEntry) -> tuple[Key, int]:
        """The match key and priority, which identify an entry.

        Raises:
            P4RuntimeError: INVALID_ARGUMENT.
        """
        if self._prioritised:
            if message.priority <= 0:
                raise invalid_argument(f"{self.name}: an entry needs a priority above 0")
        elif message.priority:
            raise invalid_argument(f"{self.name}: entries have no priority, it must be 0")
        return self.keys.decode(message.match), message.priority

    def request(self, message: p4r.TableAction) -> Request:
        """The checked result of an entry (§ 9.1.2); whether its member or group exists is not seen here."""
        kind = message.WhichOneof("type")
        if self._profile is None:
            if kind != "action":
                raise invalid_argument(f"{self.name} takes an action, not {kind or 'nothing'}")
            check_scope(self.spec, message.action.action_id, default=False)
            return self._actions.decode(self.name, message.action)
        match kind:
            case "action_profile_member_id":
                self._profile.require_manual()
                return MemberRef(message.action_profile_member_id)
            case "action_profile_group_id" if self._profile.spec.selector:
                self._profile.require_manual()
                return GroupRef(message.action_profile_group_id)
            case "action_profile_action_set":
                return one_shots.check(self._profile, message.action_profile_action_set)
            case _:
                raise invalid_argument(
                    f"{self.name} takes what its action profile has, not {kind or 'nothing'}"
                )

    def default_action(self, message: p4r.TableAction) -> api.Action:
        """The checked action of a default entry (§ 9.1.3)."""
        if message.WhichOneof("type") != "action":
            raise invalid_argument(f"{self.name}: the default entry takes an action")
        check_scope(self.spec, message.action.action_id, default=True)
        return self._actions.decode(self.name, message.action)

    def check_fields(self, message: p4r.TableEntry) -> None:
        """Refuse what no write of this table may hold, whatever its type (§ 9.1, 9.1.7, 9.1.8)."""
        self.refuse_is_const(message)
        if message.HasField("counter_data") and self.spec.counter_id is None:
            raise invalid_argument(f"{self.name} has no direct counter")
        if message.HasField("meter_config") and self.spec.meter is None:
            raise invalid_argument(f"{self.name} has no direct meter")
        if message.HasField("meter_counter_data"):
            if self.spec.meter is None:
                raise invalid_argument(f"{self.name} has no direct meter")
            meters.require_zero(self.name, message.meter_counter_data)
        if message.HasField("time_since_last_hit"):
            raise invalid_argument(f"{self.name}: time_since_last_hit is for the switch to say")
        if message.idle_timeout_ns < 0:
            raise invalid_argument(f"{self.name}: idle_timeout_ns is negative")
        if message.idle_timeout_ns and not self.spec.idle_timeout:
            raise invalid_argument(f"{self.name} does not support idle timeouts")

    def rates(self, message: p4r.TableEntry) -> api.MeterRates | None:
        """The direct meter's configuration, None for the default (all green)."""
        if self.spec.meter is None or not message.HasField("meter_config"):
            return None
        return meters.decode(self.spec.meter, message.meter_config)

    def refuse_is_const(self, message: p4r.TableEntry) -> None:
        """No write may set `is_const` (§ 9.1)."""
        if message.is_const:
            raise invalid_argument(f"{self.name}: is_const is for the switch to say")

    def refuse_const_changes(self, message: p4r.TableEntry) -> None:
        """Of an entry that the program declares const only direct resources can be modified (§ 9.1.4)."""
        if message.HasField("action"):
            raise denied(f"{self.name}: the entry is const, its action cannot be given")
        if cookie(message) or message.metadata or message.idle_timeout_ns:
            raise denied(f"{self.name}: the entry is const, it takes neither metadata nor idle timeout")

    def note(self, message: p4r.TableEntry) -> Note:
        """What is to be kept of a message beside key and result."""
        opaque, metadata, timeout = cookie(message), message.metadata, message.idle_timeout_ns
        rates = self.rates(message)
        if opaque or metadata or timeout or rates is not None:
            return Note(opaque, metadata, timeout, rates)
        return PLAIN

    def encode(self, entry: Entry, message: p4r.TableEntry) -> None:
        """Make a message the canonical one of an entry, without what the data plane changes."""
        self.encode_key(entry.row, message)
        self._encode_result(entry.result, message.action)
        note = entry.note
        if note is not PLAIN:
            self.encode_note(note, message)
            if note.is_const:
                message.is_const = True

    def encode_key(self, row: api.Row, message: p4r.TableEntry) -> None:
        """Give a message what identifies an entry."""
        message.table_id = self.spec.id
        self.keys.encode(row.key, message)
        if row.priority:
            message.priority = row.priority

    def encode_note(self, note: Note, message: p4r.TableEntry) -> None:
        """Give a message what is opaque to the switch, and the idle timeout."""
        message.metadata = note.metadata
        message.idle_timeout_ns = note.idle_timeout_ns
        set_cookie(message, note.controller_metadata)

    def calls(self, entry: Entry, action_id: int) -> bool:
        """Whether an entry calls an action directly."""
        return isinstance(entry.result, api.Action) and self._actions.spec(entry.result).id == action_id

    def encode_action(self, action: api.Action, message: p4r.TableAction) -> None:
        """Make a message a direct action."""
        self._actions.encode(action, message.action)

    def _encode_result(self, result: Result, message: p4r.TableAction) -> None:
        if isinstance(result, api.Action):
            self._actions.encode(result, message.action)
        elif isinstance(result, MemberState):
            message.action_profile_member_id = result.id
        elif isinstance(result, GroupState):
            message.action_profile_group_id = result.message.group_id
        else:
            message.action_profile_action_set.CopyFrom(result.wanted.message)


def cookie(message: p4r.TableEntry) -> int:
    """The older 64-bit cookie, deprecated since 1.4 and still to be kept."""
    return message.controller_metadata  # pyright: ignore[reportDeprecated]


def set_cookie(message: p4r.TableEntry, value: int) -> None:
    """Give an entry its older cookie."""
    message.controller_metadata = value  # pyright: ignore[reportDeprecated]
