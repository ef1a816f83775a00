"""Data agents over real sockets: what they take, give, fetch, and leave alone."""

import asyncio
import os
import time

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn.content.agent import DataAgent
from cfn.content.errors import ContentError, DataAgentAwayError, MissingContentError
from cfn.content.fetch import MAX_UNDER_WAY
from cfn.content.prefetch import PrefetchEndpoint
from cfn.content.results import ResultKey
from cfn.names import data_in_id
from cfn.wire import Header, Kind, Packet
from tests.cfn.content.agents import WAIT_S, prefetch, site, source
from tests.cfn.strategies import packets

PICTURE = os.urandom(300_000)
PICTURE_ID = data_in_id(PICTURE)
NOWHERE = "http://127.0.0.1:1"


async def http(method: str, url: str, **options) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as session, session.request(method, url, **options) as response:
        return response.status, await response.read()


async def test_what_is_put_at_one_site_is_had_at_another(tmp_path):
    async with site(tmp_path / "far") as far, site(tmp_path / "near", origins=[far.url]) as near:
        assert await far.client.put(PICTURE) == PICTURE_ID
        assert await near.client.get(PICTURE_ID) == PICTURE
        assert (far.agent.counters.served, near.agent.counters.fetched) == (1, 1)
        assert await near.client.get(PICTURE_ID) == PICTURE
        assert (far.agent.counters.served, near.agent.counters.hits) == (1, 1)


async def test_what_is_held_outlives_the_agent(tmp_path):
    async with site(tmp_path) as here:
        await here.client.put(PICTURE)
        await here.client.put_result(ResultKey(0xF, PICTURE_ID), b"a cat")
    async with site(tmp_path) as here:
        assert await here.client.get(PICTURE_ID) == PICTURE
        assert await here.client.result(ResultKey(0xF, PICTURE_ID)) == b"a cat"


async def test_an_input_is_a_file_and_a_result_is_an_input_by_its_name(tmp_path):
    key = ResultKey(0xF, PICTURE_ID)
    async with site(tmp_path) as here:
        await here.client.put(PICTURE)
        await here.client.put_result(key, b"a cat")
        assert (await here.client.input(PICTURE_ID)).read_bytes() == PICTURE
        assert (await here.client.input(key.data_out)).read_bytes() == b"a cat"
        with pytest.raises(MissingContentError):
            await here.client.get(key.data_out)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_prefetch_brings_content_from_the_site_that_it_names(tmp_path, host):
    async with site(tmp_path / "far") as far:
        await far.client.put(PICTURE)
        sites = {1: NOWHERE, 2: far.url}
        async with site(tmp_path / "near", hosts=["127.0.0.1", "::1"], sites=sites) as near:
            near.send(prefetch(PICTURE_ID, holder=2), host)
            await near.holds(PICTURE_ID)
            near.send(prefetch(PICTURE_ID, holder=2), host)
            await near.until(prefetches=2, prefetches_held=1)
        assert far.agent.counters.served == 1


async def test_a_result_that_is_held_is_not_fetched(tmp_path):
    key = ResultKey(0xF, PICTURE_ID)
    async with source() as origin, site(tmp_path, origins=[origin.url]) as here:
        await here.client.put_result(key, b"a cat")
        here.send(prefetch(key.data_out, holder=2))
        await here.until(prefetches_held=1)
    assert origin.asked == []


async def test_whom_the_prefetch_names_is_asked_before_the_origins(tmp_path):
    async with (
        source(PICTURE) as origin,
        source(PICTURE) as holder,
        site(tmp_path, sites={5: holder.url}, origins=[origin.url]) as here,
    ):
        here.send(prefetch(PICTURE_ID, holder=5))
        await here.holds(PICTURE_ID)
    assert (origin.asked, holder.asked) == ([], [PICTURE_ID.hex()])


async def test_who_asks_while_a_fetch_is_under_way_gets_what_it_brings(tmp_path):
    async with source(PICTURE) as origin, site(tmp_path, origins=[origin.url]) as here:
        origin.gate.clear()
        here.send(prefetch(PICTURE_ID))
        await here.until(prefetches=1)
        asking = [asyncio.create_task(here.client.get(PICTURE_ID)) for _ in range(20)]
        await asyncio.wait(asking, timeout=0.1)
        origin.gate.set()
        assert set(await asyncio.gather(*asking)) == {PICTURE}
    assert origin.asked == [PICTURE_ID.hex()]


async def test_one_who_gives_up_leaves_the_fetch_to_the_others(tmp_path):
    async with source(PICTURE) as origin, site(tmp_path, origins=[origin.url]) as here:
        origin.gate.clear()
        hasty = asyncio.create_task(here.client.get(PICTURE_ID))
        patient = asyncio.create_task(here.client.get(PICTURE_ID))
        await origin.is_asked()
        hasty.cancel()
        await asyncio.wait([hasty])
        origin.gate.set()
        assert await patient == PICTURE
    assert len(origin.asked) == 1


async def test_a_holder_that_is_named_a_little_late_is_asked_still(tmp_path):
    async with (
        source(status=404) as origin,
        source(PICTURE) as holder,
        site(tmp_path, sites={5: holder.url}, origins=[origin.url]) as here,
    ):
        origin.gate.clear()
        asking = asyncio.create_task(here.client.get(PICTURE_ID))
        await origin.is_asked()
        here.send(prefetch(PICTURE_ID, holder=5))
        await here.until(prefetches=1)
        origin.gate.set()
        assert await asking == PICTURE


async def test_when_all_have_failed_a_prefetch_is_waited_for_a_little(tmp_path, monkeypatch):
    monkeypatch.setattr("cfn.content.fetch.HOLDER_WAIT_S", WAIT_S)
    async with (
        source(status=404) as origin,
        source(PICTURE) as holder,
        site(tmp_path, sites={5: holder.url}, origins=[origin.url]) as here,
    ):
        asking = asyncio.create_task(here.client.get(PICTURE_ID))
        await origin.is_asked()
        assert not (await asyncio.wait([asking], timeout=0.2))[0]
        here.send(prefetch(PICTURE_ID, holder=5))
        assert await asking == PICTURE


async def test_sources_that_fail_are_passed_over_and_told_of(tmp_path):
    async with source(b"something else") as liar, source(status=503) as broken:
        urls = [NOWHERE, liar.url, broken.url]
        async with site(tmp_path, origins=urls) as here:
            with pytest.raises(MissingContentError) as missing:
                await here.client.get(PICTURE_ID)
            assert here.agent.counters.missing == 1
            assert (await here.client.holdings())["content"] == []
    for part in (
        f"{NOWHERE}: Cannot connect",
        f"{liar.url}: 14 bytes that are {data_in_id(b'something else').hex()}",
        f"{broken.url}: 503 Service Unavailable",
    ):
        assert part in str(missing.value)


async def test_after_those_that_fail_one_that_holds_it_is_asked(tmp_path):
    async with (
        source(b"something else") as liar,
        source(PICTURE) as honest,
        site(tmp_path, origins=[NOWHERE, liar.url, honest.url]) as here,
    ):
        assert await here.client.get(PICTURE_ID) == PICTURE


async def test_a_source_is_not_followed_elsewhere(tmp_path):
    async with source(PICTURE) as elsewhere:
        headers = {"Location": f"{elsewhere.url}/content/{PICTURE_ID.hex()}"}
        async with (
            source(status=302, headers=headers) as origin,
            site(tmp_path, origins=[origin.url]) as here,
        ):
            with pytest.raises(MissingContentError, match="302 Found"):
                await here.client.get(PICTURE_ID)
    assert elsewhere.asked == []


async def test_a_source_that_does_not_answer_costs_a_bounded_time(tmp_path):
    async with source(PICTURE) as silent, site(tmp_path, origins=[silent.url], timeout_s=0.3) as here:
        silent.gate.clear()
        with pytest.raises(MissingContentError, match=r"not here after 0\.3 s"):
            await here.client.get(PICTURE_ID)
        silent.gate.set()
        assert await here.client.get(PICTURE_ID) == PICTURE


async def test_nobody_to_ask_is_said_soon(tmp_path):
    async with site(tmp_path) as here:
        with pytest.raises(MissingContentError, match="nobody is known to hold it"):
            await here.client.get(PICTURE_ID)


async def test_an_item_that_is_too_big_is_refused_from_above_and_below(tmp_path):
    async with source(PICTURE) as origin, site(tmp_path, origins=[origin.url], largest=299_999) as here:
        with pytest.raises(MissingContentError, match="more than 299999 bytes"):
            await here.client.get(PICTURE_ID)
        with pytest.raises(ContentError, match="more than 299999 bytes"):
            await here.client.put(PICTURE)
        assert (await here.client.holdings())["bytes"]["content"] == 0


async def test_what_was_not_used_for_longest_makes_room(tmp_path):
    items = [bytes([number]) * 1000 for number in range(4)]
    async with site(tmp_path, limit=3000) as here:
        ids = [await here.client.put(item) for item in items[:3]]
        await here.client.get(ids[0])
        ids.append(await here.client.put(items[3]))
        held = [each["id"] for each in (await here.client.holdings())["content"]]
    assert held == [ids[3].hex(), ids[0].hex(), ids[2].hex()]


async def test_datagrams_that_are_no_prefetch_are_counted_and_do_nothing(tmp_path):
    garbage = [
        b"",
        b"junk",
        bytes(72),
        prefetch(bytes(16)),
        prefetch(PICTURE_ID)[:71],
        Packet(Header(Kind.REQUEST, 0xF, data_in=PICTURE_ID)).encode(),
        Packet(Header(Kind.RESPONSE, 0xF, data_in=PICTURE_ID)).encode(),
    ]
    async with source(PICTURE) as origin, site(tmp_path, origins=[origin.url]) as here:
        for datagram in garbage:
            here.send(datagram)
        await here.until(garbage=len(garbage))
        assert here.agent.counters.prefetches == 0
        here.send(prefetch(PICTURE_ID))
        await here.holds(PICTURE_ID)
        assert origin.asked == [PICTURE_ID.hex()]


@given(st.one_of(st.binary(max_size=100), packets().map(Packet.encode)))
def test_every_datagram_is_either_a_prefetch_of_something_or_garbage(data):
    wanted, garbage = [], []
    PrefetchEndpoint(lambda *each: wanted.append(each), lambda: garbage.append(1)).datagram_received(
        data, None
    )
    assert len(wanted) + len(garbage) == 1
    if wanted:
        header = Packet.decode(data).header
        assert header.kind == Kind.PREFETCH
        assert wanted == [(header.data_in, header.report.queue)]
        assert any(header.data_in)


async def test_a_flood_of_names_is_cut_off(tmp_path):
    async with source(status=404) as origin, site(tmp_path, origins=[origin.url]) as here:
        origin.gate.clear()
        for number in range(MAX_UNDER_WAY):
            here.send(prefetch((number + 1).to_bytes(16)))
        await here.until(prefetches=MAX_UNDER_WAY)
        here.send(prefetch(PICTURE_ID))
        await here.until(prefetches_refused=1)
        with pytest.raises(MissingContentError, match=f"{MAX_UNDER_WAY} other fetches"):
            await here.client.get(PICTURE_ID)


async def test_other_agents_may_only_read_what_is_held(tmp_path):
    async with source(PICTURE) as origin, site(tmp_path, origins=[origin.url]) as here:
        url = f"{here.url}/content/{PICTURE_ID.hex()}"
        assert await http("GET", url) == (404, b"not held here")
        assert (await http("PUT", url, data=PICTURE))[0] == 405
        for path in ("/holdings", f"/inputs/{PICTURE_ID.hex()}", f"/results/f/{PICTURE_ID.hex()}"):
            assert (await http("GET", here.url + path))[0] == 404
        assert (await http("GET", f"{here.url}/content/..%2f..%2fdata.sock"))[0] == 400
        assert origin.asked == []
        await here.client.put(PICTURE)
        assert await http("GET", url) == (200, PICTURE)
        assert await http("HEAD", url) == (200, b"")


async def test_requests_that_make_no_sense_are_refused_with_the_reason(tmp_path):
    async with site(tmp_path) as here:
        connector = aiohttp.UnixConnector(str(here.config.local))
        async with aiohttp.ClientSession(connector=connector) as session:
            for method, path, status, text in (
                ("GET", "/content/abc", 400, "'abc' is no content identifier"),
                ("GET", f"/results/xyz/{PICTURE_ID.hex()}", 400, "'xyz' is no FuncID"),
                ("GET", f"/results/-1/{PICTURE_ID.hex()}", 400, "'-1' is no FuncID"),
                ("PUT", f"/content/{PICTURE_ID.hex()}", 422, "3 bytes that are"),
            ):
                async with session.request(method, f"http://data{path}", data=b"abc") as response:
                    assert response.status == status, path
                    assert text in await response.text()


async def test_two_agents_do_not_get_in_each_other_s_way(tmp_path):
    async with site(tmp_path) as here:
        for folder, text in (
            (tmp_path, "in use by another data agent"),
            (tmp_path / "x", "cannot listen on"),
        ):
            with pytest.raises(OSError, match=text):
                async with site(folder, port=here.config.port):
                    pass
        config = here.config
        with pytest.raises(OSError, match=f"cannot listen at {config.local}"):
            async with DataAgent(type(config)(tmp_path / "other", config.local)):
                pass
        assert await here.client.put(b"alive") == data_in_id(b"alive")


async def test_without_an_agent_that_is_said(tmp_path):
    async with site(tmp_path) as here:
        pass
    with pytest.raises(DataAgentAwayError, match=f"{here.config.local} does not answer: .*No such file"):
        async with type(here.client)(here.config.local) as client:
            await client.get(PICTURE_ID)


async def test_an_agent_that_ends_in_the_middle_of_a_fetch_ends(tmp_path):
    async with source(PICTURE) as origin:
        origin.gate.clear()
        async with site(tmp_path, origins=[origin.url]) as here:
            asking = asyncio.create_task(here.client.get(PICTURE_ID))
            await origin.is_asked()
            began = time.monotonic()
        assert time.monotonic() - began < 5
        with pytest.raises(ContentError):
            await asking
