"""Meter configurations, checked against the meter's type (§ 9.4)."""

from __future__ import annotations

from finsy.proto import p4i, p4r

from ..api import MeterRates
from .errors import invalid_argument, unimplemented
from .p4info import MeterSpec


def decode(spec: MeterSpec, config: p4r.MeterConfig) -> MeterRates:
    """The rates of a configuration.

    Raises:
        P4RuntimeError: INVALID_ARGUMENT where the meter's type forbids it, UNIMPLEMENTED for an excess burst.
    """
    place = f"meter {spec.name}"
    if min(config.cir, config.cburst, config.pir, config.pburst, config.eburst) < 0:
        raise invalid_argument(f"{place}: rates and bursts are not negative")
    if spec.type == p4i.MeterSpec.TWO_RATE_THREE_COLOR:
        if config.eburst:
            raise invalid_argument(f"{place}: a two-rate meter has no eburst")
        if config.pir < config.cir:
            raise invalid_argument(f"{place}: pir {config.pir} is below cir {config.cir}")
    elif (config.cir, config.cburst) != (config.pir, config.pburst):
        raise invalid_argument(f"{place}: a single-rate meter needs pir = cir and pburst = cburst")
    elif config.eburst and spec.type == p4i.MeterSpec.SINGLE_RATE_TWO_COLOR:
        raise invalid_argument(f"{place}: a two-colour meter has no eburst")
    if config.eburst:
        raise unimplemented(f"{place}: v1model meters have two rates and no eburst")
    return MeterRates(config.cir, config.cburst, config.pir, config.pburst)


def encode(rates: MeterRates) -> p4r.MeterConfig:
    """The message of a configuration."""
    return p4r.MeterConfig(cir=rates.cir, cburst=rates.cburst, pir=rates.pir, pburst=rates.pburst)


def refuse_counters(place: str) -> None:
    """Meters here do not count per colour (§ 9.4.3)."""
    raise unimplemented(f"{place}: meters do not count packets per colour")
