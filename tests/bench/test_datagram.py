from ipaddress import IPv4Address

from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from bench import datagram

MACS = ("02:00:00:00:00:01", "02:00:00:00:00:02")
ADDRESSES = st.builds(IPv4Address, st.integers(0, 2**32 - 1))
PORTS = st.integers(0, 2**16 - 1)


@given(ADDRESSES, ADDRESSES, PORTS, PORTS, st.binary(max_size=40))
def test_frame_is_what_scapy_makes_of_it(
    src: IPv4Address, dst: IPv4Address, sport: int, dport: int, data: bytes
) -> None:
    made = datagram.frame(MACS, (src, dst), (sport, dport), data)
    ip = IP(src=str(src), dst=str(dst), flags="DF", id=0)
    assert made == bytes(Ether(src=MACS[0], dst=MACS[1]) / ip / UDP(sport=sport, dport=dport) / data)
