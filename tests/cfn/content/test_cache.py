"""The cache on disk against a model: what it holds, in which order it lets go, and what a restart finds."""

import os
import re
import tempfile
from collections import OrderedDict
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cfn.content.cache import DiskCache
from cfn.content.errors import NoRoomError

LIMIT = 100
NAME = re.compile(r"[a-h]")
names = st.sampled_from("abcdefgh")
contents = st.binary(max_size=60)


def add(cache: DiskCache, name: str, *pieces: bytes) -> None:
    with cache.arrival(name) as arrival:
        for piece in pieces:
            arrival.write(piece)
        arrival.finish()


class Cache(RuleBasedStateMachine):
    """Least recently used first in `model`."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "cache"
        self.model: OrderedDict[str, bytes] = OrderedDict()
        self.gone: list[str] = []
        self.open(LIMIT)

    def open(self, limit: int) -> None:
        self.limit = limit
        self.cache = DiskCache(self.path, limit, NAME, self.gone.append)

    def teardown(self) -> None:
        self.cache.close()
        self.folder.cleanup()

    def make_room(self, more: int) -> None:
        while self.model and sum(map(len, self.model.values())) + more > self.limit:
            self.model.popitem(last=False)

    @rule(name=names, data=contents, cut=st.integers(0, 60))
    def add(self, name: str, data: bytes, cut: int) -> None:
        pieces = data[:cut], data[cut:]
        if len(data) > self.limit:
            with pytest.raises(NoRoomError):
                add(self.cache, name, *pieces)
            if len(pieces[0]) <= self.limit:
                self.make_room(len(pieces[0]))
            return
        add(self.cache, name, *pieces)
        # The arriving file counts beside the one that it replaces.
        self.make_room(len(data))
        self.model.pop(name, None)
        self.model[name] = data

    @rule(name=names, data=contents)
    def give_up(self, name: str, data: bytes) -> None:
        if len(data) <= self.limit:
            with self.cache.arrival(name) as arrival:
                arrival.write(data)
            self.make_room(len(data))

    @rule(name=names)
    def use(self, name: str) -> None:
        path = self.cache.use(name)
        if name in self.model:
            self.model.move_to_end(name)
            assert path is not None
            assert path.read_bytes() == self.model[name]
        else:
            assert path is None

    @rule(name=names)
    def drop(self, name: str) -> None:
        self.cache.drop(name)
        self.model.pop(name, None)

    @rule(name=names)
    def lose_a_file(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)
        assert self.cache.use(name) is None
        self.model.pop(name, None)

    @rule(limit=st.sampled_from([LIMIT, 50]), half=contents)
    def restart(self, limit: int, half: bytes) -> None:
        self.cache.close()
        (self.path / ".arriving-77").write_bytes(half)
        self.open(limit)
        self.make_room(0)

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        assert list(self.cache) == list(reversed(self.model))
        assert {name: self.cache.size_of(name) for name in self.cache} == {
            name: len(data) for name, data in self.model.items()
        }
        assert self.cache.size == sum(map(len, self.model.values())) <= self.limit

    @invariant()
    def nothing_else_is_on_disk(self) -> None:
        on_disk = {path.name: path.read_bytes() for path in self.path.iterdir() if path.name != ".lock"}
        assert on_disk == self.model

    @invariant()
    def tells_of_what_goes(self) -> None:
        assert not set(self.gone[-1:]) & set(self.model)
        self.gone.clear()


TestCache = Cache.TestCase
TestCache.settings = settings(max_examples=60, stateful_step_count=30)


def test_the_folder_never_holds_more_than_the_limit_while_files_arrive(tmp_path):
    cache = DiskCache(tmp_path, 100, NAME)
    add(cache, "a", bytes(60))
    with cache.arrival("b") as first, cache.arrival("c") as second:
        first.write(bytes(40))
        assert "a" in cache
        second.write(bytes(20))
        assert "a" not in cache
        first.write(bytes(40))
        with pytest.raises(NoRoomError, match="100 bytes"):
            second.write(bytes(1))
        on_disk = sum(path.stat().st_size for path in tmp_path.iterdir())
        assert on_disk == cache.size == 100
        first.finish()
    assert list(cache) == ["b"]
    cache.close()


def test_a_folder_has_one_owner(tmp_path):
    cache = DiskCache(tmp_path, 100, NAME)
    with pytest.raises(OSError, match=f"{tmp_path} is in use by another data agent"):
        DiskCache(tmp_path, 100, NAME)
    cache.close()
    DiskCache(tmp_path, 100, NAME).close()


def test_files_of_others_are_left_alone(tmp_path):
    (tmp_path / "README").write_text("keep me")
    (tmp_path / "a").symlink_to(tmp_path / "README")
    (tmp_path / "b").mkdir()
    cache = DiskCache(tmp_path, 3, NAME)
    assert (list(cache), cache.size) == ([], 0)
    cache.close()
    assert sorted(os.listdir(tmp_path)) == [".lock", "README", "a", "b"]
