from pathlib import Path

import pytest

from bench.counters import InterfaceCounters, parse

_RECEIVED = "bytes packets errs drop fifo frame compressed multicast"
_SENT = "bytes packets errs drop fifo colls carrier compressed"
TEXT = f"""\
Inter-|   Receive      |  Transmit
 face |{_RECEIVED}|{_SENT}
    lo:       0       1    2    3    4   5    6   7   80  90   10   11   12    13   14   15
bmv2-1:11400000  100000    0    0    0   0    0   0  228   2    0    5    0     0    0    0
"""


def test_reads_packets_and_drops_of_each_interface() -> None:
    assert parse(TEXT) == {
        "lo": InterfaceCounters(rx_packets=1, tx_packets=90, tx_dropped=11),
        "bmv2-1": InterfaceCounters(rx_packets=100000, tx_packets=2, tx_dropped=5),
    }


def test_reads_this_machine() -> None:
    assert "lo" in parse(Path("/proc/net/dev").read_text())


def test_refuses_a_line_of_another_shape() -> None:
    with pytest.raises(ValueError, match="16 columns"):
        parse(TEXT + "eth0: 1 2 3\n")
