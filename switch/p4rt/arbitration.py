"""Which client may write: the primary of each role, by election id (§ 5, 16.2).

Pure state: it says which notifications go to whom; sending them is the session's work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from finsy.proto import U128, p4r, rpc_code, rpc_status

from . import roles
from .errors import denied, exhausted, failed_precondition, invalid_argument, not_found
from .roles import Role

MAX_CLIENTS = 64
"""Clients of one role at a time; a further one is RESOURCE_EXHAUSTED."""

MAX_ROLES = 1024
"""Roles that have clients or had a primary, whose election id may not be forgotten (§ 16.2)."""

C = TypeVar("C")

Notice = tuple[C, p4r.MasterArbitrationUpdate]


@dataclass(slots=True)
class _Election(Generic[C]):
    """The clients of one role with their election ids (None: never primary), and the highest id ever seen.

    `role` has the configuration that a primary gave last (§ 5.4).
    """

    role: Role
    clients: dict[C, int | None] = field(default_factory=dict[C, int | None])
    highest: int | None = None

    def primary(self) -> C | None:
        for client, election_id in self.clients.items():
            if election_id is not None and election_id == self.highest:
                return client
        return None


class Arbitration(Generic[C]):
    """The elections of one device."""

    def __init__(self, device_id: int):
        self._device_id = device_id
        self._elections: dict[str, _Election[C]] = {"": _Election(Role())}
        self._role_of: dict[C, str] = {}

    def update(self, client: C, message: p4r.MasterArbitrationUpdate) -> list[Notice[C]]:
        """Take a client's bid; the notifications that follow, the new primary's last (§ 5.3, 5.4).

        Raises:
            P4RuntimeError: the stream has to end with this error.
        """
        known = self._role_of.get(client)
        if message.device_id != self._device_id:
            if known is None:
                raise not_found(f"there is no device {message.device_id} here")
            raise failed_precondition(f"the stream is for device {self._device_id}")
        if known is not None and known != message.role.name:
            raise failed_precondition(f"the stream is for role {known!r}")
        role = roles.decode(message.role)
        election = self._elections.get(role.name) or _Election(Role(role.name))
        election_id = U128.decode(message.election_id) if message.HasField("election_id") else None
        if election_id is not None and any(
            other is not client and taken == election_id for other, taken in election.clients.items()
        ):
            raise invalid_argument(f"Election id {election_id} is already used by another client of the role")
        if known is None and len(election.clients) >= MAX_CLIENTS:
            raise exhausted(f"role {role.name!r} has {MAX_CLIENTS} clients already")
        if role.name not in self._elections and len(self._elections) >= MAX_ROLES:
            raise exhausted(f"there are {MAX_ROLES} roles already")

        was_primary = election.primary()
        self._elections[role.name] = election
        self._role_of[client] = role.name
        election.clients[client] = election_id
        if election_id is not None and (election.highest is None or election_id >= election.highest):
            election.highest = election_id
            election.role = role
            return self._notices(election)
        return self._notices(election) if was_primary is client else [self._notice(election, client)]

    def leave(self, client: C) -> list[Notice[C]]:
        """Forget a client whose stream ended; the others hear of it where it was primary."""
        name = self._role_of.pop(client, None)
        if name is None:
            return []
        election = self._elections[name]
        was_primary = election.primary() is client
        del election.clients[client]
        if name and not election.clients and election.highest is None:
            del self._elections[name]
        return self._notices(election) if was_primary else []

    def role(self, name: str) -> Role:
        """A role by name.

        Raises:
            P4RuntimeError: NOT_FOUND where it has no client and never had a primary.
        """
        election = self._elections.get(name)
        if election is None:
            raise not_found(f"no client has arbitrated for role {name!r}")
        return election.role

    def authorise(self, name: str, election_id: p4r.Uint128 | None) -> Role:
        """The role of a request that changes something, if it comes from the role's primary (§ 12).

        Raises:
            P4RuntimeError: NOT_FOUND or PERMISSION_DENIED.
        """
        role = self.role(name)
        election = self._elections[name]
        given = None if election_id is None else U128.decode(election_id)
        if election.primary() is None or given != election.highest:
            raise denied("only the primary client may do this" + (f" in role {name!r}" if name else ""))
        return role

    def is_primary(self, client: C) -> bool:
        """Whether a client is the primary of its role."""
        return self.led_by(client) is not None

    def led_by(self, client: C) -> Role | None:
        """The role whose primary a client is."""
        name = self._role_of.get(client)
        if name is None or self._elections[name].primary() is not client:
            return None
        return self._elections[name].role

    def primaries(self) -> list[tuple[Role, C]]:
        """The primary of each role that has one."""
        found = [(election.role, election.primary()) for election in self._elections.values()]
        return [(role, client) for role, client in found if client is not None]

    def _notices(self, election: _Election[C]) -> list[Notice[C]]:
        primary = election.primary()
        others = [client for client in election.clients if client is not primary]
        told = others if primary is None else [*others, primary]
        return [self._notice(election, client) for client in told]

    def _notice(self, election: _Election[C], client: C) -> Notice[C]:
        primary = election.primary()
        if primary is None:
            status = rpc_status.Status(code=rpc_code.NOT_FOUND, message="there is no primary")
        elif primary is client:
            status = rpc_status.Status(code=rpc_code.OK, message="you are the primary")
        else:
            status = rpc_status.Status(code=rpc_code.ALREADY_EXISTS, message="another client is the primary")
        return client, p4r.MasterArbitrationUpdate(
            device_id=self._device_id,
            role=election.role.message(),
            election_id=None if election.highest is None else U128.encode(election.highest),
            status=status,
        )
