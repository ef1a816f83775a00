"""Makes the trace that the demo replays: requests of one client as scapy builds them, in a pcap file.

`python -m topo.trace` writes `topo/labs/demo.pcap` anew; the same lab gives the same file, byte for byte.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet
from scapy.utils import wrpcap

from cfn import wire
from cfn.client import build_request
from cfn.names import func_id
from cfn.scapy_layer import CFN
from topo import plan
from topo.inputs import inputs
from topo.plan import Plan

LABS = Path(__file__).parent / "labs"
FIRST_PORT = 40_000


@dataclass(frozen=True)
class Pattern:
    """When requests arrive: a Poisson process whose rate goes up and down like a day's.

    Attributes:
        seconds: length of the trace.
        rate_per_s: mean rate.
        swing: the rate is between `1 - swing` and `1 + swing` times the mean.
        period_s: length of a "day".
        ports: number of source ports, in other words of flows in each address family.
        seed: of all random choices.
    """

    seconds: float = 30.0
    rate_per_s: float = 20.0
    swing: float = 0.5
    period_s: float = 15.0
    ports: int = 8
    seed: int = 7


def arrivals(pattern: Pattern) -> Iterator[float]:
    """Yield arrival times in s, rising, by thinning a Poisson process of the highest rate."""
    draw = random.Random(pattern.seed)
    highest = pattern.rate_per_s * (1 + pattern.swing)
    now = 0.0
    while (now := now + draw.expovariate(highest)) < pattern.seconds:
        rate = pattern.rate_per_s * (1 + pattern.swing * math.sin(2 * math.pi * now / pattern.period_s))
        if draw.random() < rate / highest:
            yield now


def make(the_plan: Plan, pattern: Pattern) -> list[Packet]:
    """Make the frames of the lab's first client: all functions of the lab, IPv4 and IPv6, several flows."""
    client = the_plan.clients[0]
    router = the_plan.routers[client.attached.router]
    functions = sorted({i.function for site in the_plan.sites.values() for i in site.instances})
    tenant = next(iter(the_plan.spec.tenants.values()), 0)
    payloads = {name: list(inputs(name)) for name in functions}
    draw = random.Random(pattern.seed + 1)
    ethernet = Ether(src=client.mac, dst=router.mac)
    network = {
        4: IP(src=str(client.ipv4[0]), dst=str(the_plan.anycast[0])),
        6: IPv6(src=str(client.ipv6[0]), dst=str(the_plan.anycast[1])),
    }
    frames: list[Packet] = []
    for number, time_s in enumerate(arrivals(pattern), 1):
        function, family = draw.choice(functions), draw.choice((4, 6))
        payload = draw.choice(payloads[function])
        request = build_request(function, payload, request_id=number, tenant=tenant).header
        cfn = CFN(
            kind=wire.Kind.REQUEST,
            tenant=tenant,
            request_id=number,
            func_id=func_id(function),
            data_in=request.data_in,
            data_out=request.data_out,
        )
        port = FIRST_PORT + draw.randrange(pattern.ports)
        frame = ethernet / network[family] / UDP(sport=port, dport=wire.PORT) / cfn / payload
        frame.time = time_s
        frames.append(frame)
    return frames


def main() -> None:
    """Write the trace of a lab."""
    parser = argparse.ArgumentParser(prog="python -m topo.trace", description=__doc__)
    parser.add_argument("lab", type=Path, nargs="?", default=LABS / "demo.yaml")
    parser.add_argument("--out", type=Path, help="pcap file (default: next to the lab file)")
    arguments = parser.parse_args()
    out = arguments.out or arguments.lab.with_suffix(".pcap")
    frames = make(plan.load(arguments.lab), Pattern())
    wrpcap(str(out), frames)
    print(f"{out}: {len(frames)} requests, {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
