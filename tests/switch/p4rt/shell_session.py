"""What an operator types into p4runtime-shell, on `programs/everything.p4`: `test_shell.py` runs it.

Arguments: address, P4Info, BMv2 JSON. It says "listening" on standard output when digests may come.
"""

import sys

from p4runtime_sh import shell

address, p4info, program = sys.argv[1:]
DEVICE_ID = 3


def count(cells) -> int:
    found = []
    cells.read(found.append)
    return len(found)


shell.setup(
    device_id=DEVICE_ID, grpc_addr=address, election_id=(0, 1), config=shell.FwdPipeConfig(p4info, program),
    verbose=False,
)  # fmt: skip
try:
    for number in (1, 2):
        member = shell.ActionProfileMember("ingress.paths")(member_id=number, action="ingress.forward")
        member.action["port"] = str(number)
        member.insert()
    group = shell.ActionProfileGroup("ingress.paths")(group_id=1)
    group.add(1, weight=2)
    group.add(2)
    group.insert()
    entry = shell.TableEntry("ingress.selected")(group_id=1)
    entry.match["dst_addr"] = "10.0.0.0/8"
    entry.insert()
    assert count(shell.ActionProfileMember("ingress.paths")) == 2
    assert count(shell.TableEntry("ingress.selected")) == 1
    entry.delete()
    group.delete()
    for number in (1, 2):
        shell.ActionProfileMember("ingress.paths")(member_id=number).delete()

    entry = shell.TableEntry("ingress.selected")
    entry.match["dst_addr"] = "10.0.0.0/8"
    for number in (1, 2):
        action = shell.Action("ingress.forward")
        action["port"] = str(number)
        entry.oneshot.add(action, weight=number)
    entry.insert()
    assert count(shell.TableEntry("ingress.selected")) == 1

    station = shell.TableEntry("ingress.station")(action="ingress.metered_forward")
    station.match["dst_addr"] = "00:00:00:00:00:01"
    station.action["port"] = "1"
    station.insert()
    rate = shell.DirectMeterEntry("ingress.station_rate")
    rate.table_entry.match["dst_addr"] = "00:00:00:00:00:01"
    rate.cir, rate.cburst, rate.pir, rate.pburst = 1, 2, 3, 4
    rate.modify()
    hits = shell.DirectCounterEntry("ingress.station_hits")
    hits.table_entry.match["dst_addr"] = "00:00:00:00:00:01"
    hits.packet_count = 7
    hits.modify()
    assert count(shell.DirectCounterEntry("ingress.station_hits")) == 1

    cell = shell.CounterEntry("ingress.per_port")(index=3)
    cell.packet_count = 5
    cell.modify()
    assert count(shell.CounterEntry("ingress.per_port")) == 8
    meter = shell.MeterEntry("ingress.port_rate")(index=3)
    meter.cir, meter.cburst, meter.pir, meter.pburst = 1, 2, 3, 4
    meter.modify()
    assert count(shell.MeterEntry("ingress.port_rate")) == 8

    multicast = shell.MulticastGroupEntry(1)
    multicast.add(1, 1).add(2, 2)
    multicast.insert()
    session = shell.CloneSessionEntry(5)
    session.add(1, 1)
    session.insert()

    packets = shell.PacketIn()
    packet = shell.PacketOut(
        payload=(9 << 7 | 5).to_bytes(2, "big") + bytes(20), egress_port="510", queue="0"
    )
    packet.send()
    (back,) = list(packets.sniff(timeout=2))[:1]
    assert back.packet.payload == bytes(20)

    learn = shell.TableEntry("ingress.acl")(action="ingress.learn", priority=1)
    learn.match["ingress_port"] = "5"
    learn.insert()
    wanted = shell.DigestEntry("seen_t")
    wanted.max_list_size = 1
    wanted.insert()
    lists = shell.DigestList()
    print("listening", flush=True)
    (heard,) = list(lists.sniff(timeout=3))[:1]
    assert heard.digest.data[0].struct.members[1].bitstring == b"\5"
finally:
    shell.teardown()
