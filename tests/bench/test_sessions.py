from ipaddress import IPv4Address

from bench import packets, two_ingresses
from bench.ingress import FUNCTION
from bench.sessions import Deaths, Sessions, response
from cfn.wire import Kind

A, B = two_ingresses.instances()[:2]


def sessions(count: int = 1) -> Sessions:
    return Sessions(FUNCTION, count, two_ingresses.INGRESS["r1"], echo=True)


def reached(one: Sessions, instance: IPv4Address, deaths: Deaths) -> bytes:
    frame = bytearray(one.request(0))
    frame[30:34] = instance.packed
    one.arrived(bytes(frame), deaths)
    return bytes(frame)


def test_a_session_that_moves_is_torn_once() -> None:
    one = sessions()
    for instance in (A, A, B, A):
        reached(one, instance, Deaths())
    assert one.tally.torn == {0}
    assert (one.tally.requests, one.tally.died) == (4, 0)


def test_a_session_whose_instance_was_away_is_not_torn() -> None:
    one, deaths = sessions(), Deaths()
    reached(one, A, deaths)
    deaths.began(A)
    deaths.ended(A)
    reached(one, B, deaths)
    assert (one.tally.torn, one.tally.died) == (set(), 1)


def test_another_instance_s_death_is_no_excuse() -> None:
    one, deaths = sessions(), Deaths()
    reached(one, A, deaths)
    deaths.began(B)
    deaths.ended(B)
    reached(one, B, deaths)
    assert one.tally.torn == {0}


def test_a_death_that_was_over_is_no_excuse() -> None:
    one, deaths = sessions(), Deaths()
    deaths.began(A)
    deaths.ended(A)
    reached(one, A, deaths)
    reached(one, B, deaths)
    assert one.tally.torn == {0}


def test_a_cookie_comes_back_with_the_next_request() -> None:
    one = sessions()
    frame = bytearray(one.request(0))
    frame[packets.CFN_AT + 16 : packets.CFN_AT + 24] = b"a cookie"
    answer = response(bytes(frame))
    header = packets.cfn_of(answer).header
    assert (header.kind, header.affinity) == (Kind.RESPONSE, int.from_bytes(b"a cookie"))
    one.answered(answer)
    assert packets.cfn_of(one.request(0)).header.affinity == header.affinity
    one.enter(two_ingresses.INGRESS["r2"])
    assert packets.cfn_of(one.request(0)).header.affinity == header.affinity


def test_a_response_goes_back_the_way_that_its_request_came() -> None:
    frame = sessions().request(0)
    sent, back = packets.ipv4_of(frame), packets.ipv4_of(response(frame))
    assert (back.src, back.dst, back.sport, back.dport) == (sent.dst, sent.src, sent.dport, sent.sport)
    assert back.chksum == sent.chksum


def test_each_session_is_a_flow_of_its_own() -> None:
    many = sessions(33_000)
    assert len({many.request(number)[26:36] for number in range(many.count)}) == many.count
