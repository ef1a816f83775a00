"""From a lab to the controller's catalogue, so that nothing is configured in two places."""

from __future__ import annotations

import io
import secrets
from typing import Any

from pydantic import SecretStr
from ruamel.yaml import YAML

from control.catalogue import Catalogue
from topo.plan import Host, Plan, PortEnd, Site
from topo.spec import Line

_FIRST_ASN = 65_001
"""Of the numbers for private use (RFC 6996, section 5)."""
_LINE = ("delay_ms", "jitter_ms", "loss", "rate_mbps")


def tokens(plan: Plan) -> dict[str, str]:
    """Return the token of each site: the one in the lab file, a fresh random one where it gives none."""
    return {
        name: site.token.get_secret_value() if site.token else secrets.token_hex(16)
        for name, site in plan.spec.sites.items()
    }


def catalogue(plan: Plan, site_tokens: dict[str, str]) -> Catalogue:
    """Render the catalogue of a lab.

    Raises:
        pydantic.ValidationError: generated values collide with given ones.
    """
    spec = plan.spec
    return Catalogue.model_validate(
        {
            "anycast": spec.anycast,
            "gateway": spec.gateway,
            "routers": {
                router.name: {
                    "device_id": router.device_id,
                    "address": f"127.0.0.1:{router.grpc_port}",
                    "mac": router.mac,
                    "ipv4": str(router.ipv4),
                    "ipv6": str(router.ipv6),
                    "sid": str(router.sid),
                }
                for router in plan.routers.values()
            },
            "links": [
                {"a": _end(link.a), "b": _end(link.b), "cost": link.cost, **_line(line)}
                for link, line in zip(plan.links, spec.links, strict=True)
            ],
            "hosts": {name: _host(plan.hosts[name], access) for name, (_, access) in spec.edge().items()},
            "sites": {
                name: {
                    "id": plan.sites[name].id,
                    "ipv4": str(plan.sites[name].ipv4),
                    "ipv6": str(plan.sites[name].ipv6),
                    "price": site.price,
                    "token": SecretStr(site_tokens[name]),
                    "hosts": [name],
                    "compute": site.compute,
                    "data_agent": _data_agent(plan.sites[name]),
                }
                for name, site in spec.sites.items()
            },
            "tenants": spec.tenants,
            "classes": spec.classes,
            "services": spec.services,
            "paths": spec.paths,
            "policy": spec.policy,
            **_domains(plan),
        }
    )


def to_yaml(model: Catalogue) -> str:
    """Write a catalogue as the YAML that `control.catalogue.load` reads, tokens and keys included."""
    plain = model.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    for name, site in model.sites.items():
        plain["sites"][name]["token"] = site.token.get_secret_value()
    for name, tenant in model.tenants_by_name.items():
        if tenant.key:
            plain["tenants"][name]["key"] = tenant.key.get_secret_value()
    if model.cookies:
        keys = model.cookies.keys.items()
        plain["cookies"]["keys"] = {epoch: key.get_secret_value() for epoch, key in keys}
    text = io.StringIO()
    YAML(typ="safe", pure=True).dump(plain, text)
    return text.getvalue()


def _domains(plan: Plan) -> dict[str, Any]:
    """Render domains: speakers on the loopback interface of the core, each a peer of all others."""
    names = list(plan.spec.domains)
    addresses = {name: f"127.0.1.{number}" for number, name in enumerate(names, 1)}
    numbers = {name: _FIRST_ASN + number for number, name in enumerate(names)}
    if not names:
        return {}
    return {
        "cookies": {"keys": {0: SecretStr(secrets.token_hex(8))}, "seal": 0},
        "domains": {
            name: {
                "asn": numbers[name],
                "routers": plan.spec.domains[name].routers,
                "bgp": {
                    "address": addresses[name],
                    "peers": [
                        {"address": addresses[other], "asn": numbers[other]}
                        for other in names
                        if other != name
                    ],
                },
            }
            for name in names
        },
    }


def _end(end: PortEnd) -> dict[str, Any]:
    return {"router": end.router, "port": end.port}


def _data_agent(site: Site) -> dict[str, str] | None:
    agent = site.data_agent
    return {"ipv4": str(agent.ipv4), "ipv6": str(agent.ipv6)} if agent else None


def _line(line: Line) -> dict[str, Any]:
    return {field: getattr(line, field) for field in _LINE}


def _host(host: Host, line: Line) -> dict[str, Any]:
    return {
        **_end(host.attached),
        "mac": host.mac,
        "ipv4": [str(address) for address in host.ipv4],
        "ipv6": [str(address) for address in host.ipv6],
        **_line(line),
    }
