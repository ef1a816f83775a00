"""The network around the router under test: who is where, and the rows that tell the router.

Port 1 leads to clients, port 2 to the hosts of the site at this router; ports 3 and 4 lead to other CFN
routers, behind which are the far site, over the one, and a network of hosts over both in two equal ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.packet import Packet

from cfn.cookie import CookieKey, seal
from cfn.names import func_id, func_prefix
from ptf_tests.entries import Call, Entry, default, entry, one_shot
from ptf_tests.rivals import EACH_1_US, Expected, Rival, race

CLIENT_PORT, NEAR_PORT, CORE_PORT, CORE_PORT_2 = 1, 2, 3, 4
ROUTER_MAC = "02:00:00:00:01:00"
CLIENT_MAC = "02:00:00:00:00:01"
NEAR_MAC = "02:00:00:00:00:02"
CORE_MAC = "02:00:00:00:03:00"
CORE_MAC_2 = "02:00:00:00:04:00"
MTU = 1460
"""Of every next hop; the wires of the tests carry a little more."""


@dataclass(frozen=True)
class Family:
    """IPv4 or IPv6: its addresses, and the names that scapy and the tables have for it."""

    name: str
    header: type[Packet]
    ttl: str
    """scapy's name of the hop count field."""
    anycast: str
    router: str
    client: str
    passing: str
    """A host in a network of hosts behind another router, one next hop away."""
    multipath: str
    """A host that is reached over two next hops."""
    nowhere: str

    @property
    def is_ipv6(self) -> int:
        return int(self.name == "v6")

    @property
    def table(self) -> str:
        return "ipv6_route" if self.is_ipv6 else "ipv4_route"

    @property
    def local(self) -> str:
        return "local_ipv6" if self.is_ipv6 else "local_ipv4"

    def ip(self, src: str, dst: str, ttl: int = 64, **fields: object) -> Packet:
        """An IP header."""
        return self.header(src=src, dst=dst, **{self.ttl: ttl}, **fields)


V4 = Family("v4", IP, "ttl", "10.255.0.1", "10.0.0.1", "10.1.0.1", "10.3.0.9", "10.4.0.9", "10.9.0.9")
V6 = Family("v6", IPv6, "hlim", "fd00:cf::1", "fd00::1", "fd00:1::1", "fd00:3::9", "fd00:4::9", "fd00:9::9")
FAMILIES = (V4, V6)


NO_IPV4, NO_IPV6 = "0.0.0.0", "::"  # noqa: S104 - no socket is bound
"""What an instance without an address of a family has in its rows."""


class DualStack:
    """Whatever has an address of each family."""

    ipv4: str
    ipv6: str

    def address(self, family: Family) -> str:
        """Its address of a family."""
        return self.ipv6 if family.is_ipv6 else self.ipv4


@dataclass(frozen=True)
class Instance(DualStack):
    """A service instance: where cookies, counters and packets know it."""

    site: int
    instance: int
    slot: int
    ipv4: str
    ipv6: str

    def bind(self, expected: Expected = EACH_1_US, *rivals: Rival) -> Call:
        """The action that binds a request to it, unless a rival answers sooner."""
        place = {"site": self.site, "instance": self.instance, "slot": self.slot}
        addresses = {"ipv4": self.ipv4, "ipv6": self.ipv6}
        return Call("bind_instance", place | addresses | race(self.slot, expected, rivals))

    def rival(self) -> Entry:
        """The row that binds a request to it where it is the rival that answers first."""
        place = {"site": self.site, "instance": self.instance, "ipv4": self.ipv4, "ipv6": self.ipv6}
        return entry("rival", {"slot": self.slot}, "to_instance", **place)

    def live(self) -> Entry:
        """The row that says it lives, at a site of this router."""
        match = {"site": self.site, "instance": self.instance}
        return entry("instance", match, "live", slot=self.slot, ipv4=self.ipv4, ipv6=self.ipv6)


@dataclass(frozen=True)
class Home(DualStack):
    """A site at this router, and the address that other routers know it by."""

    site: int
    slot: int
    ipv4: str
    ipv6: str

    def live(self) -> Entry:
        """The row that says it is here."""
        return entry("site", {"site": self.site}, "here", slot=self.slot, ipv4=self.ipv4, ipv6=self.ipv6)

    def asked_at(self, family: Family) -> Entry:
        """The row of its address, where other routers send requests for it."""
        return entry(family.local, {"dst_addr": self.address(family)}, "site_address", site=self.site)


@dataclass(frozen=True)
class Remote(DualStack):
    """A site at another router, and an instance there that cookies name; only that router knows it."""

    site: int
    instance: int
    slot: int
    ipv4: str
    ipv6: str

    def bind(self, expected: Expected = EACH_1_US, *rivals: Rival) -> Call:
        """The action that sends a request to its router, unless a rival answers sooner."""
        params = {"site": self.site, "slot": self.slot, "ipv4": self.ipv4, "ipv6": self.ipv6}
        return Call("bind_site", params | race(self.slot, expected, rivals))

    def rival(self) -> Entry:
        """The row that sends a request to its router where it is the rival that answers first."""
        place = {"site": self.site, "ipv4": self.ipv4, "ipv6": self.ipv6}
        return entry("rival", {"slot": self.slot}, "to_site", **place)

    def live(self) -> Entry:
        """The row that says it is there."""
        match = {"site": self.site}
        return entry("site", match, "remote", slot=self.slot, ipv4=self.ipv4, ipv6=self.ipv6)


Member = Instance | Remote

HOME = Home(1, 10, "10.0.1.1", "fd00:0:1::1")
NEAR = Instance(HOME.site, 1, 11, "10.2.0.1", "fd00:2::1")
NEAR_2 = Instance(HOME.site, 2, 12, "10.2.0.2", "fd00:2::2")
FAR = Remote(0x3FFF, 0xFFFF, 8191, "10.3.0.1", "fd00:3::1")
"""With the largest numbers there are, beyond the core."""


@dataclass(frozen=True)
class NextHop:
    """A neighbour."""

    id: int
    action: str
    port: int
    mac: str

    def row(self) -> Entry:
        params = {"port": self.port, "src_mac": ROUTER_MAC, "dst_mac": self.mac, "mtu": MTU}
        return entry("next_hop", {"next_hop": self.id}, self.action, **params)

    def set(self) -> Call:
        """The action of routes that lead to it."""
        return Call("set_next_hop", {"next_hop": self.id})


TO_CLIENT = NextHop(1, "forward_edge", CLIENT_PORT, CLIENT_MAC)
TO_NEAR = NextHop(2, "forward_edge", NEAR_PORT, NEAR_MAC)
TO_CORE = NextHop(3, "forward_core", CORE_PORT, CORE_MAC)
TO_CORE_2 = NextHop(4, "forward_core", CORE_PORT_2, CORE_MAC_2)

DETECT = func_id("vision/detect")
SEGMENT = func_id("vision/segment")
PRIVATE = func_id("billing/quote")
UNKNOWN = func_id("nobody/knows")
TENANT = 7

KEY = CookieKey.from_bytes(bytes(range(8)))
NEXT_KEY = CookieKey(0xFEDCBA98, 0x89ABCDEF)
EPOCH, NEXT_EPOCH = 1, 2
NO_RIVALS = 255
"""As in choose.p4."""


def cookie(
    member: Member, func: int = DETECT, tenant: int = TENANT, epoch: int = EPOCH, key: CookieKey = KEY
) -> int:
    """The cookie of a session with the member, as the router of its site should seal it."""
    place = {"site": member.site, "instance": member.instance}
    return seal(key, epoch=epoch, **place, func_id=func, tenant=tenant)


def sealed(member: Member, func: int = DETECT) -> int:
    """The cookie of a request that this router binds to the member: only the router of its site seals one."""
    return cookie(member, func) if isinstance(member, Instance) else 0


def func_match(name: str) -> str:
    """A FuncID prefix as a table takes it."""
    value, bits = func_prefix(name)
    return f"{value:#x}/{bits}"


def route(family: Family, prefix: str, *next_hops: NextHop) -> Entry:
    """A route over equal next hops."""
    return one_shot(family.table, {"dst_addr": prefix}, *((next_hop.set(), 1) for next_hop in next_hops))


def known(
    name: str,
    *,
    service: int = 1,
    public: int = 1,
    per_request: int = 0,
    lead: int = NO_RIVALS,
    flow_s: int = 0,
) -> Entry:
    """The row that makes functions known."""
    said = {"service": service, "public": public, "per_request": per_request, "lead": lead, "flow_s": flow_s}
    return entry("function", {"func_id": func_match(name)}, "known", **said)


def service_row(family: Family, name: str, call: Call, class_id: int = 0, scope: int = 0) -> Entry:
    """What a service says to requests of a demand class, at the anycast address or at a site's."""
    match = {"is_ipv6": family.is_ipv6, "scope": scope, "class_id": class_id, "func_id": func_match(name)}
    return Entry("service", match, call)


def group_of(family: Family, name: str, class_id: int = 0, scope: int = 0) -> int:
    """A number of its own for each service's group."""
    return 1 + crc32(f"{family.name} {name} {class_id} {scope}".encode()) % 0xFFFF


def draw(family: Family, name: str, *weighted: tuple[Call, int], class_id: int = 0, scope: int = 0) -> Entry:
    """The members of a service's group."""
    return one_shot("draw", {"group": group_of(family, name, class_id, scope)}, *weighted)


def service(
    family: Family, name: str, *weighted: tuple[Call, int], class_id: int = 0, scope: int = 0
) -> tuple[Entry, Entry]:
    """A service that draws from a group."""
    place = {"class_id": class_id, "scope": scope}
    call = Call("set_group", {"group": group_of(family, name, **place)})
    return service_row(family, name, call, **place), draw(family, name, *weighted, **place)


SERVICES = tuple(row for family in FAMILIES for row in service(family, "vision/*", (NEAR.bind(), 1)))

ROUTES = (
    *(next_hop.row() for next_hop in (TO_CLIENT, TO_NEAR, TO_CORE, TO_CORE_2)),
    route(V4, "10.1.0.0/16", TO_CLIENT),
    route(V4, "10.2.0.0/16", TO_NEAR),
    route(V4, "10.3.0.0/16", TO_CORE),
    route(V4, "10.4.0.0/16", TO_CORE, TO_CORE_2),
    route(V6, "fd00:1::/32", TO_CLIENT),
    route(V6, "fd00:2::/32", TO_NEAR),
    route(V6, "fd00:3::/32", TO_CORE),
    route(V6, "fd00:4::/32", TO_CORE, TO_CORE_2),
)

ADDRESSES = (
    entry("my_mac", {"dst_addr": ROUTER_MAC}, "for_router"),
    *(entry(family.local, {"dst_addr": family.anycast}, "anycast") for family in FAMILIES),
    *(entry(family.local, {"dst_addr": family.router}, "own_address") for family in FAMILIES),
    *(HOME.asked_at(family) for family in FAMILIES),
    *(entry("core_port", {"port": port}, "from_core") for port in (CORE_PORT, CORE_PORT_2)),
    entry("arp_reply", {"target": V4.router}, "answer_arp", mac=ROUTER_MAC),
    entry("nd_reply", {"target": V6.router}, "answer_nd", mac=ROUTER_MAC),
    default("anycast_source", "anycast_is", ipv4=V4.anycast, ipv6=V6.anycast),
)

FUNCTIONS = (
    known("vision/*"),
    known("billing/*", service=2, public=0),
    entry("permit", {"tenant": TENANT, "func_id": func_match("billing/*")}, "allow"),
)

COOKIES = (
    entry("cookie_key", {"epoch": EPOCH}, "use_key", k0=KEY.k0, k1=KEY.k1),
    default("seal_key", "seal_with", key_epoch=EPOCH, k0=KEY.k0, k1=KEY.k1),
    HOME.live(),
    NEAR.live(),
    FAR.live(),
)

ROUTER = (*ADDRESSES, *ROUTES, *FUNCTIONS, *COOKIES)
"""All but the services, which each file of tests has of its own or takes from `SERVICES`."""
