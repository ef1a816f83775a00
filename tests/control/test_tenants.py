"""Tenants: who signs and how much, and what is counted of them."""

from __future__ import annotations

from control.adoption import adopt
from tests.control.example import (
    CATALOGUE,
    FAR,
    advert,
    instance,
)
from tests.control.test_program import SCHEMA, installed, rows, started

SIGNED = CATALOGUE.replace(
    "tenants: {demo: 7}",
    "tenants: {demo: 7, one: {id: 8, key: '0100000002000000'}, two: {id: 9, key: '0300000004000000',"
    " rate: {per_s: 10, burst: 5, peak_per_s: 20}}}",
)


def test_tenants_sign_and_have_a_rate() -> None:
    program = started(text=SIGNED)
    assert rows(program, "r1", "tenant_key") == {
        "tenant=0x8 → signs_with(auth_slot=0x0, k0=0x1, k1=0x2)",
        "tenant=0x9 → signs_with(auth_slot=0x1, k0=0x3, k1=0x4)",
    }
    assert rows(program, "r1", "contract") == {
        "tenant=0x9 → measure(retry_after_ms=0x3e8), 10/s by 5, 20/s by 5"
    }


def test_a_tenant_keeps_its_slot_when_another_leaves() -> None:
    before = started(text=SIGNED)
    without = "\n".join(
        line.replace("one: {id: 8, key: '0100000002000000'}, ", "") for line in SIGNED.splitlines()
    )
    found = adopt(installed(before.tables["r1"]).installed, SCHEMA)
    after = started(found={"r1": found}, text=without)
    assert rows(after, "r1", "tenant_key") == {"tenant=0x9 → signs_with(auth_slot=0x1, k0=0x3, k1=0x4)"}


def test_uses_are_counted_on_while_sites_come_and_go() -> None:
    program = started()
    program.take(advert("far", 1, instance(FAR)))
    program.take(advert("far", 2))
    used = {"tenant=0x7 service=0x9aac site=0x2 → count_use()"}
    assert rows(program, "r1", "usage") == rows(program, "r2", "usage") == used
    found = adopt(installed(program.tables["r1"]).installed, SCHEMA)
    assert rows(started(found={"r1": found}), "r2", "usage") == used
