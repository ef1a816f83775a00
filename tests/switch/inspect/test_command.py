"""`python -m switch explain` and `stats`: a running switch, a program alone, wrong command lines."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest
from finsy.proto import p4r
from google.protobuf import text_format
from scapy.utils import wrpcap

from switch.__main__ import main
from switch.device import Device
from switch.inspect.service import add_to
from switch.p4rt.server import serve
from tests.switch.p4rt.client import Client, connect
from tests.switch.p4rt.messages import PROGRAMS, group, member, route
from tests.switch.p4rt.test_main import ROOT, switch
from tests.switch.p4rt.test_native import ipv4
from tests.switch.p4rt.test_profiles import forward, selected, to_group
from tests.switch.p4rt.wires import lay_wires

DEVICE_ID = 9
PROGRAM = str(PROGRAMS / "everything.json")
P4INFO = str(PROGRAMS / "everything.p4info.txtpb")
PACKET = ipv4(0x0A000001)

Capture = pytest.CaptureFixture[str]


@pytest.fixture
async def address(tmp_path: Path) -> AsyncGenerator[str]:
    """A switch in this process that counts lookups and has no program yet."""
    device = Device({}, cpu_port=510, table_stats=True)
    path = f"unix:{tmp_path}/switch.sock"
    async with serve(device, DEVICE_ID, path, None, add_to(device)):
        yield path
    device.close()


@pytest.fixture
async def client(address: str) -> AsyncGenerator[Client]:
    async with connect(address, DEVICE_ID) as client:
        assert await client.arbitrate() == 0
        await client.push()
        yield client


async def run(*arguments: str) -> int:
    """The command, while the switch answers in this thread."""
    return await asyncio.to_thread(main, arguments)


async def explained(capsys: Capture, *arguments: str) -> dict[str, Any]:
    assert await run("explain", *arguments, "--json") == 0
    (line,) = capsys.readouterr().out.splitlines()
    return json.loads(line)


def one(told: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [step[kind] for step in told["steps"] if kind in step]


async def test_a_running_switch_explains_with_the_entries_it_has(
    client: Client, address: str, capsys: Capture
) -> None:
    where = ("--addr", address, "--port", "1", "--packet", PACKET.hex())
    before = await explained(capsys, *where)
    await client.insert(route(0x0A000000, 8, port=2))
    after = await explained(capsys, *where)
    found = [
        [table for table in one(told, "table") if table["name"].endswith("route")] for told in (before, after)
    ]
    ((missed,), (hit,)) = found
    assert "entry" not in missed
    assert hit["entry"]["match"] == ["0x0a000000/8"]
    assert [sent["port"] for sent in one(after, "sent")] == [2]
    assert await run("explain", *where) == 0
    assert "0x0a000000/8" in capsys.readouterr().out


async def test_members_and_groups_go_by_the_ids_of_clients(
    client: Client, address: str, capsys: Capture
) -> None:
    await client.insert(
        member("paths", 70, forward(3)),
        member("paths", 71, forward(4)),
        group("paths", 500, {70: 1, 71: 1}),
    )
    await client.insert(selected(to_group(500)))
    told = await explained(capsys, "--addr", address, "--port", "1", "--packet", PACKET.hex())
    (table,) = [table for table in one(told, "table") if table["group_handle"]]
    assert table["group_id"] == 500
    assert table["member_id"] in {70, 71}


async def test_without_a_program_or_a_switch(address: str, tmp_path: Path, capsys: Capture) -> None:
    assert await run("explain", "--addr", address, "--port", "1", "--packet", "00") == 1
    assert capsys.readouterr().err == f"switch: {address}: no program runs\n"
    assert await run("stats", "--addr", address) == 1
    assert "no program runs" in capsys.readouterr().err
    assert await run("stats", "--addr", f"unix:{tmp_path}/none.sock") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{tmp_path}/none.sock" in line


async def test_a_packet_that_is_too_long_is_refused(client: Client, address: str, capsys: Capture) -> None:
    assert await run("explain", "--addr", address, "--port", "1", "--packet", "00" * 70_000) == 1
    assert "too long" in capsys.readouterr().err


async def test_statistics_of_tables(client: Client, address: str, capsys: Capture) -> None:
    await client.insert(route(0x0A000000, 8, port=2))
    assert await run("stats", "--addr", address, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    (table,) = [table for table in told["tables"] if table["name"].endswith("route")]
    assert (table["entries"], told["counts_lookups"], told["ports"]) == ("1", True, [])
    # Explaining counts no lookup.
    await explained(capsys, "--addr", address, "--port", "1", "--packet", PACKET.hex())
    assert await run("stats", "--addr", address, "--json") == 0
    assert json.loads(capsys.readouterr().out) == told


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
async def test_a_switch_that_speaks_tls(tmp_path: Path, capsys: Capture) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost"
    files = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*made.split(), *files], check=True, capture_output=True)
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
    device = Device({})
    async with serve(device, DEVICE_ID, "127.0.0.1:0", credentials, add_to(device)) as listening:
        where = ("--addr", listening.replace("127.0.0.1", "localhost"))
        assert await run("stats", *where, "--cacert", str(certificate)) == 1
        assert "no program runs" in capsys.readouterr().err
        assert await run("stats", *where) == 1
        assert "no program runs" not in capsys.readouterr().err
    device.close()


def test_a_program_alone_with_entries(tmp_path: Path, capsys: Capture) -> None:
    request = p4r.WriteRequest(
        updates=[p4r.Update(type=p4r.Update.INSERT, entity=route(0x0A000000, 8, port=2))]
    )
    entries = tmp_path / "routes.txtpb"
    entries.write_text(text_format.MessageToString(request))
    packet = ("--port", "1", "--packet", PACKET.hex(":"))
    assert main(["explain", PROGRAM, "--p4info", P4INFO, "--entries", str(entries), "--json", *packet]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [sent["port"] for sent in one(told, "sent")] == [2]
    assert main(["explain", PROGRAM, "--json", *packet]) == 0
    assert [sent["port"] for sent in one(json.loads(capsys.readouterr().out), "sent")] != [2]


def test_packets_of_a_capture(tmp_path: Path, capsys: Capture) -> None:
    trace = tmp_path / "trace.pcap"
    wrpcap(str(trace), [PACKET, PACKET + b"x", b""])
    command = ["explain", PROGRAM, "--port", "1", "--pcap", str(trace), "--json"]
    assert main(command) == 0
    packets = [
        json.loads(line)["steps"][0]["arrival"]["packet"] for line in capsys.readouterr().out.splitlines()
    ]
    assert packets == [PACKET.hex(), PACKET.hex() + "78", ""]
    assert main([*command, "--number", "2"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["steps"][0]["arrival"]["packet"] == packets[1]
    assert main([*command, "--number", "4"]) == 1
    assert capsys.readouterr().err == f"switch: {trace}: there are 3 packets\n"


def test_files_that_cannot_be_used_are_named(tmp_path: Path, capsys: Capture) -> None:
    bad = tmp_path / "bad"
    bad.write_text("{")
    cut = tmp_path / "cut.pcap"
    wrpcap(str(cut), [PACKET])
    cut.write_bytes(cut.read_bytes()[:-1])
    packet = PACKET_OPTIONS
    for command, named in (
        (["explain", str(tmp_path / "none.json"), *packet], tmp_path / "none.json"),
        (["explain", str(bad), *packet], bad),
        (["explain", PROGRAM, "--p4info", str(bad), *packet], bad),
        (["explain", PROGRAM, "--p4info", P4INFO, "--entries", str(bad), *packet], bad),
        (["explain", PROGRAM, "--port", "1", "--pcap", str(bad)], bad),
        (["explain", PROGRAM, "--port", "1", "--pcap", str(cut)], cut),
        (["explain", PROGRAM, "--port", "1", "--pcap", str(tmp_path / "none.pcap")], tmp_path / "none.pcap"),
        (["stats", "--cacert", str(tmp_path / "none.pem")], tmp_path / "none.pem"),
    ):
        assert main(command) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"switch: {named}: "), line


def test_an_entry_that_is_refused_is_told(tmp_path: Path, capsys: Capture) -> None:
    update = p4r.Update(type=p4r.Update.DELETE, entity=route(0x0A000000, 8, port=2))
    entries = tmp_path / "routes.txtpb"
    entries.write_text(text_format.MessageToString(p4r.WriteRequest(updates=[update])))
    given = ["--p4info", P4INFO, "--entries", str(entries)]
    assert main(["explain", PROGRAM, *given, *PACKET_OPTIONS]) == 1
    assert "no such entry" in capsys.readouterr().err


PACKET_OPTIONS = ["--port", "1", "--packet", "00"]
WRONG: dict[str, tuple[Sequence[str], str]] = {
    "no packet": (["explain", "--port", "1"], "--packet"),
    "no port": (["explain", "--packet", "00"], "--port"),
    "port": (["explain", "--port", "512", "--packet", "00"], "'512'"),
    "not hexadecimal": (["explain", "--port", "1", "--packet", "xy"], "'xy'"),
    "two packets": (["explain", *PACKET_OPTIONS, "--pcap", "x"], "--pcap"),
    "number without file": (["explain", *PACKET_OPTIONS, "--number", "1"], "--number"),
    "number 0": (["explain", "--port", "1", "--pcap", "x", "--number", "0"], "'0'"),
    "entries without program": (["explain", *PACKET_OPTIONS, "--entries", "x"], "--entries"),
    "entries without P4Info": (["explain", "p.json", *PACKET_OPTIONS, "--entries", "x"], "--p4info"),
    "program and switch": (["explain", "p.json", *PACKET_OPTIONS, "--addr", "a:1"], "--addr"),
    "watch": (["stats", "--watch", "0"], "'0'"),
    "key alone": (["stats", "--key", "x"], "--cert"),
    "certificate without CA": (["stats", "--key", "x", "--cert", "x"], "--cacert"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_command_lines(name: str, capsys: Capture) -> None:
    arguments, reason = WRONG[name]
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line


@pytest.mark.netns
@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_ports_of_a_process(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/switch.sock"

    def ask(*arguments: str) -> str:
        command = [sys.executable, "-m", "switch", *arguments, "--addr", address]
        return subprocess.run(
            command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    with lay_wires([1, 2]) as wires:
        interfaces = [part for port, name in wires.interfaces.items() for part in ("-i", f"{port}@{name}")]
        program = str(ROOT / "tests" / "switch" / "programs" / "selector.json")
        with switch(program, "--table-stats", "--grpc-server-addr", address, *interfaces, wires=wires):
            packet = bytes([1, 1]) + bytes(62)
            for _ in range(3):
                wires.send(2, packet)
                wires.receive(1)
            told = json.loads(ask("stats", "--json"))
            first, second = told["ports"]
            assert (first["port"], first["interface"], first["up"]) == (1, "sw1", True)
            assert (second["rx_packets"], first["tx_packets"], first["tx_bytes"]) == ("3", "3", str(3 * 64))
            (chosen,) = [table for table in told["tables"] if table["name"] == "I.chosen"]
            assert (chosen["hits"], chosen["misses"], chosen["size"]) == ("0", "3", "32")
            assert "sw1" in ask("stats")
            lines = ask("explain", "--port", "2", "--packet", packet.hex()).splitlines()
            assert any(line.startswith("out on port 1 (sw1), 64 bytes") for line in lines)
            assert json.loads(ask("stats", "--json")) == told
