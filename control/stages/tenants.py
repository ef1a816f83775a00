"""Auth and contract: whose requests are to be signed, and how many each tenant may send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from finsy import P4MeterConfig, P4TableAction, P4TableEntry, P4TableMatch

from control.catalogue import Catalogue, Rate
from control.stages.row import row


def entities(catalogue: Catalogue, auth_slots: Mapping[int, int]) -> Iterator[P4TableEntry]:
    """Rows of tenant_key and contract; `auth_slots` by tenant number, for those that have a key."""
    for tenant in catalogue.tenants_by_name.values():
        if key := tenant.signing_key:
            action = P4TableAction("signs_with", auth_slot=auth_slots[tenant.id], k0=key.k0, k1=key.k1)
            yield row("tenant_key", {"tenant": tenant.id}, action)
        if tenant.rate:
            yield P4TableEntry(
                "contract",
                match=P4TableMatch(tenant=tenant.id),
                action=P4TableAction("measure", retry_after_ms=tenant.rate.retry_after_ms),
                meter_config=_meter(tenant.rate),
            )


def _meter(rate: Rate) -> P4MeterConfig:
    return P4MeterConfig(
        cir=rate.per_s,
        cburst=rate.burst,
        pir=rate.peak_per_s or rate.per_s,
        pburst=rate.peak_burst or rate.burst,
    )
