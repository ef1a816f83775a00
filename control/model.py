"""What the controller knows of the sites: instances and the adverts that told of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Literal, NamedTuple

from cfn.metrics.score import Score
from cfn.proto import advert_pb2 as pb

FAMILIES = (4, 6)


class InstanceKey(NamedTuple):
    """What identifies an instance in cookies and tables: site id (14 bits) and instance id (16 bits)."""

    site: int
    instance: int

    @classmethod
    def of_function(cls, site: int, func_id: int) -> InstanceKey:
        """What stands for all instances of a function at another domain's site; its id is below 0."""
        return cls(site, ~func_id)

    @property
    def is_site(self) -> bool:
        """Whether it stands for all instances of a function."""
        return self.instance < 0


WHOLE_SITE = -1


class Member(NamedTuple):
    """What a router counts and learns of: an instance of a site of its own, or a site as a whole.

    Requests are bound to instances of its own sites, and to sites elsewhere.
    """

    site: int
    instance: int = WHOLE_SITE

    @property
    def is_site(self) -> bool:
        """Whether it is a site and not an instance."""
        return self.instance == WHOLE_SITE


class Placement(NamedTuple):
    """What a router is told of a member; an address of 0 is none."""

    slot: int
    ipv4: int
    ipv6: int


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance as its site last told of it.

    Attributes:
        key: site and instance id.
        func_id: the function it runs.
        also: further functions that the same workers run, at the same addresses.
        ipv4: its address, or None when it has none of this family.
        ipv6: likewise.
        load: 0–255.
        queue: requests that wait.
        service_ms: wall-clock time a usual request takes a worker now; 0 when not measured yet.
        arrival_rps: requests that arrive a second.
        capacity_rps: requests a second that it could do; 0 when not known yet.
        completed_rps: requests that it answers a second.
        error_rps: requests a second among them that its function fails at.
        draining: wants no new sessions.
        metrics: normalised ones, as the site told them.
        norm_fi: the one of level 2 among them, 0–10 and 10 best; None when it was not told.
    """

    key: InstanceKey
    func_id: int
    ipv4: IPv4Address | None = None
    ipv6: IPv6Address | None = None
    load: int = 0
    queue: int = 0
    service_ms: float = 0.0
    arrival_rps: float = 0.0
    capacity_rps: float = 0.0
    completed_rps: float = 0.0
    error_rps: float = 0.0
    draining: bool = False
    metrics: tuple[Score, ...] = ()
    norm_fi: int | None = None
    also: frozenset[int] = frozenset()

    @property
    def functions(self) -> frozenset[int]:
        """All that it runs, by FuncID."""
        return self.also | {self.func_id}

    def address(self, family: int) -> IPv4Address | IPv6Address | None:
        """Its address of family 4 or 6."""
        return self.ipv4 if family == 4 else self.ipv6


Way = Literal["grpc", "bgp"]


class HeldResult(NamedTuple):
    """A result that a site holds: the output of `func_id` for `data_in`, under `data_out` (16 bytes each)."""

    func_id: int
    data_in: bytes
    data_out: bytes


ComputeType = Literal["logic", "parallel", "neural"]
COMPUTE_TYPES: dict[int, ComputeType] = {
    pb.Resources.Compute.LOGIC: "logic",
    pb.Resources.Compute.PARALLEL: "parallel",
    pb.Resources.Compute.NEURAL: "neural",
}
"""Names of the types of compute, as the catalogue has them, by their numbers in adverts."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What a site has and uses, as it told; what it can compute is in the catalogue.

    Attributes:
        window_ms: over how long it was measured.
        used: share in use by type of compute, 0–1.
        memory: bytes; 0 when not known, as below.
        memory_left: bytes.
        storage: bytes.
        storage_left: bytes.
        power_w: electric power that it draws, in watts; 0 when not known.
    """

    window_ms: int
    used: dict[ComputeType, float] = field(default_factory=dict[ComputeType, float])
    memory: int = 0
    memory_left: int = 0
    storage: int = 0
    storage_left: int = 0
    power_w: float = 0.0


@dataclass(frozen=True, slots=True)
class SiteAdvert:
    """An advert that was accepted; it replaces what the site said before.

    Attributes:
        site: the site's name in the catalogue.
        incarnation: start of the agent, µs since the Unix epoch.
        sequence: counts up within an incarnation.
        ttl_s: validity, in seconds from receipt.
        cpu_utilisation: share of the site's CPU quota in use, 0–1.
        cpu_capacity: the quota, in cores.
        instances: by key.
        inputs: content identifiers (16 bytes) of inputs that the site holds; none over BGP.
        results: results that it holds; none over BGP.
        metrics: normalised ones of the site as a whole.
        resources: what it has and uses, None when it does not tell.
        profile: how it says that its metrics were made, as `Profile` of advert.proto; nobody decides by it.
        ignored: places in the message that told of metrics which are not known.
        way: how it came: from the site itself, or over BGP with its instances added up.
    """

    site: str
    incarnation: int
    sequence: int
    ttl_s: float
    cpu_utilisation: float = 0.0
    cpu_capacity: float = 0.0
    instances: dict[InstanceKey, Instance] = field(default_factory=dict[InstanceKey, Instance])
    inputs: frozenset[bytes] = frozenset()
    results: frozenset[HeldResult] = frozenset()
    metrics: tuple[Score, ...] = ()
    resources: Resources | None = None
    profile: bytes = b""
    ignored: tuple[str, ...] = ()
    way: Way = "grpc"

    @property
    def functions(self) -> frozenset[int]:
        """FuncIDs of which the site runs an instance."""
        return self.functions_beyond(None)

    def functions_beyond(self, before: SiteAdvert | None) -> frozenset[int]:
        """FuncIDs of which it tells and an advert before did not."""
        found = frozenset[int]()
        for key, new in self.instances.items():
            old = before.instances.get(key) if before else None
            if not runs_the_same(old, new):
                found |= new.functions - (old.functions if old else frozenset())
        return found


def runs_the_same(old: Instance | None, new: Instance | None) -> bool:
    """Whether an instance runs what it ran, of which there may be thousands."""
    # As tuples, the very same set is equal without a look at what is in it.
    return (old and (old.func_id, old.also)) == (new and (new.func_id, new.also))
