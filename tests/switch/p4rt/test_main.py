"""The switch as a process: its command line, its interfaces, and how it ends."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import finsy as fy
import grpc
import pytest
from finsy.proto import p4r, p4r_grpc

from switch import options

from .client import CONFIG, connect
from .messages import PROGRAMS
from .test_native import ipv4
from .wires import Wires, lay_wires

ROOT = Path(__file__).parents[3]
CFN = ROOT / "p4src" / "compiled"
DEVICE_ID = 9
TIMEOUT_S = 60

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


@contextlib.contextmanager
def switch(*arguments: str, wires: Wires | None = None) -> Generator[Popen[str]]:
    """A running switch; it has said that it listens."""
    command = [sys.executable, "-m", "switch", "--device-id", str(DEVICE_ID), *arguments]
    with contextlib.nullcontext() if wires is None else wires.inside():
        process = Popen(command, cwd=ROOT, stderr=PIPE, stdout=DEVNULL, text=True)
    assert process.stderr is not None
    said: list[str] = []
    try:
        for line in process.stderr:
            said.append(line)
            if "P4Runtime on" in line:
                break
        else:
            raise AssertionError(said)
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def wires() -> Generator[Wires]:
    with lay_wires([1, 2]) as wires:
        yield wires


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"unix:{tmp_path}/switch.sock"


def fails(*arguments: str) -> tuple[int, str]:
    """Exit code and the line that says why."""
    done = subprocess.run(
        [sys.executable, "-m", "switch", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return done.returncode, line


WRONG_COMMAND_LINES = {
    "nothing": ([], "--no-p4"),
    "program and none": (["--no-p4", "x.json"], "x.json"),
    "unknown option": (["--no-p4", "--bogus"], "--bogus"),
    "two programs": (["a.json", "b.json"], "b.json"),
    "interface without port": (["--no-p4", "-i", "veth1"], "'veth1' is not PORT@INTERFACE"),
    "port too high": (["--no-p4", "-i", "511@veth1"], "'511'"),
    "port negative": (["--no-p4", "-i", "-1@veth1"], "-i"),
    "port twice": (["--no-p4", "-i", "1@a", "-i", "1@b"], "port 1 is given twice: a and b"),
    "CPU port 0": (["--no-p4", "--cpu-port", "0"], "--cpu-port"),
    "CPU port taken": (["--no-p4", "--cpu-port", "1", "-i", "1@a"], "port 1 is both"),
    "log level": (["--no-p4", "--log-level", "loud"], "loud"),
    "device id": (["--no-p4", "--device-id", "x"], "'x'"),
    "TLS without key": (["--no-p4", "--grpc-server-ssl"], "--grpc-server-key"),
    "end without files": (["--no-p4", "--exit-at-end"], "--use-files"),
    "wait for files": (["--no-p4", "--use-files", "-1"], "--use-files"),
    "file twice": (["--no-p4", "--use-files", "0", "-i", "1@a", "-i", "2@./a"], "a_out.pcap"),
    "capture over file": (["--no-p4", "--use-files", "0", "-i", "1@a", "--pcap"], "overwrite a_in.pcap"),
    "capture twice": (
        ["--no-p4", "--use-files", "0", "-i", "1@x/a", "-i", "2@y/a", "--pcap"],
        "a_in.pcap for two ports",
    ),
    "key without TLS": (["--no-p4", "--grpc-server-key", "k"], "--grpc-server-ssl"),
}


@pytest.mark.parametrize("name", WRONG_COMMAND_LINES)
def test_wrong_command_lines(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, reason = WRONG_COMMAND_LINES[name]
    with pytest.raises(SystemExit) as stopped:
        options.parse(arguments)
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line


def test_target_options_on_either_side_of_the_dashes() -> None:
    target = ["--cpu-port", "255", "--grpc-server-addr", "127.0.0.1:1"]
    general = ["--thrift-port", "9090", "--log-console", "-i", "1@a", "--interface", "2@b", "prog.json"]
    chosen = options.parse([*general, "--", *target])
    assert chosen == options.parse([*target, *general])
    assert (chosen.cpu_port, chosen.address, chosen.ports) == (255, "127.0.0.1:1", {1: "a", 2: "b"})
    assert chosen.program == Path("prog.json")


def test_defaults_are_simple_switch_grpcs() -> None:
    chosen = options.parse(["--no-p4"])
    assert (chosen.device_id, chosen.address, chosen.cpu_port) == (0, "0.0.0.0:9559", None)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    assert fails("--no-p4", "-i", "1@nowhere") == (1, "switch: port 1: there is no interface nowhere")
    assert fails(f"{tmp_path}/none.json") == (1, f"switch: {tmp_path}/none.json: No such file or directory")
    code, line = fails(str(bad))
    assert code == 1
    assert line.startswith(f"switch: {bad}: ")


def test_addresses_that_cannot_be_had(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        assert fails("--no-p4", "--grpc-server-addr", place) == (
            1, f"switch: cannot listen on {place}: Address already in use",
        )  # fmt: skip
    path = f"unix:{tmp_path}/x.sock"
    with switch("--no-p4", "--grpc-server-addr", path):
        code, line = fails("--no-p4", "--grpc-server-addr", path)
        assert (code, line) == (1, f"switch: cannot listen on {path}: another process listens there")
    code, line = fails("--no-p4", "--grpc-server-addr", "nowhere")
    assert (code, line) == (1, "switch: cannot listen on nowhere: it is neither host:port nor unix:/path")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signals_end_it_cleanly(address: str, number: signal.Signals) -> None:
    with switch("--no-p4", "--grpc-server-addr", address) as process:
        async with connect(address, DEVICE_ID) as client:
            assert await client.arbitrate() == 0
            process.send_signal(number)
            assert await asyncio.to_thread(process.wait, TIMEOUT_S) == 0


async def test_a_program_on_the_command_line_runs_without_p4info(address: str) -> None:
    with switch(str(PROGRAMS / "everything.json"), "--grpc-server-addr", address):
        async with connect(address, DEVICE_ID) as client:
            await client.arbitrate()
            assert await client.config() == p4r.ForwardingPipelineConfig()
            await client.push()
            assert await client.config() == CONFIG


async def test_it_listens_on_tcp() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with switch("--no-p4", "--", "--grpc-server-addr", address):
        async with connect(address, DEVICE_ID) as client:
            assert await client.arbitrate() == 0


SWITCH_OPTIONS = fy.SwitchOptions(
    p4info=PROGRAMS / "everything.p4info.txtpb", p4blob=PROGRAMS / "everything.json", device_id=DEVICE_ID
)


@needs_root
@pytest.mark.netns
async def test_packets_on_interfaces(address: str, tmp_path: Path, wires: Wires) -> None:
    with contextlib.ExitStack() as stack:
        interfaces = [part for port, name in wires.interfaces.items() for part in ("-i", f"{port}@{name}")]
        process = stack.enter_context(
            switch(
                "--no-p4",
                "--cpu-port",
                "510",
                "--grpc-server-addr",
                address,
                "--pcap",
                str(tmp_path / "pcap"),
                *interfaces,
                wires=wires,
            )
        )
        packet = ipv4(0x0A000001)
        async with fy.Switch("s", address, SWITCH_OPTIONS) as controller:
            await controller.write(
                [
                    +fy.P4TableEntry(
                        "route", match=fy.Match(dst_addr="10.0.0.0/8"), action=fy.Action("forward", port=2)
                    ),
                    +fy.P4TableEntry(
                        "acl", match=fy.Match(ingress_port=2), action=fy.Action("to_cpu"), priority=1
                    ),
                ]
            )
            await asyncio.to_thread(wires.send, 1, packet)
            assert await asyncio.to_thread(wires.receive, 2) == packet

            packets = controller.read_packets()
            heard = asyncio.ensure_future(anext(packets))
            await asyncio.sleep(0)
            await asyncio.to_thread(wires.send, 2, packet)
            packet_in = await asyncio.wait_for(heard, TIMEOUT_S)
            assert (packet_in["ingress_port"], packet_in["reason"], packet_in.payload) == (2, 5, packet)

            await controller.write([fy.P4PacketOut(packet, egress_port=1, queue=0)])
            assert await asyncio.to_thread(wires.receive, 1) == packet
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, TIMEOUT_S) == 0
        written = {path.name: path.stat().st_size for path in (tmp_path / "pcap").iterdir()}
        assert written["sw1_in.pcap"] > len(packet)
        assert written["sw2_out.pcap"] > len(packet)


@needs_root
@pytest.mark.netns
@pytest.mark.skipif(not (CFN / "cfn.json").exists(), reason="the program of p4src is not compiled")
async def test_a_large_program_routes(address: str, wires: Wires) -> None:
    """The data plane that this switch is shipped with, as its controller would drive it."""
    chosen = fy.SwitchOptions(p4info=CFN / "cfn.p4info.txtpb", p4blob=CFN / "cfn.json", device_id=DEVICE_ID)
    with contextlib.ExitStack() as stack:
        interfaces = [part for port, name in wires.interfaces.items() for part in ("-i", f"{port}@{name}")]
        stack.enter_context(switch("--no-p4", "--grpc-server-addr", address, *interfaces, wires=wires))
        async with fy.Switch("s", address, chosen) as controller:
            macs = {"src_mac": "02:00:00:00:00:0a", "dst_mac": "02:00:00:00:00:0b"}
            hop = fy.Action("forward_edge", port=2, **macs, mtu=1500)
            to_hop = fy.IndirectAction([1 * fy.Action("set_next_hop", next_hop=5)])
            await controller.write(
                [
                    +fy.P4TableEntry(
                        "my_mac", match=fy.Match(dst_addr="02:00:00:00:00:01"), action=fy.Action("for_router")
                    ),
                    +fy.P4TableEntry("next_hop", match=fy.Match(next_hop=5), action=hop),
                    +fy.P4TableEntry("ipv4_route", match=fy.Match(dst_addr="10.0.0.0/8"), action=to_hop),
                ]
            )
            datagram = bytes.fromhex("0200000000010200000000020800") + with_checksum(ipv4(0x0A000001)[14:])
            await asyncio.to_thread(wires.send, 1, datagram)
            routed = await asyncio.to_thread(wires.receive, 2)
            assert routed[:12].hex() == "02000000000b02000000000a"
            assert routed[22] == datagram[22] - 1
            assert with_checksum(routed[14:]) == routed[14:]


def with_checksum(packet: bytes) -> bytes:
    """An IPv4 packet with the right header checksum (RFC 1071)."""
    header = packet[:10] + b"\0\0" + packet[12:20]
    total = sum(int.from_bytes(header[at : at + 2]) for at in range(0, 20, 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return header[:10] + (~total & 0xFFFF).to_bytes(2) + header[12:] + packet[20:]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")
async def test_tls_with_client_certificates(tmp_path: Path) -> None:
    def certificate(name: str) -> tuple[bytes, bytes]:
        key, certificate = tmp_path / f"{name}.key", tmp_path / f"{name}.pem"
        made = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost"
        names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
        subprocess.run([*made.split(), *names], check=True, capture_output=True)
        return key.read_bytes(), certificate.read_bytes()

    _, server = certificate("server")
    client_key, client = certificate("client")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    files = {"cert": "server.pem", "key": "server.key", "cacert": "client.pem"}
    tls = [part for name, file in files.items() for part in (f"--grpc-server-{name}", f"{tmp_path}/{file}")]
    mutual = ("--grpc-server-ssl", "--grpc-server-with-client-auth")
    with switch("--no-p4", "--grpc-server-addr", f"127.0.0.1:{port}", *mutual, *tls):
        for credentials, trusted in (
            (grpc.ssl_channel_credentials(server, client_key, client), True),
            (grpc.ssl_channel_credentials(server), False),
        ):
            async with grpc.aio.secure_channel(f"localhost:{port}", credentials) as channel:
                call = p4r_grpc.P4RuntimeStub(channel).Capabilities(
                    p4r.CapabilitiesRequest(), timeout=TIMEOUT_S
                )
                if trusted:
                    assert (await call).p4runtime_api_version == "1.4.1"
                else:
                    with pytest.raises(grpc.aio.AioRpcError):
                        await call
