"""Entries of the service table, made fast: they are what every advert changes.

What is the same from one advert to the next (the match, the action of an instance) is encoded once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import finsy as fy

from control.desired import Group, Placement, Steered, bind_action, no_capacity_entity
from control.entries import Entry, action_bytes, action_set_body, wanted
from control.model import InstanceKey

_KEPT = 65_536


class ServiceEntries:
    """Makes the entry of a decision."""

    def __init__(self, schema: fy.P4Schema):
        self._schema = schema
        self._nobody = lru_cache(_KEPT)(self._make_nobody)
        self._action = lru_cache(_KEPT)(self._make_action)

    def entry(self, steered: Steered, group: Group, placements: Mapping[InstanceKey, Placement]) -> Entry:
        """The group that a function's requests are drawn from."""
        nobody = self._nobody(steered)
        if not group.weights:
            return nobody
        weights = {self._action(key, placements[key]): weight for key, weight in group.weights}
        return replace(nobody, body=action_set_body(weights))

    def _make_nobody(self, steered: Steered) -> Entry:
        (entry,) = wanted([no_capacity_entity(steered)], self._schema)
        return entry

    def _make_action(self, key: InstanceKey, placement: Placement) -> bytes:
        return action_bytes(bind_action(key, placement).encode_action(self._schema))
