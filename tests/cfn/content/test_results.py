"""Results: kept under DataOut, bound to what they are the result of."""

import pytest

from cfn.content.results import ResultKey, ResultStore
from cfn.names import data_out_id

KEY = ResultKey(0xF, b"i" * 16)
OTHER = ResultKey(0xE, b"i" * 16)


@pytest.fixture
def open_store(tmp_path):
    opened = []

    def open_(limit: int = 1000) -> ResultStore:
        if opened:
            opened.pop().close()
        opened.append(ResultStore(tmp_path / "results", limit))
        return opened[0]

    yield open_
    opened.pop().close()


def test_a_result_is_found_by_function_and_input_and_by_its_name(open_store):
    store = open_store()
    store.put(KEY, b"output")
    assert KEY.data_out == data_out_id(0xF, b"i" * 16)
    assert store.get(KEY) == b"output"
    assert store.find(KEY.data_out).read_bytes() == b"output"
    assert store.get(OTHER) is None
    assert list(store) == [KEY]


def test_an_output_takes_the_place_of_the_one_before(open_store):
    store = open_store()
    store.put(KEY, b"first")
    store.put(KEY, b"second!")
    assert (store.get(KEY), store.size, list(store)) == (b"second!", 7, [KEY])


def test_results_survive_a_restart_and_damaged_ones_are_dropped(open_store, tmp_path):
    store = open_store()
    store.put(KEY, b"output")
    store.put(OTHER, b"another")
    store.find(OTHER.data_out).write_bytes(b"damaged")
    store = open_store()
    assert store.get(KEY) == b"output"
    assert store.get(OTHER) is None
    assert list(store) == [KEY]


def test_the_least_recently_used_result_goes_first(open_store):
    store = open_store(limit=20)
    store.put(KEY, bytes(10))
    store.put(OTHER, bytes(10))
    assert store.get(KEY)
    store.put(ResultKey(0xD, b"i" * 16), bytes(5))
    assert store.get(OTHER) is None
    assert store.find(OTHER.data_out) is None
    assert store.get(KEY) == bytes(10)
