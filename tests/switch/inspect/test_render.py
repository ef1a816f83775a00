"""What a terminal shows."""

from switch.api import Action, Match, Replica
from switch.inspect import counts
from switch.inspect.explain import explain
from switch.inspect.render import render
from switch.proto import inspect_pb2 as pb
from tests.switch.harness import running

from .test_explain import key, order


def test_an_explanation_as_lines() -> None:
    with running("match") as switch:
        switch.table_insert("I.range_t", [Match(5, high=9), Match(0)], 2, Action("I.set", (1,)))
        lines = [line.plain for line in render(explain(switch, 3, key(3, b=7)))]
    assert lines[0] == "in on port 3, 30 bytes"
    start = lines.index("ingress")
    # std.egress_spec = 1, then the chain of ifs; lines of the source follow what they are about.
    assert lines[start + 1].startswith("  do match45()  match.p4:")
    assert lines[start + 2] == "    standard_metadata.egress_spec 0 → 1"
    at = next(i for i, line in enumerate(lines) if "table I.range_t" in line)
    assert lines[at - 1].startswith("  if hdr.key.kind == 3  yes  match.p4:")
    assert lines[at].startswith("  table I.range_t: hdr.key.b 0x0007, hdr.key.a 0  match.p4:")
    assert lines[at + 1] == "    hit entry 1, priority 2: 0x0005..0x0009, _"
    assert lines[at + 2].startswith("    I.set(code 1)  match.p4:")
    assert lines[at + 3] == "    result.code 17 → 1"
    assert lines[at + 4 : at + 6] == ["egress to port 1", "deparser: key, result, 4 bytes of payload"]
    assert lines[at + 6] == "out on port 1, 30 bytes"


def test_copies_are_set_in() -> None:
    with running("copies", cpu_port=510) as switch:
        switch.multicast_set(7, [Replica(510, 20)])
        lines = [line.plain for line in render(explain(switch, 3, order(1)))]
        at = lines.index("multicast group 7: 1 copy")
        assert lines[at + 1] == "├ copy to port 510, instance 20"
        assert all(line.startswith("│   ") for line in lines[at + 2 :])
        assert "│   out on port 510 (CPU), 19 bytes" in lines
        switch.multicast_set(7, [])
        lines = [line.plain for line in render(explain(switch, 3, order(1)))]
        assert lines[-1] == "multicast group 7: no copies"


def test_rates_of_the_ports_that_both_looks_have() -> None:
    before = pb.SwitchStatistics(ports=[pb.PortStatistics(port=1, rx_packets=10, tx_packets=4)])
    now = pb.SwitchStatistics(
        ports=[
            pb.PortStatistics(port=1, rx_packets=30, tx_packets=4),
            pb.PortStatistics(port=2, rx_packets=9),
        ]
    )
    assert counts.rates(before, now, 2.0) == {1: (10.0, 0.0)}
    assert [len(table.rows) for table in counts.render(now, {1: (10.0, 0.0)})] == [2, 0, 0]
