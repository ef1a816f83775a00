"""A stream's outgoing queue, alone."""

from finsy.proto import p4r

from switch.p4rt.session import CAPACITY, PATIENCE, Session


def message(number: int) -> p4r.StreamMessageResponse:
    return p4r.StreamMessageResponse(packet=p4r.PacketIn(payload=str(number).encode()))


async def drain(session: Session) -> list[int]:
    session.end()
    return [int(response.packet.payload) async for response in session.responses()]


async def test_what_may_be_lost_is_lost_last() -> None:
    session = Session()
    for number in range(CAPACITY + 5):
        session.offer(message(number))
    assert session.full
    assert session.dropped == 5
    session.send(message(-1))
    assert await drain(session) == [*range(CAPACITY), -1]


async def test_a_client_that_never_listens_is_given_up() -> None:
    session = Session()
    for number in range(PATIENCE + 5):
        session.send(message(number))
    assert [int(response.packet.payload) async for response in session.responses()] == [*range(PATIENCE)]
