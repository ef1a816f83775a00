# pyright: basic
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Advert(_message.Message):
    __slots__ = ("site", "incarnation", "sequence", "ttl_ms", "sent_unix_us", "cpu_utilisation", "cpu_capacity", "instances", "inputs", "results")
    SITE_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TTL_MS_FIELD_NUMBER: _ClassVar[int]
    SENT_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    CPU_UTILISATION_FIELD_NUMBER: _ClassVar[int]
    CPU_CAPACITY_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    site: str
    incarnation: int
    sequence: int
    ttl_ms: int
    sent_unix_us: int
    cpu_utilisation: float
    cpu_capacity: float
    instances: _containers.RepeatedCompositeFieldContainer[Instance]
    inputs: _containers.RepeatedScalarFieldContainer[bytes]
    results: _containers.RepeatedCompositeFieldContainer[Result]
    def __init__(self, site: _Optional[str] = ..., incarnation: _Optional[int] = ..., sequence: _Optional[int] = ..., ttl_ms: _Optional[int] = ..., sent_unix_us: _Optional[int] = ..., cpu_utilisation: _Optional[float] = ..., cpu_capacity: _Optional[float] = ..., instances: _Optional[_Iterable[_Union[Instance, _Mapping]]] = ..., inputs: _Optional[_Iterable[bytes]] = ..., results: _Optional[_Iterable[_Union[Result, _Mapping]]] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ("func_id", "data_in", "data_out")
    FUNC_ID_FIELD_NUMBER: _ClassVar[int]
    DATA_IN_FIELD_NUMBER: _ClassVar[int]
    DATA_OUT_FIELD_NUMBER: _ClassVar[int]
    func_id: int
    data_in: bytes
    data_out: bytes
    def __init__(self, func_id: _Optional[int] = ..., data_in: _Optional[bytes] = ..., data_out: _Optional[bytes] = ...) -> None: ...

class Instance(_message.Message):
    __slots__ = ("func_id", "instance", "ipv4", "ipv6", "load", "queue", "service_time_us", "arrival_rps", "completed_rps", "capacity_rps", "concurrency", "state")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Instance.State]
        UP: _ClassVar[Instance.State]
        DRAINING: _ClassVar[Instance.State]
    STATE_UNSPECIFIED: Instance.State
    UP: Instance.State
    DRAINING: Instance.State
    FUNC_ID_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    IPV4_FIELD_NUMBER: _ClassVar[int]
    IPV6_FIELD_NUMBER: _ClassVar[int]
    LOAD_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_TIME_US_FIELD_NUMBER: _ClassVar[int]
    ARRIVAL_RPS_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_RPS_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_RPS_FIELD_NUMBER: _ClassVar[int]
    CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    func_id: int
    instance: int
    ipv4: bytes
    ipv6: bytes
    load: int
    queue: int
    service_time_us: float
    arrival_rps: float
    completed_rps: float
    capacity_rps: float
    concurrency: int
    state: Instance.State
    def __init__(self, func_id: _Optional[int] = ..., instance: _Optional[int] = ..., ipv4: _Optional[bytes] = ..., ipv6: _Optional[bytes] = ..., load: _Optional[int] = ..., queue: _Optional[int] = ..., service_time_us: _Optional[float] = ..., arrival_rps: _Optional[float] = ..., completed_rps: _Optional[float] = ..., capacity_rps: _Optional[float] = ..., concurrency: _Optional[int] = ..., state: _Optional[_Union[Instance.State, str]] = ...) -> None: ...

class AdvertAck(_message.Message):
    __slots__ = ("accepted", "reason", "min_interval_ms")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MIN_INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    accepted: bool
    reason: str
    min_interval_ms: int
    def __init__(self, accepted: _Optional[bool] = ..., reason: _Optional[str] = ..., min_interval_ms: _Optional[int] = ...) -> None: ...
