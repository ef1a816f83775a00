"""Control domains: which routers one controller drives, and how it tells other controllers of its sites."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, Strict

from control.fields import IPv4, Model, Name, as_text, hex_key

MAX_PASSWORD = 80
"""Octets of a TCP MD5 key (TCP_MD5SIG_MAXKEYLEN of the Linux kernel)."""


def _speaker_address(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if address.is_multicast or address.is_unspecified:
        raise ValueError("must be an address of a host (not multicast or unspecified)")
    return address


def _password(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not (
        0 < len(text) <= MAX_PASSWORD and all(c.isascii() and (c.isalnum() or c in "-_.+/=") for c in text)
    ):
        raise ValueError(f"must be 1 to {MAX_PASSWORD} letters, digits and -_.+/=")
    return value


Address = Annotated[IPv4Address | IPv6Address, BeforeValidator(as_text), AfterValidator(_speaker_address)]
Asn = Annotated[int, Strict(), Field(ge=1, le=2**32 - 2)]
"""Number of an autonomous system (RFC 6793)."""

TcpPort = Annotated[int, Strict(), Field(ge=1, le=65_535)]
Seconds = Annotated[float, Strict(), Field(gt=0, le=3600)]


class Peer(Model):
    """A BGP neighbour: another domain's speaker, a route reflector, a router of an AS on the way.

    With `password` segments are signed (TCP MD5, RFC 2385); with `hops`, it is at most that many routers away
    (TTL security, RFC 5082). `domains` are those whose sites it may tell of.
    """

    address: Address
    asn: Asn
    port: TcpPort = 179
    password: Annotated[SecretStr, AfterValidator(_password)] | None = None
    hops: Annotated[int, Strict(), Field(ge=1, le=254)] | None = None
    domains: tuple[Name, ...] | None = None


class Speaker(Model):
    """The BGP speaker of a domain: where it listens, how often it tells, whom.

    `hold_s` is BGP's hold time. Adverts of a site are at least `min_interval_s` apart, and at most `timer_s`.
    """

    address: Address
    port: TcpPort = 179
    router_id: IPv4 | None = None
    hold_s: Annotated[int, Strict(), Field(ge=3, le=65_535)] = 9
    min_interval_s: Seconds = 1.0
    timer_s: Annotated[Seconds, Field(le=150)] = 10.0
    attribute: Annotated[int, Strict(), Field(ge=41, le=255)] = 255
    peers: Annotated[tuple[Peer, ...], Field(min_length=1)]


class Domain(Model):
    """The routers of one controller, and the autonomous system that they are in.

    `more_routes` is the prefix that further routes of its sites are in, when one can't carry all functions.
    """

    asn: Asn
    routers: Annotated[tuple[Name, ...], Field(min_length=1)]
    more_routes: Annotated[IPv4Network | IPv6Network, BeforeValidator(as_text)] | None = None
    bgp: Speaker | None = None


class Cookies(Model):
    """Keys that cookies are sealed with, by epoch, where several controllers have to use the same.

    A rotation takes two steps: the next epoch's key is added everywhere, then `seal` names it everywhere.
    """

    keys: Annotated[
        dict[Annotated[int, Field(ge=0, le=3)], Annotated[SecretStr, AfterValidator(hex_key)]],
        Field(min_length=1, max_length=2),
    ]
    seal: Annotated[int, Strict(), Field(ge=0, le=3)]
