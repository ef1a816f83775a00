"""AUTH: a tenant's clients prove with each request that they are the tenant's.

The tag is HalfSipHash-2-4 with 64 bits of output under the tenant's key, over what the client chose of the
request, and over a sequence number, by which the ingress router knows a replay (RFC 4303 §3.4.3).
"""

from __future__ import annotations

import struct

from cfn.extension_bodies import Auth
from cfn.halfsiphash import HalfSipHashKey, halfsiphash64
from cfn.wire import Header

_MASK = 0xFFFFFFFF
_MESSAGE = struct.Struct("<15I")
_DATA_ID = struct.Struct("!4I")


class TenantKey(HalfSipHashKey):
    """The key of a tenant, which its clients and the ingress routers share."""

    __slots__ = ()


def auth_message(header: Header, sender: int, sequence: int) -> bytes:
    """The 60 bytes that the tag is over; every value must fit its field."""
    return _MESSAGE.pack(
        sender << 16 | header.tenant,
        sequence,
        header.request_id,
        header.func_id >> 32,
        header.func_id & _MASK,
        *_DATA_ID.unpack(header.data_in),
        *_DATA_ID.unpack(header.data_out),
        header.demand.to_int(),
        header.flags << 24 | header.priority << 16,
    )


def authenticate(key: TenantKey, header: Header, sender: int, sequence: int) -> Auth:
    """The AUTH of a request."""
    return Auth(sender, sequence, halfsiphash64(key, auth_message(header, sender, sequence)))
