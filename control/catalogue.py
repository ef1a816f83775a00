"""The catalogue: what an operator wants the network to be (routers, links, hosts, sites, tenants, services).

Instances are not in it: sites tell of them in adverts. `docs/catalogue.md` explains each field.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, SecretStr, Strict, StrictBool, Tag, model_validator

from cfn import yamlfile
from cfn.auth import TenantKey
from cfn.names import func_prefix
from control import catalogue_check
from control.compute import Declared, grade_of
from control.domain import Cookies, Domain, Peer
from control.fields import (
    Amount,
    Cost,
    DeviceId,
    Grade,
    GrpcTarget,
    Id8,
    Id14,
    Id16,
    IPv4,
    IPv6,
    Lead,
    Mac,
    Mbps,
    Milliseconds,
    Model,
    Mtu,
    Name,
    Part,
    Port,
    Probability,
    Range8,
    Range16,
    ServiceName,
    WarmUp,
    hex_key,
)
from control.model import ComputeType

PolicyName = Literal[
    "latency",
    "cost",
    "mix",
    "least-load",
    "norm",
    "wrr",
    "locality",
    "round-robin",
    "random",
    "weighted",
    "nearest",
    "ecmp",
]


_J_PER_KWH = 3.6e6


class Addresses(Model):
    """One address of each family; either may be absent, not both."""

    ipv4: IPv4 | None = None
    ipv6: IPv6 | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.ipv4 is None and self.ipv6 is None:
            raise ValueError("needs ipv4, ipv6 or both")
        return self


class Router(Model):
    """A CFN router: a P4Runtime target and its place in the network.

    `id` is the number that packets' traces know it by; absent: the next free one in the order of the file.
    `sid` is what lists of SRv6 segments know it by (RFC 8986): an address of its own, apart from `ipv6`.
    """

    id: Id16 | None = None
    device_id: DeviceId
    address: GrpcTarget
    mac: Mac
    ipv4: IPv4 | None = None
    ipv6: IPv6 | None = None
    sid: IPv6 | None = None


class LinkEnd(Model):
    """The port of a router that one end of a link is plugged into."""

    router: Name
    port: Port


class Link(Model):
    """A link between two routers, the same in both directions."""

    a: LinkEnd
    b: LinkEnd
    delay_ms: Milliseconds = 0.0
    jitter_ms: Milliseconds = 0.0
    loss: Probability = 0.0
    rate_mbps: Mbps | None = None
    mtu: Mtu = 1500
    cost: Cost = 0.0


class Host(Model):
    """Whatever hangs on an edge port: clients, function servers; reached at any of its addresses."""

    router: Name
    port: Port
    mac: Mac
    ipv4: tuple[IPv4, ...] = ()
    ipv6: tuple[IPv6, ...] = ()
    delay_ms: Milliseconds = 0.0
    jitter_ms: Milliseconds = 0.0
    loss: Probability = 0.0
    rate_mbps: Mbps | None = None
    mtu: Mtu = 1500


class Site(Model):
    """A place that runs instances, all behind one router.

    `ipv4` and `ipv6` are where other routers send requests for it: addresses of its router, not of a host.
    `hosts` are those whose addresses its instances may use, and one of them has its data agent.
    """

    id: Id14
    ipv4: IPv4 | None = None
    ipv6: IPv6 | None = None
    price: Cost
    token: SecretStr = Field(min_length=8)
    hosts: Annotated[tuple[Name, ...], Field(min_length=1)]
    data_agent: Addresses | None = None
    compute: dict[ComputeType, Declared] = Field(default_factory=dict[ComputeType, Declared])
    storage_gb: Amount | None = None
    energy_j: Amount = 0.0
    energy_price: Cost = 0.0

    @property
    def grades(self) -> dict[ComputeType, int]:
        """Grade of its compute by type."""
        return {kind: grade_of(declared) for kind, declared in self.compute.items()}

    @property
    def cost(self) -> float:
        """What a request costs there: its price, and the energy it takes."""
        return self.price + self.energy_j * self.energy_price / _J_PER_KWH


class Rate(Model):
    """What a tenant may ask of each router: requests a second (RFC 2698).

    Up to `per_s` they go as usual, up to `peak_per_s` as what others come before, and beyond that they are
    refused. A burst is how many may come at once.
    """

    per_s: Annotated[int, Strict(), Field(ge=1, le=10**9)]
    burst: Annotated[int, Strict(), Field(ge=1, le=10**9)]
    peak_per_s: Annotated[int, Strict(), Field(ge=1, le=10**9)] | None = None
    peak_burst: Annotated[int, Strict(), Field(ge=1, le=10**9)] | None = None
    retry_after_ms: Annotated[int, Strict(), Field(ge=0, le=65_535)] = 1000

    @model_validator(mode="after")
    def _peak_is_higher(self) -> Self:
        if self.peak_per_s is not None and self.peak_per_s < self.per_s:
            raise ValueError(f"peak_per_s {self.peak_per_s} is below per_s {self.per_s}")
        return self


class Tenant(Model):
    """Who asks. With a `key` (16 hexadecimal digits) its requests must be signed by it."""

    id: Id16
    key: Annotated[SecretStr, AfterValidator(hex_key)] | None = None
    rate: Rate | None = None

    @property
    def signing_key(self) -> TenantKey | None:
        """The key, in the form that tags are computed with."""
        return TenantKey.from_bytes(bytes.fromhex(self.key.get_secret_value())) if self.key else None


def _is_number(value: object) -> str:
    return "fields" if isinstance(value, Mapping | Tenant) else "number"


_NumberOrTenant = Annotated[
    Annotated[Id16, Tag("number")] | Annotated[Tenant, Tag("fields")], Discriminator(_is_number)
]


class DemandClass(Model):
    """Requests that ask for the same: which demands fall into it, and what it asks of an instance.

    Where two match, the earlier in the file wins; what matches none is of class 0, which asks nothing.
    One that names services is there for their requests only.
    """

    id: Id8
    services: tuple[ServiceName, ...] | None = None
    type: ComputeType | None = None
    grade: Grade | None = None
    latency_ms: Range16 | None = None
    cost_ceiling: Range8 | None = None
    within_ms: Annotated[Milliseconds, Field(gt=0)] | None = None
    max_price: Cost | None = None

    def holds_for(self, service: Service) -> bool:
        """Whether requests for a service can fall into it."""
        return self.services is None or service.prefix in map(func_prefix, self.services)


def _is_list(value: object) -> str:
    return "list" if isinstance(value, list | tuple) else "any"


_Any = Annotated[Literal["any"], Tag("any")]
_Tenants = Annotated[tuple[Name, ...], Tag("list")]


class Service(Model):
    """A function (`namespace/function`, a FuncID 0x…) or all functions of a namespace (`namespace/*`).

    The policy `mix` counts prices by `cost_weight`. A new instance has its whole share after `warm_up_s`
    seconds. With `tune` the policy's parameters are learned. With `two_choices` a router draws a second
    member, and takes it where its load is lower by more than `lead`. Where it is `pure`, results that a site
    holds are asked of it. For `flow_s` seconds after its last request a router remembers where a flow without
    cookies went. The `id` is what tables and counters know the service by; one that is not given follows from
    the name (`services.ServiceIndex`).
    """

    name: ServiceName
    id: Id16 | None = None
    tenants: Annotated[_Any | _Tenants, Discriminator(_is_list)] = "any"
    select: Literal["flow", "request"] = "flow"
    policy: PolicyName | None = None
    cost_weight: Part = 0.5
    warm_up_s: WarmUp = 2.0
    tune: StrictBool = False
    two_choices: StrictBool = True
    lead: Lead = 16
    classes: tuple[Name, ...] | None = None
    pure: StrictBool = False
    flow_s: Annotated[int, Strict(), Field(ge=0, le=255)] = 0

    @property
    def prefix(self) -> tuple[int, int]:
        """FuncID prefix: value and length in bits."""
        return func_prefix(self.name)


class PinnedPath(Model):
    """Routers that requests pass on their way to a site elsewhere, whatever the shortest path is (SRv6).

    For requests for these services, of these demand classes, to these sites; what is absent stands for all.
    Where two are for the same requests, the earlier in the file wins.
    """

    via: Annotated[tuple[Name, ...], Field(min_length=1, max_length=catalogue_check.MAX_SEGMENTS)]
    services: tuple[ServiceName, ...] | None = None
    classes: tuple[Name, ...] | None = None
    sites: tuple[Name, ...] | None = None

    @model_validator(mode="after")
    def _passes_each_once(self) -> Self:
        if len(set(self.via)) < len(self.via):
            raise ValueError("passes a router twice")
        return self


class Catalogue(Model):
    """The whole declaration; an instance of it always has consistent references."""

    anycast: Addresses
    gateway: Addresses
    routers: Annotated[dict[Name, Router], Field(min_length=1)]
    links: tuple[Link, ...] = ()
    hosts: dict[Name, Host] = Field(default_factory=dict[Name, Host])
    sites: dict[Name, Site] = Field(default_factory=dict[Name, Site])
    tenants: dict[Name, _NumberOrTenant] = Field(default_factory=dict[Name, Id16 | Tenant])
    classes: dict[Name, DemandClass] = Field(default_factory=dict[Name, DemandClass])
    services: Annotated[tuple[Service, ...], Field(max_length=65_535)] = ()
    paths: dict[Name, PinnedPath] = Field(default_factory=dict[Name, PinnedPath])
    policy: PolicyName = "latency"
    domains: dict[Name, Domain] = Field(default_factory=dict[Name, Domain])
    cookies: Cookies | None = None

    @property
    def tenants_by_name(self) -> dict[str, Tenant]:
        """Every tenant, those that are only a number too."""
        return {
            name: tenant if isinstance(tenant, Tenant) else Tenant(id=tenant)
            for name, tenant in self.tenants.items()
        }

    @property
    def router_ids(self) -> dict[str, int]:
        """Number of each router, by name."""
        given = {router.id for router in self.routers.values()}
        free = (number for number in itertools.count(1) if number not in given)
        return {name: router.id or next(free) for name, router in self.routers.items()}

    def sites_of(self, domain: str) -> list[str]:
        """Names of the sites at a domain's routers."""
        routers = self.domains[domain].routers
        places = ((name, self.hosts.get(site.hosts[0])) for name, site in self.sites.items())
        return [name for name, host in places if host and host.router in routers]

    def domains_told_by(self, domain: str, peer: Peer) -> frozenset[str]:
        """Names of the domains whose sites a domain's peer may tell of: those of its AS unless said."""
        if peer.domains is not None:
            return frozenset(peer.domains)
        return frozenset(name for name, one in self.domains.items() if one.asn == peer.asn) - {domain}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = catalogue_check.problems(self)
        if problems:
            raise yamlfile.ModelProblems(problems)
        return self


def json_schema() -> str:
    """The JSON Schema of a catalogue, for editors."""
    return json.dumps(Catalogue.model_json_schema(), indent=2, ensure_ascii=False)


def load(path: Path) -> Catalogue:
    """Read a catalogue file.

    Raises:
        yamlfile.FileError: with one line `FILE:LINE:COLUMN: FIELD: what is wrong` for each error.
    """
    return yamlfile.load(path, Catalogue)
