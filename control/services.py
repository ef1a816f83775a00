"""Which service of the catalogue a function belongs to, and what the service wants for it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

from cfn.names import FUNC_ID_BITS, NAMESPACE_BITS, func_prefix
from control.catalogue import Catalogue, DemandClass, PolicyName, Service
from control.policy import Parameters

T = TypeVar("T")

NO_CLASS = 0
_IDS = 2**16
"""Service 0 is none."""


class Treatment(NamedTuple):
    """How the functions of a service are steered.

    Attributes:
        policy: by which weights are computed.
        parameters: of the policy.
        warm_up_s: until when a new instance gets its whole share.
        races: whether routers compare members by when each is expected to answer.
        tuned: the service by which the parameters are learned; None where they stay as they are.
        class_ids: demand classes that there are for it.
        paths: pinned paths that name it.
        is_exact: it is one function, and steered even when nobody runs it.
    """

    policy: PolicyName
    parameters: Parameters
    warm_up_s: float
    races: bool
    tuned: str | None
    class_ids: tuple[int, ...]
    paths: tuple[str, ...]
    is_exact: bool


class ServiceIndex:
    """Services by FuncID, the longest prefix winning, and names for people."""

    def __init__(self, catalogue: Catalogue):
        self._catalogue = catalogue
        self._by_prefix = {service.prefix: service for service in catalogue.services}
        self._ids = _service_ids(catalogue.services)
        self._classes = {demand.id: (name, demand) for name, demand in catalogue.classes.items()}
        self._paths: dict[tuple[int, int], list[str]] = {}
        for name, path in catalogue.paths.items():
            for service in path.services or ():
                self._paths.setdefault(func_prefix(service), []).append(name)
        self._treatments = {service.prefix: self._treatment(service) for service in catalogue.services}

    def of(self, func_id: int) -> Service | None:
        """The service that a function, or the prefix of a namespace, belongs to."""
        return self._longest(self._by_prefix, func_id)

    def _longest(self, of: Mapping[tuple[int, int], T], func_id: int) -> T | None:
        namespace = func_id >> (FUNC_ID_BITS - NAMESPACE_BITS) << (FUNC_ID_BITS - NAMESPACE_BITS)
        return of.get((func_id, FUNC_ID_BITS)) or of.get((namespace, NAMESPACE_BITS))

    def unknown(self, functions: Iterable[int]) -> list[str]:
        """Names of those that no service stands for."""
        return sorted(self.name(func_id) for func_id in functions if self.of(func_id) is None)

    def is_exact(self, func_id: int) -> bool:
        """Whether a service names this very function."""
        return (func_id, FUNC_ID_BITS) in self._by_prefix

    def is_exact_service(self, service: Service) -> bool:
        """Whether the service is one function and not a namespace."""
        return service.prefix[1] == FUNC_ID_BITS

    def exact_functions(self) -> frozenset[int]:
        """FuncIDs of all services that are one function."""
        return frozenset(func_id for func_id, length in self._by_prefix if length == FUNC_ID_BITS)

    def id(self, service: Service) -> int:
        """What routers know a service by: its own number, or one that follows from its name."""
        return self._ids[service.prefix]

    def named(self, names: Iterable[str]) -> list[Service]:
        """The services of these names."""
        return [self._by_prefix[func_prefix(name)] for name in names]

    def policy(self, service: Service) -> PolicyName:
        """The service's policy, or the catalogue's."""
        return service.policy or self._catalogue.policy

    def parameters(self, service: Service) -> Parameters:
        """What is set of the service's policy."""
        return Parameters(cost_weight=service.cost_weight)

    def treatment(self, func_id: int) -> Treatment | None:
        """What decisions on a function depend on besides its instances; None where it is of no service."""
        return self._longest(self._treatments, func_id)

    def _treatment(self, service: Service) -> Treatment:
        return Treatment(
            self.policy(service),
            self.parameters(service),
            service.warm_up_s,
            service.two_choices,
            service.name if service.tune else None,
            tuple(self.class_ids(service)),
            tuple(self._paths.get(service.prefix, ())),
            self.is_exact_service(service),
        )

    def class_ids(self, service: Service) -> list[int]:
        """Demand classes it takes: 0 for requests that ask nothing, and its own or all that hold for it."""
        names = self._catalogue.classes if service.classes is None else service.classes
        classes = (self._catalogue.classes[name] for name in names)
        return [NO_CLASS, *(demand.id for demand in classes if demand.holds_for(service))]

    def demand_class(self, class_id: int) -> DemandClass | None:
        """The class of this id; None for class 0."""
        found = self._classes.get(class_id)
        return found and found[1]

    def class_name(self, class_id: int) -> str:
        """What people call a class; `any` for class 0."""
        found = self._classes.get(class_id)
        return found[0] if found else "any"

    def name(self, func_id: int) -> str:
        """What people call a function: its name if the catalogue has it, else its FuncID."""
        service = self._by_prefix.get((func_id, FUNC_ID_BITS))
        return service.name if service else f"0x{func_id:016x}"


def _service_ids(services: Iterable[Service]) -> dict[tuple[int, int], int]:
    """Numbers by FuncID prefix: those declared, and for the rest a hash of the prefix or the next free one.

    So a service keeps its number whatever others there are, unless the hashes of two collide.
    """
    ids = {service.prefix: service.id for service in services if service.id is not None}
    taken = set(ids.values())
    for prefix, length in sorted(service.prefix for service in services if service.id is None):
        number = zlib.crc32(prefix.to_bytes(FUNC_ID_BITS // 8) + bytes([length])) % _IDS
        while number == 0 or number in taken:
            number = (number + 1) % _IDS
        ids[prefix, length] = number
        taken.add(number)
    return ids
