"""Longest prefixes, against looking at all of them: in tables, and in the trie alone."""

import random
import subprocess
from collections.abc import Sequence
from typing import Any

import cffi
import pytest

from switch.api import Action, Match
from switch.build import RUNTIME, compiler
from tests.switch.harness import running
from tests.switch.test_tables import LPM, LPM128, ask

STEPS = 600

DECLARATIONS = """
struct pool { uint8_t *items; uint32_t item, used, room; uint32_t free[65]; };
struct trie { struct pool nodes, entries; };
void trie_init(struct trie *t);
void trie_free(struct trie *t);
uint32_t trie_root(struct trie *t);
int trie_insert(struct trie *t, uint32_t root, const uint64_t *key, unsigned offset, unsigned width,
                unsigned length, uint32_t entry);
int trie_remove(struct trie *t, uint32_t root, const uint64_t *key, unsigned offset, unsigned width,
                unsigned length);
uint32_t find(const struct trie *t, uint32_t root, const uint64_t *key, unsigned offset, unsigned width);
"""
FIND = """
#include "trie.h"
uint32_t find(const struct trie *t, uint32_t root, const uint64_t *key, unsigned offset, unsigned width) {
    return trie_find(t, root, key, offset, width);
}
"""

Prefix = tuple[int, int]
"""Value, with 0s after the prefix, and length in bits."""


class Prefixes:
    """What is in a table, and values that are likely to meet it."""

    def __init__(self, width: int, seed: int) -> None:
        self.width = width
        self.draw = random.Random(seed)
        self.held: dict[Prefix, int] = {}
        self._stems = [self.draw.getrandbits(width) for _ in range(4)]

    def value(self) -> int:
        """A value that shares its first bits with others, so that prefixes nest."""
        shared = self.draw.randint(0, self.width)
        rest = self.width - shared
        return self.draw.choice(self._stems) >> rest << rest | self.draw.getrandbits(rest)

    def new(self) -> Prefix | None:
        """A prefix that is not held; None when the draw gave one that is."""
        length = self.draw.randint(0, self.width)
        prefix = (self.value() & self.mask(length), length)
        return None if prefix in self.held else prefix

    def mask(self, length: int) -> int:
        """As many 1s, then 0s."""
        return (1 << self.width) - (1 << (self.width - length))

    def longest(self, value: int) -> int | None:
        """What the longest prefix of a value holds."""
        lengths = (
            length for length in range(self.width, -1, -1) if (value & self.mask(length), length) in self.held
        )
        length = next(lengths, None)
        return None if length is None else self.held[value & self.mask(length), length]


@pytest.mark.parametrize(("table", "width"), [("I.lpm_t", 32), ("I.lpm128_t", 128)])
def test_a_table_finds_the_longest_while_prefixes_come_and_go(table: str, width: int) -> None:
    prefixes = Prefixes(width, seed=width)
    exact = [Match(1)] if table == "I.lpm_t" else []
    handles: dict[Prefix, int] = {}
    with running("match") as switch:
        for step in range(STEPS):
            # First many are added, then all go again.
            if prefixes.draw.random() < (0.7 if step < STEPS / 2 else 0.2) and (prefix := prefixes.new()):
                code = prefixes.draw.randint(1, 200)
                key = [*exact, Match(prefix[0], prefixes.mask(prefix[1]))]
                handles[prefix] = switch.table_insert(table, key, 0, Action("I.set", (code,)))
                prefixes.held[prefix] = code
            elif handles:
                gone = prefixes.draw.choice(list(handles))
                switch.table_delete(table, handles.pop(gone))
                del prefixes.held[gone]
            value = prefixes.value()
            if exact:
                assert ask(switch, LPM, a=1, c=value)[0] == (prefixes.longest(value) or 0xEE)
                assert ask(switch, LPM, a=2, c=value)[0] == 0xEE
            else:
                assert ask(switch, LPM128, d=value)[0] == (prefixes.longest(value) or 0)


@pytest.fixture(scope="module")
def trie(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """trie.c by itself, with the sanitizer that stops at the first fault."""
    directory = tmp_path_factory.mktemp("trie")
    (directory / "find.c").write_text(FIND)
    flags = ["-std=gnu11", "-g", "-fsanitize=undefined", "-fno-sanitize-recover", "-shared", "-fPIC"]
    target = directory / "trie.so"
    sources = [str(directory / "find.c"), str(RUNTIME / "trie.c")]
    subprocess.run([*compiler(), *flags, f"-I{RUNTIME}", "-o", str(target), *sources], check=True, timeout=60)
    ffi: Any = cffi.FFI()
    ffi.cdef(DECLARATIONS)
    return ffi, ffi.dlopen(str(target))


def words(value: int, count: int) -> Sequence[int]:
    """A key as words, low word first."""
    return [value >> (64 * i) & (1 << 64) - 1 for i in range(count)]


@pytest.mark.parametrize(
    ("width", "offset"), [(1, 63), (6, 12), (7, 0), (32, 12), (64, 0), (65, 64), (200, 64)]
)
def test_a_field_of_any_width_and_place(trie: tuple[Any, Any], width: int, offset: int) -> None:
    ffi, lib = trie
    prefixes = Prefixes(width, seed=width)
    count = (offset + width + 63) // 64
    noise = prefixes.draw.getrandbits(64 * count) & ~((1 << width) - 1 << offset)

    def key(value: int) -> Any:
        return ffi.new("uint64_t[]", words(value << offset | noise, count))

    made = ffi.new("struct trie *")
    lib.trie_init(made)
    root = lib.trie_root(made)
    for entry in range(1, STEPS):
        prefix = prefixes.new()
        if prefix and prefixes.draw.random() < 0.6:
            assert lib.trie_insert(made, root, key(prefix[0]), offset, width, prefix[1], entry) == 0
            prefixes.held[prefix] = entry
        elif prefixes.held:
            value, length = prefixes.draw.choice(list(prefixes.held))
            del prefixes.held[value, length]
            empty = lib.trie_remove(made, root, key(value), offset, width, length)
            assert bool(empty) == (not prefixes.held)
        for _ in range(3):
            value = prefixes.value()
            assert lib.find(made, root, key(value), offset, width) == (prefixes.longest(value) or 0)
    lib.trie_free(made)
