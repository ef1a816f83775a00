"""The command line, as a user meets it."""

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.metadata import EntryPoint, EntryPoints

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap
from typer.testing import CliRunner

from cfn import cli, outcomes
from cfn.auth import TenantKey
from cfn.names import func_id
from cfn.scapy_layer import CFN, CFNTrace
from tests.cfn import vectors
from tests.cfn.chain_router import BOUND, RESPONDED, chain_router
from tests.cfn.network import free_port

VECTORS = {vector["name"]: vector for vector in vectors.load("vector")}


def cfn(*arguments: str, stdin: bytes | None = None):
    return CliRunner().invoke(cli.build(list(arguments)), list(arguments), input=stdin)


@pytest.fixture(scope="module")
def port():
    """The port of a `cfn serve` that runs test/moody at 127.0.0.1 and ::1."""
    number = free_port()
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "cfn.cli", "serve", "tests.cfn.sample_functions:moody"),
            *("--listen", "127.0.0.1", "--listen", "::1", "--instance", "3"),
            *("--port", str(number), "--drain", "0"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    with server:
        assert server.stdout.readline() == "test/moody as instance 3 at 127.0.0.1 and ::1\n"
        yield str(number)
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0


@pytest.fixture(scope="module")
def routed(port):
    """The port of a router in front of it, which asks for the proof of tenant 7."""
    started: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def route() -> None:
        stop = asyncio.Event()
        key = TenantKey.from_bytes(bytes(range(8)))
        async with chain_router({func_id("test/moody"): int(port)}, key) as number:
            started.set_result((number, asyncio.get_running_loop(), stop))
            await stop.wait()

    with ThreadPoolExecutor() as pool:
        running = pool.submit(asyncio.run, route())
        number, loop, stop = started.result(20)
        yield str(number)
        loop.call_soon_threadsafe(stop.set)
        running.result(20)


@pytest.fixture
def credentials(tmp_path):
    path = tmp_path / "credentials.json"
    path.write_text('{"tenant": 7, "sender": 1, "key": "0001020304050607"}')
    return str(path)


@pytest.fixture
def named(monkeypatch):
    """Names of the stand-in router's outcomes."""
    monkeypatch.setattr(
        outcomes, "entry_points", lambda group: [EntryPoint("test", f"{__name__}:names", group)]
    )


def names() -> dict[int, str]:
    return {BOUND: "BOUND_NEW", RESPONDED: "RESPONDED"}


def call(port: str, *arguments: str, to: str = "127.0.0.1", stdin: bytes | None = None):
    return cfn("call", "test/moody", "--to", to, "--port", port, "--timeout", "10", *arguments, stdin=stdin)


def test_help_lists_every_verb_and_what_plug_ins_say_of_themselves():
    done = cfn("--help")
    assert done.exit_code == 0
    for verb in ("call", "trace", "serve", "agent", "data", "inspect", "id", "controller", "lab"):
        assert f"│ {verb} " in done.output


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_call_prints_a_row(port, host):
    done = call(port, "hello", to=host)
    assert done.exit_code == 0
    assert "OK" in done.output
    assert "hello" in done.output


def test_call_takes_its_input_from_a_file_or_standard_input(port, tmp_path):
    (tmp_path / "input").write_bytes(b"\x00\xff")
    assert call(port, "--raw", "--file", str(tmp_path / "input")).stdout_bytes == b"\x00\xff"
    assert call(port, "--raw", "--file", "-", stdin=b"piped").stdout_bytes == b"piped"


def test_many_calls_end_in_percentiles(port):
    done = call(port, "x", "--count", "5", "--rate", "200")
    assert done.exit_code == 0
    assert "5 answered, 0 failed, p50" in done.output


def test_json_is_one_object_per_call(port, tmp_path):
    (tmp_path / "input").write_bytes(b"\xff\xfe")
    done = call(port, "--file", str(tmp_path / "input"), "--count", "2", "--json")
    first, second = map(json.loads, done.output.splitlines())
    assert (first["call"], second["call"], first["attempts"]) == (1, 2, 1)
    assert base64.b64decode(first["output_base64"]) == b"\xff\xfe"
    assert json.loads(call(port, "text", "--json").output)["type"] == "FunctionFailedError"


def test_a_failure_is_one_line_and_exit_code_1(port):
    done = call(port, "refuse")
    assert (done.exit_code, done.stderr) == (1, "cfn: BAD_INPUT: not today\n")
    done = cfn("call", "a/b", "--to", "127.0.0.1", "--port", str(free_port()), "--timeout", "0.01")
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert "no answer to 4 attempts" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["call", "Vision"], "namespace/function"),
        (["call", "a/b", "x", "--file", "y"], "given twice"),
        (["call", "a/b", "--file", "/no/such"], "No such file"),
        (["call", "a/b", "x" * 1329], "room for 1328"),
        (["call", "a/b", "--compute", "steam"], "any, logic, parallel, neural"),
        (["call", "a/b", "--grade", "5"], "grade"),
        (["call", "a/b", "--raw", "--count", "2"], "--raw is for one call"),
        (["call", "a/b", *("--chain", "c/d") * 9], "8 is the most"),
        (["call", "a/b", "--chain", "Vision"], "namespace/function"),
        (["call", "a/b", "--chain", "c/d=xyz"], "32 hexadecimal digits"),
        (["call", "a/b", "--chain", "c/d=ab"], "32 hexadecimal digits"),
        (["call", "a/b", "--credentials", "/no/such"], "No such file"),
        (["trace", "Vision"], "namespace/function"),
        (["trace", "a/b", "x" * 1325], "room for 1324"),
        (["id", "x"], "namespace/function"),
        (["inspect", "xyz"], "neither a file nor hexadecimal"),
        (["inspect", ""], "no digits"),
        (["serve", "nowhere", "--listen", "127.0.0.1", "--instance", "1"], "MODULE:OBJECT"),
        (["serve", "no.where:f", "--listen", "127.0.0.1", "--instance", "1"], "cannot import no.where"),
        (
            [
                "serve",
                "tests.cfn.sample_functions:not_a_function",
                "--listen",
                "127.0.0.1",
                "--instance",
                "1",
            ],
            "decorate it",
        ),
        (["serve", "tests.cfn.sample_functions:echo", "--listen", "x", "--instance", "1"], "IPv4 or IPv6"),
        (
            ["serve", "tests.cfn.sample_functions:echo", "--listen", "::", "--instance", "1"],
            "is an address",
        ),
        (
            ["serve", "tests.cfn.sample_functions:echo", *("--listen", "127.0.0.1") * 2, "--instance", "1"],
            "one IPv4 address",
        ),
        (
            ["serve", "tests.cfn.sample_functions:echo", "--listen", "127.0.0.1", "--instance", "70000"],
            "less than or equal to 65535",
        ),
        (
            [
                *("serve", "tests.cfn.sample_functions:echo", "--listen", "127.0.0.1", "--instance", "1"),
                *("--agent", "/run/agent"),
            ],
            "unix:PATH",
        ),
        (["agent", "near", "--controller", "x:1", "--listen", "unix:", "--token", "t"], "unix:PATH"),
        (["nothing"], "nothing"),
    ],
)
def test_what_is_wrongly_written_exits_with_2_and_says_why(arguments, text):
    done = cfn(*arguments)
    assert done.exit_code == 2
    assert text in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.usefixtures("named")
def test_trace_prints_a_row_per_router_like_traceroute(routed, credentials):
    done = cfn(
        "trace", "test/moody", "x", "--to", "127.0.0.1", "--port", routed, "--credentials", credentials
    )
    assert done.exit_code == 0, done.stderr
    lines = [line.split() for line in done.output.splitlines()]
    assert lines[1] == ["1", "→", "9", "BOUND_NEW", "2", "3", "0", "20", "µs"]
    assert lines[2] == ["2", "←", "9", "RESPONDED", "2", "3", "0", "20", "µs"]
    assert lines[3][:3] == ["1", "bytes", "in"]


@pytest.mark.usefixtures("named")
def test_a_call_of_a_chain_with_its_trace_as_json(routed, credentials):
    done = call(
        *(routed, "x", "--json", "--trace", "--credentials", credentials),
        *("--chain", "test/moody", "--chain", f"test/moody={'ab' * 16}"),
    )
    said = json.loads(done.output)
    assert [record["outcome"] for record in said["trace"]["records"]] == ["BOUND_NEW"] * 3 + ["RESPONDED"]
    assert [stage["func_id"] for stage in said["stages"]] == [f"0x{func_id('test/moody'):016x}"] * 3
    assert said["stages"][2]["data_out"] == "ab" * 16
    assert said["output"] == "x"


def test_outcomes_without_a_name_are_numbers(routed, credentials, monkeypatch):
    monkeypatch.setattr(outcomes, "entry_points", lambda group: [])
    done = call(routed, "x", "--trace", "--credentials", credentials)
    assert "path of call 1" in done.output
    assert ["1", "9", "1", "2", "3", "0", "20", "µs"] in [line.split() for line in done.output.splitlines()]


@pytest.mark.usefixtures("named")
def test_the_path_to_a_function_that_fails_is_shown_too(routed, credentials):
    to = ("--to", "127.0.0.1", "--port", routed, "--credentials", credentials)
    done = cfn("trace", "test/moody", "refuse", *to)
    assert "RESPONDED" in done.output
    assert (done.exit_code, done.stderr) == (1, "cfn: BAD_INPUT: not today\n")
    assert (
        "RESPONDED" in call(routed, "refuse", "--trace", "--count", "2", "--credentials", credentials).output
    )


def test_without_routers_there_is_no_record(port):
    done = cfn("trace", "test/moody", "x", "--to", "127.0.0.1", "--port", port)
    assert done.output.startswith("no router on the way left a record\n")
    assert json.loads(cfn("trace", "test/moody", "--to", "127.0.0.1", "--port", port, "--json").output) == {
        "records": [],
        "missed": 0,
    }


def test_what_a_router_wants_proved_is_said(routed, credentials):
    done = call(routed, "x")
    assert (done.exit_code, done.stderr) == (1, "cfn: UNAUTHENTICATED: no auth\n")
    done = call(routed, "x", "--credentials", credentials, "--tenant", "8")
    assert (done.exit_code, "is tenant 7's" in " ".join(done.stderr.split())) == (2, True)


def test_an_address_that_is_taken_is_one_line(port):
    done = cfn(
        *("serve", "tests.cfn.sample_functions:echo", "--listen", "127.0.0.1", "--instance", "1"),
        *("--port", port),
    )
    assert (done.exit_code, done.stderr) == (
        1,
        f"cfn: cannot listen on 127.0.0.1 port {port}: Address already in use\n",
    )


def test_id_prints_what_the_document_says():
    done = cfn("id", "vision/detect", "vision/*", "0x1")
    assert done.output.split() == [
        *("vision/detect", "0x5944aecfacfd3ec3"),
        *("vision/*", "0x5944ae0000000000/24"),
        *("0x1", "0x0000000000000001"),
    ]


@pytest.mark.parametrize("name", ["response-busy", "request-ipv4", "nack-ipv6", "extensions-chained"])
def test_inspect_dissects_the_vectors(name):
    done = cfn("inspect", VECTORS[name]["hex"])
    assert done.exit_code == 0
    assert f"kind      = {VECTORS[name]['kind']}" in done.output
    assert ("CFN auth" in done.output) == (name == "extensions-chained")


def test_inspect_lists_the_cfn_packets_of_a_capture(tmp_path):
    capture = tmp_path / "some.pcap"
    request = Ether() / IP(dst="10.255.0.1") / UDP(sport=4000, dport=23793) / CFN(func_id=0xABC) / CFNTrace()
    wrpcap(str(capture), [request, Ether() / IP() / UDP(sport=1, dport=2)])
    done = cfn("inspect", str(capture))
    assert "CFN REQUEST 0xabc" in done.output
    assert done.output.endswith("1 CFN packets, 1 others\n")
    assert "demand_grade" in cfn("inspect", str(capture), "--full").output


def test_a_file_that_is_no_capture_fails(tmp_path):
    (tmp_path / "text").write_text("not a capture, but some text that is long enough to be read")
    done = cfn("inspect", str(tmp_path / "text"))
    assert done.exit_code == 1
    assert done.stderr.startswith("cfn: ")


@pytest.fixture
def plug_ins(monkeypatch, tmp_path):
    """Verbs that other packages bring: one that works, one that can't be imported, one that is no app."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "good_plug_in.py").write_text(
        '"""Says things."""\nimport typer\napp = typer.Typer()\n'
        "@app.command()\ndef hello(): print('hello')\n@app.command()\ndef other(): pass\n"
    )
    (tmp_path / "bad_plug_in.py").write_text('"""Breaks things."""\nimport no_such_library\n')
    found = EntryPoints(
        EntryPoint(name, value, cli.GROUP)
        for name, value in (
            ("good", "good_plug_in:app"),
            ("bad", "bad_plug_in:app"),
            ("odd", "os:path"),
            ("gone", "no_such_plug_in:app"),
        )
    )
    monkeypatch.setattr(cli, "entry_points", lambda group: found.select(group=group))


@pytest.mark.usefixtures("plug_ins")
def test_a_plug_in_runs_and_a_broken_one_harms_nobody_else():
    assert cfn("good", "hello").output == "hello\n"
    done = cfn("--help")
    assert done.exit_code == 0
    for text in ("Says things.", "Breaks things.", "(from no_such_plug_in)"):
        assert text in done.output


@pytest.mark.usefixtures("plug_ins")
@pytest.mark.parametrize(
    ("verb", "reason"),
    [("bad", "No module named 'no_such_library'"), ("odd", "no typer app"), ("gone", "no_such_plug_in")],
)
def test_a_broken_plug_in_says_so_in_one_line_when_it_is_used(verb, reason, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["cfn", verb, "go"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    message = capsys.readouterr().err
    assert caught.value.code == 1
    assert message.startswith(f"cfn: the verb '{verb}' is there, but")
    assert reason in message
    assert message.count("\n") == 1


def test_the_command_line_does_without_what_takes_long_to_import():
    script = "import sys, cfn.cli; print([m for m in ('scapy', 'numpy', 'aiohttp') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout == "[]\n"
