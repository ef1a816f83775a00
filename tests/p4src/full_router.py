"""One configuration of the router in which packets can reach every stage.

Port 1 leads to clients, port 2 to the hosts of site 1, which is at this router; ports 3 and 4 lead to other
routers, behind which are sites 2 and 3, the latter by a list of segments; port 5 is narrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from cfn.auth import TenantKey
from cfn.cookie import CookieKey
from switch.api import Action, Group, Match, Member, Target
from tests.p4src.frames import ANYCAST_4, ANYCAST_6, ROUTER_4, ROUTER_MAC
from tests.switch.state import CloneSession, DefaultAction, Entry, Item, MeterCell, Profile, State

CLIENTS, HOSTS, CORE, CORE_2, NARROW, CONTROLLER = 1, 2, 3, 4, 5, 510
CORE_PORTS = (CORE, CORE_2)
MTU, NARROW_MTU = 1500, 300
MTUS = {CLIENTS: MTU, HOSTS: MTU, CORE: MTU, CORE_2: MTU, NARROW: NARROW_MTU}

Pair = tuple[bytes, bytes]
"""An IPv4 and an IPv6 address."""


def pair(ipv4: str, ipv6: str) -> Pair:
    return ip_address(ipv4).packed, ip_address(ipv6).packed


ANYCAST, ROUTER = (ANYCAST_4, ANYCAST_6), (ROUTER_4, ip_address("fd00::1").packed)
OUR_SEGMENT, SEGMENTS = ip_address("fd00::5e6").packed, pair("10.3.0.161", "fd00:3::a1")
HOME, HOME_SLOT, HOME_ADDRESS = 1, 10, pair("10.0.1.1", "fd00:0:1::1")
RIVALS = 3
"""Of a member, at most."""


@dataclass(frozen=True)
class Place:
    """Where requests can be bound to: an instance at site 1, or with instance 0 a remote site."""

    site: int
    instance: int
    slot: int
    address: Pair
    expected: tuple[int, int, int] = (500, 1000, 1000)
    """What its answer takes: `base`, `unit` and `free` of `choose.p4`, in µs."""

    @property
    def params(self) -> tuple[int, ...]:
        return (self.slot, *map(number, self.address))

    def action(self, group: tuple[Place, ...]) -> Action:
        """That draws it from a group, the others of which are its rivals."""
        others = [place for place in group if place != self]
        rivals = [*others, *[self] * RIVALS][:RIVALS]
        race = (*self.expected, *(part for rival in rivals for part in (rival.slot, *rival.expected)))
        if self.instance:
            return local("choose.bind_instance", self.site, self.instance, *self.params, *race)
        return local("choose.bind_site", self.site, *self.params, *race)

    @property
    def rival(self) -> Entry:
        """The row that binds a request to it instead of to who was drawn."""
        addresses = map(number, self.address)
        if self.instance:
            action = local("choose.to_instance", self.site, self.instance, *addresses)
        else:
            action = local("choose.to_site", self.site, *addresses)
        return entry("choose.rival", action, self.slot)


def number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def local(action: str, *params: int) -> Action:
    return Action(f"CfnIngress.{action}", params)


def entry(
    table: str,
    target: Target,
    *key: Match | int,
    priority: int = 0,
    bursts: tuple[int, int] | None = None,
) -> Entry:
    """An entry; a number as a key is an exact match."""
    matches = tuple(part if isinstance(part, Match) else Match(part) for part in key)
    return Entry(f"CfnIngress.{table}", matches, priority, target, bursts)


ANYTHING = Match(0, 0)
"""Of a ternary field."""


def prefix(value: int, length: int, width: int) -> Match:
    mask = (1 << length) - 1 << width - length
    return Match(value & mask, mask)


NEAR = Place(HOME, 1, 11, pair("10.2.0.1", "fd00:2::1"))
NEAR_2 = Place(HOME, 2, 12, pair("10.2.0.2", "fd00:2::2"), (500, 200, 0))
NEAR_NARROW = Place(HOME, 3, 13, pair("10.5.0.3", "fd00:5::3"))
LOST = Place(HOME, 4, 14, pair("10.9.0.4", "fd00:9::4"))
"""No route leads to it."""
FAR, PINNED = (
    Place(2, 0, 20, pair("10.3.0.1", "fd00:3::1"), (2500, 250, 5000)),
    Place(3, 0, 21, pair("10.4.0.1", "fd00:4::1"), (0, (1 << 32) - 1, 1)),
)
UNLISTED = NEAR_NARROW
"""A rival that wins nothing: the router does not know where it is."""
INSTANCES, SITES = (NEAR, NEAR_2, NEAR_NARROW, LOST), (FAR, PINNED)
AGENTS = {
    HOME: pair("10.2.0.200", "fd00:2::200"),
    2: pair("10.3.0.200", "fd00:3::200"),
    3: pair("10.4.0.200", "fd00:4::200"),
}


@dataclass(frozen=True)
class Service:
    """A service by the high half of its FuncIDs; `places` are drawn from in demand class 0."""

    id: int
    high: int
    places: tuple[Place, ...]
    public: int = 1
    per_request: int = 0
    lead: int = 255
    flow_s: int = 0

    @property
    def scoped(self) -> tuple[Place, ...]:
        """What site 1 has of it."""
        return tuple(place for place in self.places if place.site == HOME)


PLAIN = Service(1, 0x11111111, (NEAR, NEAR_2, NEAR_NARROW, FAR, PINNED))
FLOWS = Service(2, 0x22222222, (NEAR, FAR), lead=10, flow_s=60)
PRIVATE = Service(3, 0x33333333, (PINNED, NEAR, NEAR_2, NEAR_NARROW, FAR), public=0, per_request=1, lead=0)
SHEDS = Service(4, 0x44444444, (NEAR_2,))
"""And refuses by weight."""
STRANDED = Service(5, 0x55555555, (LOST,))
SERVICES = (PLAIN, FLOWS, PRIVATE, SHEDS, STRANDED)
IDLE, UNKNOWN = 0x66666666, 0x77777777
"""Nobody takes requests for the first now; the second is not known at all."""
CLASS_FAR, CLASS_NONE = 1, 2
TYPE_FAR, TYPE_NONE = 5, 6
"""Demand types: served by the pinned site alone, and by nobody."""

MEMBER, SIGNER, LIMITED, LOWERED, STRANGER = 7, 8, 9, 10, 11
"""Tenants: permitted; with a key; refused above 3 requests; marked from the second on; none of these."""
TENANT_KEY = TenantKey(0x01234567, 0x89ABCDEF)
COOKIE_KEYS = {1: CookieKey.from_bytes(bytes(range(8))), 2: CookieKey(0xFEDCBA98, 0x89ABCDEF)}
EXPIRED_EPOCH = 3
INPUTS = {site: bytes([site]) * 16 for site in (HOME, 2, 3, 9)}
"""By the site that holds each; nothing runs at 9."""
COMPUTED = b"r" * 16
"""The input whose result for `PLAIN`'s first function is at site 2."""


def group(service: Service, scope: int = 0, class_id: int = 0) -> int:
    """The id of a group."""
    return 1 + service.id * 8 + class_id * 2 + (scope != 0)


def full() -> State:
    """All that the router is given."""
    members: list[Action] = []
    groups: list[tuple[int, ...]] = []

    def drawn(*actions: Action) -> Group:
        start = len(members)
        members.extend(actions)
        groups.append(tuple(range(start, len(members))))
        return Group(len(groups) - 1)

    items: list[Item] = [*_addresses(), *_tenants(), *_sites(), CloneSession(1, CLIENTS)]
    items += [place.rival for place in (*INSTANCES, *SITES) if place != UNLISTED]
    for service in SERVICES:
        for scope, class_id, places in (
            (0, 0, service.places),
            (HOME, 0, service.scoped),
            (0, CLASS_FAR, (PINNED,)),
        ):
            actions = [place.action(places) for place in places]
            if service == SHEDS and not class_id:
                actions.append(local("choose.shed", 100))
            items += [
                entry("service.service", local("service.set_group", group(service, scope, class_id)),
                      is_ipv6, scope, class_id, prefix(service.high << 32, 32, 64))
                for is_ipv6 in (0, 1)
            ]  # fmt: skip
            items.append(entry("choose.draw", drawn(*actions), group(service, scope, class_id)))
        items += _held(service)
    hops = (Action("CfnIngress.route.set_next_hop", (port,)) for port in (*MTUS, CORE, CORE_2))
    profiles = (
        Profile("CfnIngress.choose.members", tuple(members), tuple(groups)),
        Profile("CfnIngress.route.next_hops", tuple(hops), ((5, 6),)),
    )
    return State(profiles, (*items, *_functions(), *_routes()))


def _addresses() -> list[Item]:
    items: list[Item] = [
        entry("classify.my_mac", local("classify.for_router"), number(ROUTER_MAC)),
        entry("neighbour.arp_reply", local("neighbour.answer_arp", number(ROUTER_MAC)), number(ROUTER_4)),
        entry("neighbour.nd_reply", local("neighbour.answer_nd", number(ROUTER_MAC)), number(ROUTER[1])),
        entry("classify.local_ipv6", local("classify.segment"), number(OUR_SEGMENT)),
    ]
    for family, table in enumerate(("classify.local_ipv4", "classify.local_ipv6")):
        for action, address in (
            (local("classify.anycast"), ANYCAST),
            (local("classify.own_address"), ROUTER),
            (local("classify.site_address", HOME), HOME_ADDRESS),
        ):
            items.append(entry(table, action, number(address[family])))
    items += [entry("classify.core_port", local("classify.from_core"), port) for port in CORE_PORTS]
    for table, action in (
        ("anycast.anycast_source", local("anycast.anycast_is", *map(number, ANYCAST))),
        ("own.router", local("own.router_is", 77, *map(number, ROUTER))),
    ):
        items.append(DefaultAction(f"CfnIngress.{table}", action))
    plenty, few = (1 << 20, 1 << 20), (3, 3)
    items += [MeterCell("CfnIngress.tell.errors", port, plenty) for port in (HOSTS, CORE)]
    items.append(MeterCell("CfnIngress.tell.errors", CLIENTS, few))
    return items


def _tenants() -> list[Item]:
    measure = local("contract.measure", 250)
    key = local("auth.signs_with", 255, TENANT_KEY.k0, TENANT_KEY.k1)
    return [
        entry("auth.tenant_key", key, SIGNER),
        entry("contract.contract", measure, LIMITED, bursts=(1, 3)),
        entry("contract.contract", measure, LOWERED, bursts=(1, 1 << 20)),
        entry("admit.permit", local("admit.allow"), MEMBER, prefix(PRIVATE.high << 32, 32, 64)),
        *(
            entry("usage.usage", local("usage.count_use"), MEMBER, service.id, site)
            for service in SERVICES
            for site in (HOME, 2)
        ),
    ]


def _sites() -> list[Item]:
    items: list[Item] = [
        entry("alive.site", local("alive.here", HOME_SLOT, *map(number, HOME_ADDRESS)), HOME),
        *(entry("alive.site", local("alive.remote", *place.params), place.site) for place in SITES),
        *(entry("alive.instance", local("alive.live", *p.params), p.site, p.instance) for p in INSTANCES),
        *(
            entry("send_ahead.data_agent", local("send_ahead.agent_at", *map(number, address)), site)
            for site, address in AGENTS.items()
        ),
        entry("encapsulate.segment_list",
              local("encapsulate.via_2",
                    number(ROUTER[1]), MTU, number(SEGMENTS[1]), number(SEGMENTS[1]) + 1),
              PINNED.site, ANYTHING, ANYTHING, priority=1),
    ]  # fmt: skip
    for epoch, key in COOKIE_KEYS.items():
        items.append(entry("affinity.cookie_key", local("affinity.use_key", key.k0, key.k1), epoch))
    epoch, key = max(COOKIE_KEYS.items())
    items.append(DefaultAction("CfnIngress.bind.seal_key", local("bind.seal_with", epoch, key.k0, key.k1)))
    return items


def _held(service: Service) -> list[Item]:
    """Where the service's groups can be drawn to by data."""
    there = local("prefer.member_here", HOME_SLOT, group(service, HOME))
    remote = (place for place in service.places if place in SITES)
    items: list[Item] = [entry("prefer.member", there, group(service), HOME)] if service.scoped else []
    items += [
        entry("prefer.member", local("prefer.member_remote", *place.params), group(service), place.site)
        for place in remote
    ]
    return items


def _functions() -> list[Item]:
    items: list[Item] = []
    for service in (*SERVICES, Service(6, IDLE, ())):
        known = (service.id, service.public, service.per_request, service.lead, service.flow_s)
        items.append(
            entry("admit.function", local("admit.known", *known), prefix(service.high << 32, 32, 64))
        )
    any_, range_ = Match(0), Match(0, 0, 0xFFFF)
    for kind, class_id in ((TYPE_FAR, CLASS_FAR), (TYPE_NONE, CLASS_NONE)):
        key = (any_, Match(kind, 0xF), any_, range_, Match(0, 0, 0xFF))
        items.append(entry("demand.demand_class", local("demand.set_class", class_id), *key, priority=1))
    idle = prefix(IDLE << 32, 32, 64)
    items += [
        entry("service.service", local("service.no_capacity", 500), 0, 0, 0, idle),
        entry("service.service", local("service.unmet", 3), 1, 0, 0, idle),
        entry("holder.result_holder", local("holder.result_at", 2), PLAIN.high << 32, number(COMPUTED)),
    ]
    return items + [
        entry("holder.input_holder", local("holder.input_at", site), number(name))
        for site, name in INPUTS.items()
    ]


def _routes() -> list[Item]:
    items: list[Item] = []
    for at, (port, mtu) in enumerate(MTUS.items()):
        forward = "route.forward_core" if port in CORE_PORTS else "route.forward_edge"
        macs = (number(ROUTER_MAC), 0x020000000000 + port)
        items.append(entry("route.next_hop", local(forward, port, *macs, mtu), port))
        if port == CORE_2:
            continue
        for table, network in (
            ("route.ipv4_route", ip_network(f"10.{port}.0.0/16")),
            ("route.ipv6_route", ip_network(f"fd00:{port}::/32")),
        ):
            items.append(_route(table, network.network_address.packed, network.prefixlen, Member(at)))
    items.append(_route("route.ipv4_route", pair("10.4.0.0", "::")[0], 16, Group(0)))
    items.append(_route("route.ipv6_route", pair("0.0.0.0", "fd00:4::")[1], 32, Group(0)))  # noqa: S104
    return items


def _route(table: str, address: bytes, length: int, target: Target) -> Entry:
    return entry(table, target, prefix(number(address), length, 8 * len(address)))
