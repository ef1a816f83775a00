"""Content by identifier: only right bytes get in, and what was damaged meanwhile is not given out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn.content.errors import MismatchError, NoRoomError, TooBigError
from cfn.content.store import ContentStore
from cfn.names import data_in_id


def take(store: ContentStore, data_id: bytes, *pieces: bytes) -> None:
    with store.arrival(data_id) as arrival:
        for piece in pieces:
            arrival.write(piece)
        arrival.finish()


@pytest.fixture
def open_store(tmp_path):
    opened = []

    def open_(limit: int = 1000, largest: int = 400) -> ContentStore:
        if opened:
            opened.pop().close()
        opened.append(ContentStore(tmp_path / "content", limit, largest))
        return opened[0]

    yield open_
    opened.pop().close()


async def test_content_is_found_under_its_identifier(open_store):
    store = open_store()
    data_id = data_in_id(b"hello there")
    assert await store.find(data_id) is None
    take(store, data_id, b"hello", b" there")
    path = await store.find(data_id)
    assert (path.name, path.read_bytes()) == (data_id.hex(), b"hello there")


async def test_bytes_that_are_not_what_they_are_called_are_dropped(open_store, tmp_path):
    store = open_store()
    data_id = data_in_id(b"hello")
    with pytest.raises(MismatchError, match=data_in_id(b"hullo").hex()):
        take(store, data_id, b"hullo")
    assert await store.find(data_id) is None
    assert (list(store), store.size) == ([], 0)
    assert [path.name for path in (tmp_path / "content").iterdir()] == [".lock"]


@given(data=st.binary(max_size=40), wrong=st.binary(max_size=40))
def test_no_other_bytes_than_the_right_ones_get_in(tmp_path_factory, data, wrong):
    store = ContentStore(tmp_path_factory.mktemp("content"), 1000, 400)
    try:
        take(store, data_in_id(data), wrong)
    except MismatchError:
        assert wrong != data
    else:
        assert wrong == data
    finally:
        store.close()


def test_an_item_is_bounded_and_so_is_all_together(open_store):
    store = open_store()
    with pytest.raises(TooBigError, match="more than 400 bytes"):
        take(store, bytes(16), bytes(300), bytes(101))
    store = open_store(limit=300)
    with pytest.raises(NoRoomError, match="300 bytes"):
        take(store, bytes(16), bytes(301))
    assert store.size == 0


async def test_a_restart_keeps_content_but_not_what_was_damaged(open_store):
    store = open_store()
    whole, damaged = data_in_id(b"whole"), data_in_id(b"damaged")
    take(store, whole, b"whole")
    take(store, damaged, b"damaged")
    (await store.find(damaged)).write_bytes(b"demaged")
    store = open_store()
    assert set(store) == {whole, damaged}
    assert (await store.find(whole)).read_bytes() == b"whole"
    assert await store.find(damaged) is None
    assert list(store) == [whole]
    take(store, damaged, b"damaged")
    assert (await store.find(damaged)).read_bytes() == b"damaged"
