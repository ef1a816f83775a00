"""From an advert on the wire to a `SiteAdvert`, or to the reason why not."""

from __future__ import annotations

import hmac
import math
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from cfn.metrics.score import norm_fi
from cfn.proto import advert_pb2 as pb
from cfn.wire import NO_DATA
from control import metrics_check
from control.catalogue import Catalogue, Site
from control.model import HeldResult, Instance, InstanceKey, SiteAdvert
from control.refused import Refused

MAX_TTL_MS = 600_000
MAX_INSTANCES = 16_384
MAX_FUNCTIONS = 65_536
"""Functions of a site, counted once for each instance that runs them."""
MAX_HELD = 1024
"""Inputs of a site, and results likewise."""
MAX_IGNORED = 16
"""Unknown metrics that are named; a site of another version has them at each instance."""
_LEAST, _MOST = 1e-6, 1e12
"""Bounds of times, rates and cores that are measured; with others the sums of policies lose their digits."""
_U8, _U16 = 2**8, 2**16


def check(message: pb.Advert, token: str, catalogue: Catalogue, held: SiteAdvert | None = None) -> SiteAdvert:
    """Believe an advert.

    What an instance runs is taken from the advert held before where it is the same, since comparing thousands
    of functions takes longer than all the rest.

    Raises:
        Refused: not from who it says, or not plausible.
    """
    site = catalogue.sites.get(message.site)
    # One answer for both, so that names of sites can't be guessed without a token.
    if site is None or not hmac.compare_digest(site.token.get_secret_value().encode(), token.encode()):
        raise Refused("unknown site or wrong token")
    if not 0 < message.ttl_ms <= MAX_TTL_MS:
        raise Refused(f"ttl_ms: {message.ttl_ms} is not in 1..{MAX_TTL_MS}")
    if len(message.instances) > MAX_INSTANCES:
        raise Refused(f"instances: more than {MAX_INSTANCES}")
    if sum(1 + len(told.also) for told in message.instances) > MAX_FUNCTIONS:
        raise Refused(f"instances: more than {MAX_FUNCTIONS} functions")
    _amount("cpu_utilisation", message.cpu_utilisation)
    _amount("cpu_capacity", message.cpu_capacity)
    ignored: list[str] = []
    instances: dict[InstanceKey, Instance] = {}
    for index, told in enumerate(message.instances):
        instance = _instance(f"instances[{index}]", told, site, catalogue, ignored)
        before = held and held.instances.get(instance.key)
        if before and before.also == instance.also:
            instance = replace(instance, also=before.also)
        if instance.key in instances:
            raise Refused(f"instances[{index}].instance: {told.instance} is told of twice")
        instances[instance.key] = instance
    return SiteAdvert(
        site=message.site,
        incarnation=message.incarnation,
        sequence=message.sequence,
        ttl_s=message.ttl_ms / 1000,
        cpu_utilisation=message.cpu_utilisation,
        cpu_capacity=message.cpu_capacity,
        instances=instances,
        inputs=_inputs(message),
        results=_results(message),
        metrics=metrics_check.scores("metrics", message.metrics, ignored),
        resources=metrics_check.resources(message, ignored),
        profile=metrics_check.profile(message),
        ignored=tuple(ignored[:MAX_IGNORED]),
    )


def _instance(
    where: str, told: pb.Instance, site: Site, catalogue: Catalogue, ignored: list[str]
) -> Instance:
    _below(f"{where}.instance", told.instance, _U16)
    _below(f"{where}.load", told.load, _U8)
    for name in ("service_time_us", "arrival_rps", "completed_rps", "error_rps", "capacity_rps"):
        _amount(f"{where}.{name}", getattr(told, name))
    if told.state not in (pb.Instance.UP, pb.Instance.DRAINING):
        raise Refused(f"{where}.state: is neither UP nor DRAINING")
    ipv4 = _ipv4(f"{where}.ipv4", told.ipv4, site, catalogue)
    ipv6 = _ipv6(f"{where}.ipv6", told.ipv6, site, catalogue)
    if ipv4 is None and ipv6 is None:
        raise Refused(f"{where}: has no address")
    metrics = metrics_check.scores(f"{where}.metrics", told.metrics, ignored)
    return Instance(
        key=InstanceKey(site.id, told.instance),
        func_id=told.func_id,
        ipv4=ipv4,
        ipv6=ipv6,
        load=told.load,
        queue=told.queue,
        service_ms=told.service_time_us / 1000,
        arrival_rps=told.arrival_rps,
        capacity_rps=told.capacity_rps,
        completed_rps=told.completed_rps,
        error_rps=told.error_rps,
        draining=told.state == pb.Instance.DRAINING,
        metrics=metrics,
        norm_fi=norm_fi(metrics),
        also=frozenset(told.also) - {told.func_id} if told.also else frozenset(),
    )


def _inputs(message: pb.Advert) -> frozenset[bytes]:
    if len(message.inputs) > MAX_HELD:
        raise Refused(f"inputs: more than {MAX_HELD}")
    for index, data_id in enumerate(message.inputs):
        _data_id(f"inputs[{index}]", data_id)
    return frozenset(message.inputs)


def _results(message: pb.Advert) -> frozenset[HeldResult]:
    if len(message.results) > MAX_HELD:
        raise Refused(f"results: more than {MAX_HELD}")
    held: dict[tuple[int, bytes], HeldResult] = {}
    for index, told in enumerate(message.results):
        where = f"results[{index}]"
        _data_id(f"{where}.data_in", told.data_in)
        _data_id(f"{where}.data_out", told.data_out)
        if (told.func_id, told.data_in) in held:
            raise Refused(f"{where}: its function and input are told of twice")
        held[told.func_id, told.data_in] = HeldResult(told.func_id, told.data_in, told.data_out)
    return frozenset(held.values())


def _data_id(where: str, data_id: bytes) -> None:
    if len(data_id) != len(NO_DATA):
        raise Refused(f"{where}: has {len(data_id)} bytes instead of {len(NO_DATA)}")
    if data_id == NO_DATA:
        raise Refused(f"{where}: names nothing")


def _below(where: str, value: int, bound: int) -> None:
    if value >= bound:
        raise Refused(f"{where}: {value} is not in 0..{bound - 1}")


def _amount(where: str, value: float) -> None:
    if not math.isfinite(value) or not (value == 0 or _LEAST <= value <= _MOST):
        raise Refused(f"{where}: {value} is no amount")


def _ipv4(where: str, packed: bytes, site: Site, catalogue: Catalogue) -> IPv4Address | None:
    if not packed:
        return None
    if len(packed) != 4:
        raise Refused(f"{where}: has {len(packed)} bytes instead of 4")
    address = IPv4Address(packed)
    if not any(address in catalogue.hosts[host].ipv4 for host in site.hosts):
        raise Refused(f"{where}: {address} is not of a host of this site")
    return address


def _ipv6(where: str, packed: bytes, site: Site, catalogue: Catalogue) -> IPv6Address | None:
    if not packed:
        return None
    if len(packed) != 16:
        raise Refused(f"{where}: has {len(packed)} bytes instead of 16")
    address = IPv6Address(packed)
    if not any(address in catalogue.hosts[host].ipv6 for host in site.hosts):
        raise Refused(f"{where}: {address} is not of a host of this site")
    return address
