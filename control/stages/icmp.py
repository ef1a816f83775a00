"""ICMP: how many errors a router tells."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import P4MeterConfig, P4MeterEntry

from control.network import Network

_PER_S = 100
_BURST = 20
"""A router must bound its errors (RFC 1812, section 4.3.2.8; RFC 4443, section 2.4 f)."""


def entities(network: Network, router: str) -> Iterator[P4MeterEntry]:
    """The meter of each port in use."""
    rates = P4MeterConfig(cir=_PER_S, cburst=_BURST, pir=_PER_S, pburst=_BURST)
    for port in sorted({hop.port for hop in network.hops(router)}):
        yield P4MeterEntry("errors", index=port, config=rates)
