"""Roles: which part of a pipeline a controller may change and hears of (§ 5.2).

The scheme that P4Runtime leaves open is Stratum's `P4RoleConfig`: no configuration means full access.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from finsy.proto import p4r, stratum
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError

from . import values
from .errors import invalid_argument


@dataclass(frozen=True, slots=True)
class Role:
    """What a role may do; `objects` None means every object of P4Info."""

    name: str = ""
    config: AnyMessage | None = None
    objects: frozenset[int] | None = None
    hears_packets: bool = True
    packet_filter: tuple[int, int] | None = None
    pushes_pipeline: bool = True

    def may_touch(self, object_id: int | None) -> bool:
        """Whether entities of an object are the role's; None is what belongs to no object of P4Info."""
        return self.objects is None or object_id is None or object_id in self.objects

    def may_hear(self, packet: p4r.PacketIn) -> bool:
        """Whether a packet-in goes to the role."""
        if not self.hears_packets or self.packet_filter is None:
            return self.hears_packets
        wanted_id, wanted = self.packet_filter
        return any(
            item.metadata_id == wanted_id and int.from_bytes(item.value) == wanted for item in packet.metadata
        )

    def message(self) -> p4r.Role | None:
        """The role as notifications carry it; the default role is left out."""
        if not self.name and self.config is None:
            return None
        return p4r.Role(name=self.name, config=self.config)


def decode(message: p4r.Role) -> Role:
    """The role that a client arbitrates for.

    Raises:
        P4RuntimeError: INVALID_ARGUMENT for a configuration of another scheme (§ 5.3).
    """
    if not message.HasField("config"):
        return Role(message.name)
    config = stratum.P4RoleConfig()
    try:
        known = message.config.Unpack(config)
    except DecodeError as error:
        raise invalid_argument(f"role {message.name}: the P4RoleConfig is damaged: {error}") from None
    if not known:
        raise invalid_argument(
            f"role {message.name}: {message.config.type_url or 'config'} is no P4RoleConfig"
        )
    kept = AnyMessage()
    kept.CopyFrom(message.config)
    objects = frozenset((*config.exclusive_p4_ids, *config.shared_p4_ids))
    packet_filter = None
    if config.HasField("packet_in_filter"):
        if not config.packet_in_filter.value:
            raise invalid_argument(f"role {message.name}: the packet-in filter has no value")
        packet_filter = (
            config.packet_in_filter.metadata_id,
            values.decode(config.packet_in_filter.value, 8 * len(config.packet_in_filter.value)),
        )
    return Role(
        name=message.name,
        config=kept,
        objects=objects,
        hears_packets=config.receives_packet_ins,
        packet_filter=packet_filter,
        pushes_pipeline=config.can_push_pipeline,
    )


_SUBJECTS: Mapping[str, Callable[[p4r.Entity], int]] = {
    "table_entry": lambda entity: entity.table_entry.table_id,
    "action_profile_member": lambda entity: entity.action_profile_member.action_profile_id,
    "action_profile_group": lambda entity: entity.action_profile_group.action_profile_id,
    "meter_entry": lambda entity: entity.meter_entry.meter_id,
    "direct_meter_entry": lambda entity: entity.direct_meter_entry.table_entry.table_id,
    "counter_entry": lambda entity: entity.counter_entry.counter_id,
    "direct_counter_entry": lambda entity: entity.direct_counter_entry.table_entry.table_id,
    "value_set_entry": lambda entity: entity.value_set_entry.value_set_id,
    "register_entry": lambda entity: entity.register_entry.register_id,
    "digest_entry": lambda entity: entity.digest_entry.digest_id,
}


def subject(entity: p4r.Entity) -> int | None:
    """The id of the P4Info object that an entity belongs to; None for multicast groups and clone sessions."""
    identify = _SUBJECTS.get(entity.WhichOneof("entity") or "")
    return None if identify is None else identify(entity)
