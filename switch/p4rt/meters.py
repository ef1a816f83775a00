"""Meter configurations, checked against the meter's type (§ 9.4)."""

from __future__ import annotations

from finsy.proto import p4i, p4r

from ..api import Marked, MeterRates
from .errors import invalid_argument
from .p4info import MeterSpec


def decode(spec: MeterSpec, config: p4r.MeterConfig) -> MeterRates:
    """The rates of a configuration.

    Raises:
        P4RuntimeError: INVALID_ARGUMENT where the meter's type forbids it.
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
    return MeterRates(config.cir, config.cburst, config.pir, config.pburst, config.eburst)


def encode(rates: MeterRates) -> p4r.MeterConfig:
    """The message of a configuration."""
    return p4r.MeterConfig(
        cir=rates.cir, cburst=rates.cburst, pir=rates.pir, pburst=rates.pburst, eburst=rates.eburst
    )


def require_zero(place: str, data: p4r.MeterCounterData) -> None:
    """Counts per colour can only be cleared (§ 9.4.1).

    Raises:
        P4RuntimeError: INVALID_ARGUMENT for any other value.
    """
    for count in (data.green, data.yellow, data.red):
        if count.packet_count or count.byte_count:
            raise invalid_argument(f"{place}: counts per colour can only be set to 0")


def encode_marked(marked: Marked, message: p4r.MeterCounterData) -> None:
    """Make a message the counts per colour (§ 9.4.3)."""
    for count, part in zip(marked, (message.green, message.yellow, message.red), strict=True):
        part.SetInParent()
        part.packet_count, part.byte_count = count.packets, count.bytes
