"""Lays a lab's wires: a veth pair for a plain one, two pairs with an impairment between for any other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from topo import netem, veth
from topo.impairment import Impairment
from topo.plan import Host, Link, Plan, PortEnd
from topo.veth import End


@dataclass(frozen=True)
class Gap:
    """Two interfaces in the core namespace that an impairment has still to join."""

    a: str
    b: str
    impairment: Impairment


def lay(plan: Plan) -> list[Gap]:
    """Lay all wires and bring up all interfaces; return the gaps that netem or a delay line has to join."""
    gaps = [_lay_link(plan, link) for link in plan.links]
    gaps += [_lay_access(plan, host) for host in plan.hosts.values()]
    return [gap for gap in gaps if gap is not None]


def bridge_by_netem(core: str, gaps: Iterable[Gap]) -> None:
    """Join gaps by the kernel's network emulation.

    Raises:
        topo.netem.TcError: the kernel refused.
    """
    for gap in gaps:
        netem.join(core, gap.a, gap.b, gap.impairment)


def delayline_command(program: Path, stats_socket: Path, gaps: Iterable[Gap]) -> list[str]:
    """Return the command line of the delay line that joins gaps; their losses are the same in every run."""
    command = [str(program), "--stats", str(stats_socket)]
    for seed, gap in enumerate(gaps):
        command += ["--wire", gap.impairment.delayline_wire(gap.a, gap.b, seed)]
    return command


def _lay_link(plan: Plan, link: Link) -> Gap | None:
    a, b = _port(plan, link.a), _port(plan, link.b)
    if link.impairment.is_plain:
        _pair(a, b)
        return None
    return _gap(plan, (a, link.a.wire_interface), (b, link.b.wire_interface), link.impairment)


def _lay_access(plan: Plan, host: Host) -> Gap | None:
    port = _port(plan, host.attached)
    end = End(host.namespace, host.interface, host.mac)
    if host.impairment.is_plain:
        veth.create(end, port)
        gap = None
    else:
        host_side = End(plan.core, f"h-{host.attached.interface}")
        veth.create(end, host_side)
        veth.raise_port(host_side)
        wire = End(plan.core, host.attached.wire_interface)
        _pair(port, wire)
        gap = Gap(host_side.interface, wire.interface, host.impairment)
    veth.raise_port(port)
    veth.raise_host(end, (host.ipv4, host.ipv6), plan.gateway)
    return gap


def _gap(plan: Plan, a: tuple[End, str], b: tuple[End, str], impairment: Impairment) -> Gap:
    for port, wire in (a, b):
        _pair(port, End(plan.core, wire))
    return Gap(a[1], b[1], impairment)


def _pair(a: End, b: End) -> None:
    veth.create(a, b)
    veth.raise_port(a)
    veth.raise_port(b)


def _port(plan: Plan, end: PortEnd) -> End:
    return End(plan.core, end.interface)
