# pyright: basic
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExplainRequest(_message.Message):
    __slots__ = ("port", "packet")
    PORT_FIELD_NUMBER: _ClassVar[int]
    PACKET_FIELD_NUMBER: _ClassVar[int]
    port: int
    packet: bytes
    def __init__(self, port: _Optional[int] = ..., packet: _Optional[bytes] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ("steps", "cut")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    cut: bool
    def __init__(self, steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ..., cut: _Optional[bool] = ...) -> None: ...

class Step(_message.Message):
    __slots__ = ("arrival", "state", "parsed", "condition", "table", "changes", "access", "log", "digest", "exit", "clone", "multicast", "copy", "egress", "deparsed", "sent", "ended")
    ARRIVAL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PARSED_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    EXIT_FIELD_NUMBER: _ClassVar[int]
    CLONE_FIELD_NUMBER: _ClassVar[int]
    MULTICAST_FIELD_NUMBER: _ClassVar[int]
    COPY_FIELD_NUMBER: _ClassVar[int]
    EGRESS_FIELD_NUMBER: _ClassVar[int]
    DEPARSED_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    arrival: Arrival
    state: State
    parsed: Parsed
    condition: Condition
    table: Table
    changes: Changes
    access: Access
    log: Log
    digest: Digest
    exit: Exit
    clone: Clone
    multicast: Multicast
    copy: Copy
    egress: Egress
    deparsed: Deparsed
    sent: Sent
    ended: Ended
    def __init__(self, arrival: _Optional[_Union[Arrival, _Mapping]] = ..., state: _Optional[_Union[State, _Mapping]] = ..., parsed: _Optional[_Union[Parsed, _Mapping]] = ..., condition: _Optional[_Union[Condition, _Mapping]] = ..., table: _Optional[_Union[Table, _Mapping]] = ..., changes: _Optional[_Union[Changes, _Mapping]] = ..., access: _Optional[_Union[Access, _Mapping]] = ..., log: _Optional[_Union[Log, _Mapping]] = ..., digest: _Optional[_Union[Digest, _Mapping]] = ..., exit: _Optional[_Union[Exit, _Mapping]] = ..., clone: _Optional[_Union[Clone, _Mapping]] = ..., multicast: _Optional[_Union[Multicast, _Mapping]] = ..., copy: _Optional[_Union[Copy, _Mapping]] = ..., egress: _Optional[_Union[Egress, _Mapping]] = ..., deparsed: _Optional[_Union[Deparsed, _Mapping]] = ..., sent: _Optional[_Union[Sent, _Mapping]] = ..., ended: _Optional[_Union[Ended, _Mapping]] = ...) -> None: ...

class Source(_message.Message):
    __slots__ = ("file", "line", "column", "fragment")
    FILE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    FRAGMENT_FIELD_NUMBER: _ClassVar[int]
    file: str
    line: int
    column: int
    fragment: str
    def __init__(self, file: _Optional[str] = ..., line: _Optional[int] = ..., column: _Optional[int] = ..., fragment: _Optional[str] = ...) -> None: ...

class Field(_message.Message):
    __slots__ = ("name", "width", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    width: int
    value: str
    def __init__(self, name: _Optional[str] = ..., width: _Optional[int] = ..., value: _Optional[str] = ...) -> None: ...

class Arrival(_message.Message):
    __slots__ = ("reason", "port", "packet")
    class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        RECEIVED: _ClassVar[Arrival.Reason]
        RESUBMITTED: _ClassVar[Arrival.Reason]
        RECIRCULATED: _ClassVar[Arrival.Reason]
    RECEIVED: Arrival.Reason
    RESUBMITTED: Arrival.Reason
    RECIRCULATED: Arrival.Reason
    REASON_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    PACKET_FIELD_NUMBER: _ClassVar[int]
    reason: Arrival.Reason
    port: int
    packet: str
    def __init__(self, reason: _Optional[_Union[Arrival.Reason, str]] = ..., port: _Optional[int] = ..., packet: _Optional[str] = ...) -> None: ...

class State(_message.Message):
    __slots__ = ("name", "extracted", "select", "matched", "next")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXTRACTED_FIELD_NUMBER: _ClassVar[int]
    SELECT_FIELD_NUMBER: _ClassVar[int]
    MATCHED_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    name: str
    extracted: _containers.RepeatedCompositeFieldContainer[Header]
    select: _containers.RepeatedCompositeFieldContainer[Field]
    matched: str
    next: str
    def __init__(self, name: _Optional[str] = ..., extracted: _Optional[_Iterable[_Union[Header, _Mapping]]] = ..., select: _Optional[_Iterable[_Union[Field, _Mapping]]] = ..., matched: _Optional[str] = ..., next: _Optional[str] = ...) -> None: ...

class Header(_message.Message):
    __slots__ = ("name", "offset", "length", "fields")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    name: str
    offset: int
    length: int
    fields: _containers.RepeatedCompositeFieldContainer[Field]
    def __init__(self, name: _Optional[str] = ..., offset: _Optional[int] = ..., length: _Optional[int] = ..., fields: _Optional[_Iterable[_Union[Field, _Mapping]]] = ...) -> None: ...

class Parsed(_message.Message):
    __slots__ = ("error", "checksum_error", "payload_length")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_ERROR_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_LENGTH_FIELD_NUMBER: _ClassVar[int]
    error: str
    checksum_error: bool
    payload_length: int
    def __init__(self, error: _Optional[str] = ..., checksum_error: _Optional[bool] = ..., payload_length: _Optional[int] = ...) -> None: ...

class Condition(_message.Message):
    __slots__ = ("name", "source", "outcome")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    name: str
    source: Source
    outcome: bool
    def __init__(self, name: _Optional[str] = ..., source: _Optional[_Union[Source, _Mapping]] = ..., outcome: _Optional[bool] = ...) -> None: ...

class Table(_message.Message):
    __slots__ = ("name", "source", "key", "entry", "group_handle", "group_id", "member_handle", "member_id", "action")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    GROUP_HANDLE_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_HANDLE_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    source: Source
    key: _containers.RepeatedCompositeFieldContainer[Field]
    entry: Entry
    group_handle: int
    group_id: int
    member_handle: int
    member_id: int
    action: Action
    def __init__(self, name: _Optional[str] = ..., source: _Optional[_Union[Source, _Mapping]] = ..., key: _Optional[_Iterable[_Union[Field, _Mapping]]] = ..., entry: _Optional[_Union[Entry, _Mapping]] = ..., group_handle: _Optional[int] = ..., group_id: _Optional[int] = ..., member_handle: _Optional[int] = ..., member_id: _Optional[int] = ..., action: _Optional[_Union[Action, _Mapping]] = ...) -> None: ...

class Entry(_message.Message):
    __slots__ = ("handle", "priority", "match")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    MATCH_FIELD_NUMBER: _ClassVar[int]
    handle: int
    priority: int
    match: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, handle: _Optional[int] = ..., priority: _Optional[int] = ..., match: _Optional[_Iterable[str]] = ...) -> None: ...

class Action(_message.Message):
    __slots__ = ("name", "source", "parameters")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    source: Source
    parameters: _containers.RepeatedCompositeFieldContainer[Field]
    def __init__(self, name: _Optional[str] = ..., source: _Optional[_Union[Source, _Mapping]] = ..., parameters: _Optional[_Iterable[_Union[Field, _Mapping]]] = ...) -> None: ...

class Changes(_message.Message):
    __slots__ = ("added", "removed", "fields")
    ADDED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    added: _containers.RepeatedScalarFieldContainer[str]
    removed: _containers.RepeatedScalarFieldContainer[str]
    fields: _containers.RepeatedCompositeFieldContainer[Change]
    def __init__(self, added: _Optional[_Iterable[str]] = ..., removed: _Optional[_Iterable[str]] = ..., fields: _Optional[_Iterable[_Union[Change, _Mapping]]] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("name", "width", "before", "after")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    name: str
    width: int
    before: str
    after: str
    def __init__(self, name: _Optional[str] = ..., width: _Optional[int] = ..., before: _Optional[str] = ..., after: _Optional[str] = ...) -> None: ...

class Access(_message.Message):
    __slots__ = ("kind", "name", "index", "value")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        COUNT: _ClassVar[Access.Kind]
        METER: _ClassVar[Access.Kind]
        READ: _ClassVar[Access.Kind]
        WRITE: _ClassVar[Access.Kind]
    COUNT: Access.Kind
    METER: Access.Kind
    READ: Access.Kind
    WRITE: Access.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    kind: Access.Kind
    name: str
    index: int
    value: str
    def __init__(self, kind: _Optional[_Union[Access.Kind, str]] = ..., name: _Optional[str] = ..., index: _Optional[int] = ..., value: _Optional[str] = ...) -> None: ...

class Log(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class Digest(_message.Message):
    __slots__ = ("name", "fields")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    name: str
    fields: _containers.RepeatedCompositeFieldContainer[Field]
    def __init__(self, name: _Optional[str] = ..., fields: _Optional[_Iterable[_Union[Field, _Mapping]]] = ...) -> None: ...

class Exit(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Clone(_message.Message):
    __slots__ = ("from_egress", "session", "copies", "truncate")
    FROM_EGRESS_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    COPIES_FIELD_NUMBER: _ClassVar[int]
    TRUNCATE_FIELD_NUMBER: _ClassVar[int]
    from_egress: bool
    session: int
    copies: int
    truncate: int
    def __init__(self, from_egress: _Optional[bool] = ..., session: _Optional[int] = ..., copies: _Optional[int] = ..., truncate: _Optional[int] = ...) -> None: ...

class Multicast(_message.Message):
    __slots__ = ("group", "copies")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    COPIES_FIELD_NUMBER: _ClassVar[int]
    group: int
    copies: int
    def __init__(self, group: _Optional[int] = ..., copies: _Optional[int] = ...) -> None: ...

class Copy(_message.Message):
    __slots__ = ("port", "instance", "steps")
    PORT_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    port: int
    instance: int
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    def __init__(self, port: _Optional[int] = ..., instance: _Optional[int] = ..., steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ...) -> None: ...

class Egress(_message.Message):
    __slots__ = ("port",)
    PORT_FIELD_NUMBER: _ClassVar[int]
    port: int
    def __init__(self, port: _Optional[int] = ...) -> None: ...

class Deparsed(_message.Message):
    __slots__ = ("headers", "header_length", "payload_length")
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    HEADER_LENGTH_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_LENGTH_FIELD_NUMBER: _ClassVar[int]
    headers: _containers.RepeatedScalarFieldContainer[str]
    header_length: int
    payload_length: int
    def __init__(self, headers: _Optional[_Iterable[str]] = ..., header_length: _Optional[int] = ..., payload_length: _Optional[int] = ...) -> None: ...

class Sent(_message.Message):
    __slots__ = ("port", "interface", "packet")
    PORT_FIELD_NUMBER: _ClassVar[int]
    INTERFACE_FIELD_NUMBER: _ClassVar[int]
    PACKET_FIELD_NUMBER: _ClassVar[int]
    port: int
    interface: str
    packet: str
    def __init__(self, port: _Optional[int] = ..., interface: _Optional[str] = ..., packet: _Optional[str] = ...) -> None: ...

class Ended(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class StatisticsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SwitchStatistics(_message.Message):
    __slots__ = ("ports", "tables", "ended", "counts_lookups")
    class EndedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    PORTS_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    COUNTS_LOOKUPS_FIELD_NUMBER: _ClassVar[int]
    ports: _containers.RepeatedCompositeFieldContainer[PortStatistics]
    tables: _containers.RepeatedCompositeFieldContainer[TableStatistics]
    ended: _containers.ScalarMap[str, int]
    counts_lookups: bool
    def __init__(self, ports: _Optional[_Iterable[_Union[PortStatistics, _Mapping]]] = ..., tables: _Optional[_Iterable[_Union[TableStatistics, _Mapping]]] = ..., ended: _Optional[_Mapping[str, int]] = ..., counts_lookups: _Optional[bool] = ...) -> None: ...

class PortStatistics(_message.Message):
    __slots__ = ("port", "interface", "up", "rx_packets", "rx_bytes", "rx_dropped", "rx_unsupported", "tx_packets", "tx_bytes", "tx_dropped")
    PORT_FIELD_NUMBER: _ClassVar[int]
    INTERFACE_FIELD_NUMBER: _ClassVar[int]
    UP_FIELD_NUMBER: _ClassVar[int]
    RX_PACKETS_FIELD_NUMBER: _ClassVar[int]
    RX_BYTES_FIELD_NUMBER: _ClassVar[int]
    RX_DROPPED_FIELD_NUMBER: _ClassVar[int]
    RX_UNSUPPORTED_FIELD_NUMBER: _ClassVar[int]
    TX_PACKETS_FIELD_NUMBER: _ClassVar[int]
    TX_BYTES_FIELD_NUMBER: _ClassVar[int]
    TX_DROPPED_FIELD_NUMBER: _ClassVar[int]
    port: int
    interface: str
    up: bool
    rx_packets: int
    rx_bytes: int
    rx_dropped: int
    rx_unsupported: int
    tx_packets: int
    tx_bytes: int
    tx_dropped: int
    def __init__(self, port: _Optional[int] = ..., interface: _Optional[str] = ..., up: _Optional[bool] = ..., rx_packets: _Optional[int] = ..., rx_bytes: _Optional[int] = ..., rx_dropped: _Optional[int] = ..., rx_unsupported: _Optional[int] = ..., tx_packets: _Optional[int] = ..., tx_bytes: _Optional[int] = ..., tx_dropped: _Optional[int] = ...) -> None: ...

class TableStatistics(_message.Message):
    __slots__ = ("name", "entries", "size", "hits", "misses", "has_counters", "packets", "bytes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    HITS_FIELD_NUMBER: _ClassVar[int]
    MISSES_FIELD_NUMBER: _ClassVar[int]
    HAS_COUNTERS_FIELD_NUMBER: _ClassVar[int]
    PACKETS_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    name: str
    entries: int
    size: int
    hits: int
    misses: int
    has_counters: bool
    packets: int
    bytes: int
    def __init__(self, name: _Optional[str] = ..., entries: _Optional[int] = ..., size: _Optional[int] = ..., hits: _Optional[int] = ..., misses: _Optional[int] = ..., has_counters: _Optional[bool] = ..., packets: _Optional[int] = ..., bytes: _Optional[int] = ...) -> None: ...
