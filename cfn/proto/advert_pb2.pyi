# pyright: basic
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Advert(_message.Message):
    __slots__ = ("site", "incarnation", "sequence", "ttl_ms", "sent_unix_us", "cpu_utilisation", "cpu_capacity", "instances", "inputs", "results", "metrics", "resources", "profile")
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
    METRICS_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
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
    metrics: _containers.RepeatedCompositeFieldContainer[Metric]
    resources: Resources
    profile: Profile
    def __init__(self, site: _Optional[str] = ..., incarnation: _Optional[int] = ..., sequence: _Optional[int] = ..., ttl_ms: _Optional[int] = ..., sent_unix_us: _Optional[int] = ..., cpu_utilisation: _Optional[float] = ..., cpu_capacity: _Optional[float] = ..., instances: _Optional[_Iterable[_Union[Instance, _Mapping]]] = ..., inputs: _Optional[_Iterable[bytes]] = ..., results: _Optional[_Iterable[_Union[Result, _Mapping]]] = ..., metrics: _Optional[_Iterable[_Union[Metric, _Mapping]]] = ..., resources: _Optional[_Union[Resources, _Mapping]] = ..., profile: _Optional[_Union[Profile, _Mapping]] = ...) -> None: ...

class Metric(_message.Message):
    __slots__ = ("type", "value", "window_ms")
    class Type(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        TYPE_UNSPECIFIED: _ClassVar[Metric.Type]
        COMPUTE_NORM: _ClassVar[Metric.Type]
        COMMUNICATION_NORM: _ClassVar[Metric.Type]
        SERVICE_NORM: _ClassVar[Metric.Type]
        COMPOSED_NORM: _ClassVar[Metric.Type]
        NORM_FI: _ClassVar[Metric.Type]
    TYPE_UNSPECIFIED: Metric.Type
    COMPUTE_NORM: Metric.Type
    COMMUNICATION_NORM: Metric.Type
    SERVICE_NORM: Metric.Type
    COMPOSED_NORM: Metric.Type
    NORM_FI: Metric.Type
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    WINDOW_MS_FIELD_NUMBER: _ClassVar[int]
    type: Metric.Type
    value: int
    window_ms: int
    def __init__(self, type: _Optional[_Union[Metric.Type, str]] = ..., value: _Optional[int] = ..., window_ms: _Optional[int] = ...) -> None: ...

class Resources(_message.Message):
    __slots__ = ("window_ms", "compute", "memory", "memory_left", "storage", "storage_left", "power_mw")
    class Compute(_message.Message):
        __slots__ = ("type", "used_ppm")
        class Type(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            TYPE_UNSPECIFIED: _ClassVar[Resources.Compute.Type]
            LOGIC: _ClassVar[Resources.Compute.Type]
            PARALLEL: _ClassVar[Resources.Compute.Type]
            NEURAL: _ClassVar[Resources.Compute.Type]
        TYPE_UNSPECIFIED: Resources.Compute.Type
        LOGIC: Resources.Compute.Type
        PARALLEL: Resources.Compute.Type
        NEURAL: Resources.Compute.Type
        TYPE_FIELD_NUMBER: _ClassVar[int]
        USED_PPM_FIELD_NUMBER: _ClassVar[int]
        type: Resources.Compute.Type
        used_ppm: int
        def __init__(self, type: _Optional[_Union[Resources.Compute.Type, str]] = ..., used_ppm: _Optional[int] = ...) -> None: ...
    WINDOW_MS_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    MEMORY_LEFT_FIELD_NUMBER: _ClassVar[int]
    STORAGE_FIELD_NUMBER: _ClassVar[int]
    STORAGE_LEFT_FIELD_NUMBER: _ClassVar[int]
    POWER_MW_FIELD_NUMBER: _ClassVar[int]
    window_ms: int
    compute: _containers.RepeatedCompositeFieldContainer[Resources.Compute]
    memory: int
    memory_left: int
    storage: int
    storage_left: int
    power_mw: int
    def __init__(self, window_ms: _Optional[int] = ..., compute: _Optional[_Iterable[_Union[Resources.Compute, _Mapping]]] = ..., memory: _Optional[int] = ..., memory_left: _Optional[int] = ..., storage: _Optional[int] = ..., storage_left: _Optional[int] = ..., power_mw: _Optional[int] = ...) -> None: ...

class Profile(_message.Message):
    __slots__ = ("inputs", "within", "across", "categories")
    class Aggregation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        AGGREGATION_UNSPECIFIED: _ClassVar[Profile.Aggregation]
        MEAN: _ClassVar[Profile.Aggregation]
        MINIMUM: _ClassVar[Profile.Aggregation]
    AGGREGATION_UNSPECIFIED: Profile.Aggregation
    MEAN: Profile.Aggregation
    MINIMUM: Profile.Aggregation
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    ACROSS_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    inputs: _containers.RepeatedCompositeFieldContainer[Normalisation]
    within: Profile.Aggregation
    across: Profile.Aggregation
    categories: _containers.RepeatedScalarFieldContainer[Metric.Type]
    def __init__(self, inputs: _Optional[_Iterable[_Union[Normalisation, _Mapping]]] = ..., within: _Optional[_Union[Profile.Aggregation, str]] = ..., across: _Optional[_Union[Profile.Aggregation, str]] = ..., categories: _Optional[_Iterable[_Union[Metric.Type, str]]] = ...) -> None: ...

class Normalisation(_message.Message):
    __slots__ = ("metric", "category", "function", "parameters", "weight")
    class Function(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        FUNCTION_UNSPECIFIED: _ClassVar[Normalisation.Function]
        MIN_MAX: _ClassVar[Normalisation.Function]
        LOG: _ClassVar[Normalisation.Function]
        SIGMOID: _ClassVar[Normalisation.Function]
    FUNCTION_UNSPECIFIED: Normalisation.Function
    MIN_MAX: Normalisation.Function
    LOG: Normalisation.Function
    SIGMOID: Normalisation.Function
    METRIC_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    metric: str
    category: Metric.Type
    function: Normalisation.Function
    parameters: _containers.RepeatedScalarFieldContainer[int]
    weight: int
    def __init__(self, metric: _Optional[str] = ..., category: _Optional[_Union[Metric.Type, str]] = ..., function: _Optional[_Union[Normalisation.Function, str]] = ..., parameters: _Optional[_Iterable[int]] = ..., weight: _Optional[int] = ...) -> None: ...

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
    __slots__ = ("func_id", "instance", "ipv4", "ipv6", "load", "queue", "service_time_us", "arrival_rps", "completed_rps", "capacity_rps", "concurrency", "state", "metrics", "also", "error_rps")
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
    METRICS_FIELD_NUMBER: _ClassVar[int]
    ALSO_FIELD_NUMBER: _ClassVar[int]
    ERROR_RPS_FIELD_NUMBER: _ClassVar[int]
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
    metrics: _containers.RepeatedCompositeFieldContainer[Metric]
    also: _containers.RepeatedScalarFieldContainer[int]
    error_rps: float
    def __init__(self, func_id: _Optional[int] = ..., instance: _Optional[int] = ..., ipv4: _Optional[bytes] = ..., ipv6: _Optional[bytes] = ..., load: _Optional[int] = ..., queue: _Optional[int] = ..., service_time_us: _Optional[float] = ..., arrival_rps: _Optional[float] = ..., completed_rps: _Optional[float] = ..., capacity_rps: _Optional[float] = ..., concurrency: _Optional[int] = ..., state: _Optional[_Union[Instance.State, str]] = ..., metrics: _Optional[_Iterable[_Union[Metric, _Mapping]]] = ..., also: _Optional[_Iterable[int]] = ..., error_rps: _Optional[float] = ...) -> None: ...

class AdvertAck(_message.Message):
    __slots__ = ("accepted", "reason", "min_interval_ms")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MIN_INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    accepted: bool
    reason: str
    min_interval_ms: int
    def __init__(self, accepted: _Optional[bool] = ..., reason: _Optional[str] = ..., min_interval_ms: _Optional[int] = ...) -> None: ...
