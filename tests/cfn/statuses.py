"""Statuses as function servers send them."""

from cfn.status import HoldingsStatus, InstanceStatus


def status(instance: int = 1, *, at_s: float = 0.0, **fields) -> InstanceStatus:
    """A status of an instance at 10.2.0.1, measured at that second."""
    values = {
        "started_us": 1000,
        "at_us": round(at_s * 1e6),
        "func_id": 0xF,
        "instance": instance,
        "ipv4": "10.2.0.1",
        "load": 0,
        "queue": 0,
        "workers": 1,
        "arrived": 0,
        "completed": 0,
        "failed": 0,
        "busy_us": 0,
        "cpu_us": 0,
        "beside_us": 0,
        "usual_cpu_us": 0,
    }
    return InstanceStatus(**{**values, **fields})


def holdings(*, at_s: float = 0.0, **fields) -> HoldingsStatus:
    """What a data agent holds, measured at that second."""
    values = {"started_us": 1000, "at_us": round(at_s * 1e6), "inputs": [], "results": []}
    return HoldingsStatus(**{**values, **fields})
