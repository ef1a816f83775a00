"""Other people's BGP speakers on the way pass our attribute on: gobgpd and FRRouting, where installed.

Each test has a network namespace of its own, whose loopback interface has the speakers' addresses.
One case: pytest tests/control/bgp/test_on_the_way.py -k frr
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from control.bgp.attribute import ROOM, size
from control.model import InstanceKey
from tests.control.bgp.domains import two_domains
from tests.control.bgp.test_exchange import Side, running, until
from tests.control.example import NEAR, advert, instance

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a network namespace"),
]
WAIT_S = 100.0
BETWEEN_ASN = 65009
FRR_BGPD = "/usr/lib/frr/bgpd"
MANY = (ROOM - size(1, 0)) // size(0, 1)
"""Functions in the longest attribute there is."""


def gobgpd(directory: Path, asns: tuple[int, int], *, reflects: bool) -> list[str]:
    program = shutil.which("gobgpd")
    if program is None:
        pytest.skip("gobgpd is not installed")
    own = asns[0] if reflects else BETWEEN_ASN
    lines = ["[global.config]", f"as = {own}", 'router-id = "192.0.2.9"', "port = 1790"]
    lines += ['local-address-list = ["192.0.2.9"]']
    for number, asn in enumerate(asns, 1):
        lines += ["[[neighbors]]", "[neighbors.config]", f'neighbor-address = "192.0.2.{number}"']
        lines += [f"peer-as = {asn}", "[neighbors.transport.config]", "passive-mode = true"]
        lines += ['local-address = "192.0.2.9"']
        if reflects:
            lines += ["[neighbors.route-reflector.config]", "route-reflector-client = true"]
            lines += ['route-reflector-cluster-id = "192.0.2.9"']
    (directory / "gobgpd.toml").write_text("\n".join(lines))
    return [program, "-f", str(directory / "gobgpd.toml"), "--api-hosts", "127.0.0.1:50051"]


def frr(directory: Path, asns: tuple[int, int], *, reflects: bool) -> list[str]:
    if not Path(FRR_BGPD).exists():
        pytest.skip("FRRouting is not installed")
    own = asns[0] if reflects else BETWEEN_ASN
    lines = [f"router bgp {own}", "bgp router-id 192.0.2.9", "no bgp ebgp-requires-policy"]
    for number, asn in enumerate(asns, 1):
        neighbor = f"neighbor 192.0.2.{number}"
        lines += [f"{neighbor} remote-as {asn}", f"{neighbor} passive", f"{neighbor} disable-connected-check"]
        if reflects:
            lines += [
                "address-family ipv4 unicast",
                f"{neighbor} route-reflector-client",
                "exit-address-family",
            ]
    file = directory / "bgpd.conf"
    file.write_text("\n".join(lines) + "\n")
    options = ["-S", "-n", "-Z", "-p", "1790", "-l", "192.0.2.9", "-A", "127.0.0.1"]
    paths = ["-f", str(file), "-i", str(directory / "bgpd.pid"), "--vty_socket", str(directory)]
    return [FRR_BGPD, *options, "-u", "root", "-g", "root", *paths]


Speaker = Callable[..., list[str]]


@pytest.mark.parametrize("speaker", [gobgpd, frr])
@pytest.mark.parametrize(
    ("asns", "reflects"),
    [((65001, 65002), False), ((65001, 65001), True)],
    ids=["transit", "reflector"],
)
def test_the_attribute_is_passed_on(
    speaker: Speaker, asns: tuple[int, int], reflects: bool, tmp_path: Path
) -> None:
    command = speaker(tmp_path, asns, reflects=reflects)
    addresses = " && ".join(f"ip address add 192.0.2.{number}/32 dev lo" for number in (1, 2, 9))
    inside = f'ip link set lo up && {addresses} && exec "$0" -m tests.control.bgp.test_on_the_way "$@"'
    arguments = [*map(str, asns), str(asns[0] if reflects else BETWEEN_ASN), *command]
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", inside, sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stdout + done.stderr


DOMAIN = """\
  {name}:
    asn: {asn}
    routers: [{router}]
    bgp:
      address: 192.0.2.{number}
      port: 1790
      min_interval_s: 0.1
      peers: [{{address: 192.0.2.9, asn: {between}, port: 1790, domains: [{other}]}}]
"""


async def tell_through(asns: tuple[int, int], between: int) -> None:
    """East tells west of its site through a speaker between them: a little, all a route holds, nothing."""
    text = 'cookies: {keys: {0: "0011223344556677"}, seal: 0}\ndomains:\n'
    names = ("east", "west")
    for number, name in enumerate(names, 1):
        values = {"asn": asns[number - 1], "number": number, "other": names[2 - number], "between": between}
        text += DOMAIN.format(name=name, router=f"r{number}", **values)
    catalogue = two_domains(text)
    east, west = Side(catalogue, "east"), Side(catalogue, "west")
    async with running(east, west):
        east.exchange.tell("near", advert("near", 1, instance(NEAR, load=7)))
        await until(lambda: west.known.get("near"))
        functions = frozenset(range(1, MANY + 1))
        key = InstanceKey(1, 1)
        east.exchange.tell(
            "near", advert("near", 2, instance(key, 1, like=NEAR, load=9, also=functions - {1}))
        )
        await until(lambda: (told := west.known["near"]) and told.functions == functions)
        told = west.known["near"]
        assert told is not None
        assert [one.load for one in told.instances.values()] == [9]
        east.exchange.tell("near", None)
        await until(lambda: west.known["near"] is None)
        assert not west.told("bgp-refused")


def main(first: str, second: str, between: str, *command: str) -> None:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as speaker:
        try:
            asyncio.run(tell_through((int(first), int(second)), int(between)))
        finally:
            speaker.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
