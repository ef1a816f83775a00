"""The response to a request: what of it is repeated, and what gives way where it would be too long."""

from __future__ import annotations

from dataclasses import replace

from cfn.extension_bodies import RECORD_LENGTH, Chain, Trace
from cfn.extensions import AnyExtension
from cfn.wire import MAX_DATAGRAM, Kind, Packet, Report, Status


def build_response(request: Packet, report: Report, payload: bytes) -> Packet:
    """The RESPONSE with this report and payload, repeating CHAIN and TRACE; at most `MAX_DATAGRAM` long.

    The newest records of a TRACE are left out where there is no room for them, and counted as missed. Where a
    payload has no room even then, the status is FUNCTION_FAILED, and the payload says why.
    """
    header = replace(request.header, kind=Kind.RESPONSE, report=report)
    if not request.extensions:
        return Packet(header, payload)
    repeated = tuple(each for each in request.extensions if isinstance(each, Chain | Trace))
    over = len(Packet(header, payload, repeated).encode()) - MAX_DATAGRAM
    kept = tuple(_shortened(each, over) for each in repeated)
    response = Packet(header, payload, kept)
    over = len(response.encode()) - MAX_DATAGRAM
    if over <= 0:
        return response
    reason = f"output of {len(payload)} bytes: with its chain the response has room for {len(payload) - over}"
    failed = replace(header, report=replace(report, status=Status.FUNCTION_FAILED))
    return Packet(failed, reason.encode(), kept)


def _shortened(extension: AnyExtension, over: int) -> AnyExtension:
    if over <= 0 or not isinstance(extension, Trace):
        return extension
    records = extension.records[-(-over // RECORD_LENGTH) :]
    missed = extension.missed + len(extension.records) - len(records)
    return replace(extension, records=records, missed=min(missed, 0xFF))
