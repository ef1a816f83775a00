"""Run the packet tests: `python ptf_tests/run.py --target bmv2 --case affinity.ForgedCookie`.

On network interfaces everything happens in a network namespace and a process namespace made for the run. The
kernel takes both away, with all that is in them, when their first process ends, however it ends. With
`--platform nn` packets pass through a nanomsg socket, which needs neither namespaces nor root.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
from pyroute2 import IPRoute

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT / "ptf_tests" / "cases"
PORTS = (1, 2, 3, 4)
DEVICE_ID = 1
CPU_PORT = 510
START_SECONDS = 120.0
"""How long a switch may take to serve; the embedded one compiles its pipeline the first time."""
STOP_SECONDS = 10.0
QUEUE = 4096
"""Packets that PTF keeps per port until a test takes them."""
_INSIDE = "CFN_PTF_INSIDE"


def options(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line; environment variables give the defaults."""
    parser = argparse.ArgumentParser(prog="ptf_tests/run.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--target",
        choices=("embedded", "bmv2"),
        default=os.environ.get("TARGET", "embedded"),
        help="the switch under test (default: $TARGET, or embedded)",
    )
    parser.add_argument(
        "--platform",
        choices=("eth", "nn"),
        default="eth",
        help="PTF's platform: network interfaces (default; needs root), or a nanomsg socket",
    )
    parser.add_argument(
        "--case", action="append", default=[], help="a file, or a file.Test; may be given more than once"
    )
    parser.add_argument("--list", action="store_true", help="name the tests and stop")
    parser.add_argument("--verbose", action="store_true", help="log every packet and every step")
    parser.add_argument(
        "--log-dir",
        type=Path,
        help="where logs and a pcap for each test go (default: out/ptf/TARGET, or TARGET-nn); emptied first",
    )
    parser.add_argument(
        "--switch-python",
        default=os.environ.get("CFN_PYTHON", str(ROOT / ".venv/bin/python")),
        help="the Python that the embedded switch runs with (default: $CFN_PYTHON, or .venv/bin/python)",
    )
    parser.add_argument(
        "--switch-binary",
        default="simple_switch_grpc",
        help="BMv2, when it is not on PATH under its own name",
    )
    parsed = parser.parse_args(arguments)
    parsed.name = parsed.target if parsed.platform == "eth" else f"{parsed.target}-{parsed.platform}"
    parsed.log_dir = (parsed.log_dir or ROOT / "out/ptf" / parsed.name).resolve()
    return parsed


@dataclass(frozen=True)
class Links:
    """Where the switch under test is reached: its P4Runtime, and its packets as each side takes them."""

    p4runtime: str
    of_switch: Sequence[str]
    of_ptf: Sequence[str]


def on_interfaces() -> Links:
    """Network interfaces in namespaces that nobody else is in; see `make_ports`."""
    return Links(
        "127.0.0.1:9559",
        [word for port in PORTS for word in ("-i", f"{port}@switch{port}")],
        [word for port in PORTS for word in ("--interface", f"{port}@test{port}")],
    )


def on_sockets(place: Path, target: str) -> Links:
    """Sockets in a directory that nobody else uses; BMv2 has two more, which must not meet another's."""
    packets = f"ipc://{place}/packets.ipc"
    of_switch = ["--packet-in", packets]
    if target == "bmv2":
        with socket.create_server(("127.0.0.1", 0)) as free:
            of_switch += ["--thrift-port", str(free.getsockname()[1])]
        of_switch += ["--notifications-addr", f"ipc://{place}/notifications.ipc"]
    ports = ",".join(str(port) for port in PORTS)
    of_ptf = ["--platform", "nn", "--device-socket", f"0-{{{ports}}}@{packets}"]
    return Links(f"unix:{place}/p4runtime.sock", of_switch, of_ptf)


def run_isolated(arguments: list[str]) -> int:
    """Run this command again in namespaces of its own; return its exit code."""
    isolate = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--pid", "--mount", "--fork"]
    isolate.append("--kill-child")
    command = [*isolate, sys.executable, str(Path(__file__).resolve()), *arguments]
    inside = subprocess.Popen(command, env=os.environ | {_INSIDE: "1"})
    try:
        return inside.wait()
    finally:
        inside.kill()
        inside.wait()


def make_ports() -> None:
    """A veth pair for each port: `switchN` for the switch, `testN` for PTF; the kernel sends nothing on them.

    /sys is mounted anew, since BMv2 looks up there whether its ports are up.
    """
    subprocess.run(["mount", "-t", "sysfs", "sysfs", "/sys"], check=True)
    for name in ("all", "default"):
        setting = Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6")
        if setting.exists():
            setting.write_text("1")
    with IPRoute() as routes:
        routes.link("set", index=routes.link_lookup(ifname="lo")[0], state="up")
        for port in PORTS:
            routes.link("add", ifname=f"switch{port}", kind="veth", peer=f"test{port}")
            for name in (f"switch{port}", f"test{port}"):
                routes.link("set", index=routes.link_lookup(ifname=name)[0], state="up")


def switch_command(chosen: argparse.Namespace, links: Links) -> list[str]:
    """The command line that starts the target without a pipeline; it ends with us, however we end."""
    command = ["--no-p4", "--device-id", str(DEVICE_ID), *links.of_switch]
    if chosen.target == "bmv2":
        binary = shutil.which(chosen.switch_binary)
        if not binary:
            raise SystemExit(f"no {chosen.switch_binary} on PATH: install BMv2, or use --target embedded")
        command = [binary, *command, "--log-file", str(chosen.log_dir / "bmv2"), "--log-flush"]
        command += ["--log-level", "debug" if chosen.verbose else "warn"]
    else:
        if not shutil.which(chosen.switch_python):
            raise SystemExit(f"no {chosen.switch_python}: make the environment first (make .venv/ready)")
        command = [chosen.switch_python, "-m", "switch", *command]
    command += ["--", "--grpc-server-addr", links.p4runtime, "--cpu-port", str(CPU_PORT)]
    return ["setpriv", "--pdeathsig", "KILL", *command]


@contextmanager
def running_switch(chosen: argparse.Namespace, links: Links) -> Iterator[None]:
    """The target, serving P4Runtime; stopped at the end. Its output goes to `switch.log`.

    Raises:
        SystemExit: it ended before it served, or is gone at the end; says where its log is.
    """
    log_path = chosen.log_dir / "switch.log"
    with log_path.open("wb") as log:
        switch = subprocess.Popen(
            switch_command(chosen, links),
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        try:
            _await_service(switch, links.p4runtime, log_path)
            yield
            if switch.poll() is not None:
                raise SystemExit(
                    f"the switch ended during the tests with {switch.returncode}: see {log_path}"
                )
        finally:
            switch.terminate()
            try:
                switch.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                switch.kill()


def _await_service(switch: subprocess.Popen[bytes], address: str, log_path: Path) -> None:
    with grpc.insecure_channel(address) as channel:
        ready = grpc.channel_ready_future(channel)
        waited = 0.0
        while True:
            try:
                return ready.result(timeout=0.5)
            except grpc.FutureTimeoutError:
                waited += 0.5
            if switch.poll() is not None or waited >= START_SECONDS:
                state = "does not serve" if switch.returncode is None else f"ended with {switch.returncode}"
                raise SystemExit(f"the switch {state}:\n{log_path.read_text()}")


def ptf_command(chosen: argparse.Namespace, links: Links) -> list[str]:
    """PTF's command line."""
    command = [sys.executable, str(Path(sys.executable).with_name("ptf")), "--test-dir", str(CASES)]
    command += links.of_ptf
    command += ["--log-dir", str(chosen.log_dir / "tests"), "--qlen", str(QUEUE), "--random-seed", "1"]
    command += ["--debug", "debug" if chosen.verbose else "warning"]
    command += ["--test-params", f"address='{links.p4runtime}';device_id={DEVICE_ID}"]
    for header in ("vxlan", "geneve", "erspan", "mpls", "nvgre", "igmp"):
        command.append(f"--disable-{header}")
    return [*command, *(["--list"] if chosen.list else []), *chosen.case]


def run_ptf(chosen: argparse.Namespace, links: Links) -> int:
    """Run PTF, pass its output on, end with a line of totals; return its exit code."""
    ran, failed = 0, set[str]()
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        ptf_command(chosen, links),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as ptf:
        assert ptf.stdout
        for line in ptf.stdout:
            print(line, end="", flush=True)
            if found := re.match(r"Ran (\d+) tests?", line):
                ran = int(found[1])
            elif found := re.match(r"(?:FAIL|ERROR): (\S+)", line):
                failed.add(found[1])
    if not chosen.list:
        print(f"{chosen.name}: {ran - len(failed)} passed, {len(failed)} failed (logs: {chosen.log_dir})")
    return ptf.returncode


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit code."""
    chosen = options(arguments)
    if chosen.platform == "nn":
        with tempfile.TemporaryDirectory(prefix="ptf-") as place:
            return run(chosen, on_sockets(Path(place), chosen.target))
    if os.geteuid() != 0:
        print(
            "packet tests on interfaces make namespaces: run them as root, or --platform nn", file=sys.stderr
        )
        return 2
    if _INSIDE not in os.environ:
        return run_isolated(arguments)
    make_ports()
    return run(chosen, on_interfaces())


def run(chosen: argparse.Namespace, links: Links) -> int:
    """Run the tests on a switch started for them; return the exit code."""
    shutil.rmtree(chosen.log_dir, ignore_errors=True)
    chosen.log_dir.mkdir(parents=True)
    if chosen.list:
        return run_ptf(chosen, links)
    with running_switch(chosen, links):
        return run_ptf(chosen, links)


def _end(signum: int, _frame: object) -> None:
    raise SystemExit(128 + signum)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    sys.exit(main(sys.argv[1:]))
