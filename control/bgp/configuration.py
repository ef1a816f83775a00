"""The configuration and environment that exabgp runs with, from what the catalogue says of a domain."""

from __future__ import annotations

import os
from collections.abc import Sequence

from control.domain import Domain, Peer, Speaker

HELPER = "controller"
_UNICAST = {4: "ipv4 unicast", 6: "ipv6 unicast"}


def configuration(domain: Domain, speaker: Speaker, helper: Sequence[str]) -> str:
    """The configuration; `helper` is the command that exabgp is to talk to."""
    blocks = [
        f"process {HELPER} {{\n    run {' '.join(helper)};\n    encoder json;\n    respawn false;\n}}\n",
        *(_neighbor(domain, speaker, peer) for peer in speaker.peers),
    ]
    return "\n".join(blocks)


def environment() -> dict[str, str]:
    """The environment: exabgp stays the user it is started as, and nothing but the helper commands it."""
    settings = {
        "daemon.user": "root" if os.geteuid() == 0 else str(os.environ.get("USER", "nobody")),
        "daemon.drop": "false",
        "api.cli": "false",
        # An acknowledgement is no JSON; what went wrong is in the log.
        "api.ack": "false",
        "api.respawn": "false",
        "log.destination": "stderr",
        "log.level": "WARNING",
    }
    return {**os.environ, **{f"exabgp.{name}": value for name, value in settings.items()}}


def _neighbor(domain: Domain, speaker: Speaker, peer: Peer) -> str:
    settings = {
        "router-id": speaker.router_id or speaker.address,
        "local-address": speaker.address,
        "local-as": domain.asn,
        "peer-as": peer.asn,
        "hold-time": speaker.hold_s,
        "listen": speaker.port,
        "connect": peer.port,
        "group-updates": "false",
    }
    if peer.password:
        settings["md5-password"] = f'"{peer.password.get_secret_value()}"'
        settings["md5-base64"] = "false"
    if peer.hops:
        # RFC 5082, section 3: sent with 255, and each router on the way takes 1.
        settings |= {"outgoing-ttl": 255, "incoming-ttl": 256 - peer.hops}
    lines = [f"{name} {value};" for name, value in settings.items()]
    lines += [
        f"family {{ {_UNICAST[speaker.address.version]}; }}",
        "capability { graceful-restart " + f"{speaker.hold_s}; extended-message enable; }}",
        f"api {{ processes [ {HELPER} ]; neighbor-changes; receive {{ parsed; update; notification; }} }}",
    ]
    return f"neighbor {peer.address} {{\n" + "".join(f"    {line}\n" for line in lines) + "}\n"
