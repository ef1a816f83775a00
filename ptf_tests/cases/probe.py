"""Probes between neighbours: reflected with the time they were held, measured when they come back."""

from __future__ import annotations

from p4runtime_sh import shell
from scapy.layers.inet import UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from cfn.scapy_layer import CFN
from cfn.wire import PORT, Kind, ProbeStatus
from ptf_tests.base import TIMEOUT, CfnTest, each_family
from ptf_tests.network import CORE_MAC, CORE_PORT, FAMILIES, ROUTER_MAC, Family
from ptf_tests.packets import residuals

NEIGHBOUR = {"v4": "10.0.0.2", "v6": "fd00::2"}


def probe(family: Family, status: int = ProbeStatus.PROBE, ttl: int = 255, **fields: object) -> Packet:
    """A probe of the neighbour's, or its echo of ours."""
    frame = Ether(src=CORE_MAC, dst=ROUTER_MAC) / family.ip(NEIGHBOUR[family.name], family.router, ttl)
    header = {"kind": Kind.PROBE, "request_id": 5, "timestamp": 1000, "report_status": status} | fields
    return frame / UDP(sport=PORT, dport=PORT) / CFN(**header)


class Reflected(CfnTest):
    """A neighbour's probe goes back by the port it came from, with the time that the router held it."""

    @each_family
    def runTest(self, family: Family) -> None:
        sent = probe(family, data_out=bytes(range(16)))
        self.send(sent, CORE_PORT)
        port, received = self.receive()
        self.expect_outcomes(PROBE_ECHOED=1)
        found = Ether(received)
        expected = sent.copy()
        expected[Ether].src, expected[Ether].dst = ROUTER_MAC, CORE_MAC
        ip = expected[family.header]
        ip.src, ip.dst = ip.dst, ip.src
        held = found[CFN].data_out
        expected[CFN].report_status, expected[CFN].data_out = ProbeStatus.ECHO, held
        self.assertEqual((port, received.hex()), (CORE_PORT, bytes(expected).hex()))
        self.assertEqual(held[:12], bytes(12))
        self.assertEqual(set(residuals(received).values()), {0})


class NotANeighbours(CfnTest):
    """What came over a router, or is not the bare header, is no neighbour's probe."""

    @each_family
    def runTest(self, family: Family) -> None:
        longer = probe(family) / b"payload"
        for name, sent in {
            "over a router": probe(family, ttl=254),
            "with a payload": longer,
            "of another status": probe(family, status=2),
            "an echo over a router": probe(family, status=ProbeStatus.ECHO, ttl=64),
        }.items():
            with self.row(family.name, name):
                self.refuse(sent, "DROP_PROBE", CORE_PORT)
        self.refuse(probe(family), "DROP_PROBE")


class Returned(CfnTest):
    """The echo of ours is told: round trip without what the neighbour held, jitter, count."""

    fresh = True

    def setUp(self) -> None:
        super().setUp()
        self.digest = shell.DigestEntry("link_report")
        self.digest.max_list_size = 1
        self.digest.insert()
        self.addCleanup(self.digest.delete)

    def runTest(self) -> None:
        smoothed = jitter = last = 0
        for number in range(1, 9):
            family = FAMILIES[number % 2]
            held = 3_000_000 * number
            sent = probe(
                family, ProbeStatus.ECHO, request_id=100 + number, timestamp=7, data_out=held.to_bytes(16)
            )
            self.refuse(sent, "PROBE_RETURNED", CORE_PORT)
            report = self.report()
            self.assertEqual(
                (report["port"], report["sequence"], report["returned"]), (CORE_PORT, 100 + number, number)
            )
            found = report["round_trip_us"]
            if number == 1:
                smoothed = last = found
            else:
                # The sample follows from what the smoothing made of it, to the 8 µs that it cannot tell.
                low = ((found - smoothed + (smoothed >> 3)) % 2**32) << 3
                sample = low % 2**32
                difference = sample - last if sample > last else last - sample
                expected = jitter - (jitter >> 4) + (difference >> 4)
                self.assertLessEqual(abs(report["jitter_us"] - expected), 1)
                smoothed, last = found, sample
            jitter = report["jitter_us"]

    def report(self) -> dict[str, int]:
        """The next `link_report`, acknowledged by the next test's arbitration."""
        message = shell.client.get_stream_packet("digest", timeout=TIMEOUT)
        self.assertIsNotNone(message, "no report came")
        (data,) = message.digest.data
        names = [member.name for member in shell.context.p4info.type_info.structs["link_report"].members]
        values = (int.from_bytes(member.bitstring, "big") for member in data.struct.members)
        return dict(zip(names, values, strict=True))


class Emitted(CfnTest):
    """What the controller sends goes out of the port it says, as it is; a probe gets the time it leaves."""

    @each_family
    def runTest(self, family: Family) -> None:
        plain = Ether(src=ROUTER_MAC, dst=CORE_MAC, type=0x88B5) / bytes(60)
        self.emit(plain)
        self.expect(plain, CORE_PORT)
        sent = probe(family)
        sent[Ether].src, sent[Ether].dst = ROUTER_MAC, CORE_MAC
        sent[CFN].timestamp = 0
        self.emit(sent)
        expected = sent.copy()
        expected[CFN].timestamp = None
        received = self.expect(expected, CORE_PORT)
        self.assertEqual(set(residuals(received).values()), {0})
        self.expect_outcomes(EMITTED=2)

    def emit(self, frame: Packet) -> None:
        """Send a frame as the controller."""
        out = shell.PacketOut(bytes(frame))
        out.metadata["egress_port"] = str(CORE_PORT)
        out.metadata["padding"] = "0"
        out.send()
        self.sent += 1
