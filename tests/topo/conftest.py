"""Namespaces for tests: unique names, removed whatever happens."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator

import pytest

from topo import netns

_numbers = itertools.count()


def _can_make_namespaces() -> bool:
    name = f"cfntest{os.getpid()}x"
    try:
        netns.create(name)
    except OSError:
        return False
    netns.remove(name)
    return True


@pytest.fixture(scope="session")
def root() -> None:
    if os.geteuid() != 0 or not _can_make_namespaces():
        pytest.skip("needs root and network namespaces")


@pytest.fixture
def new_namespace(root: None) -> Iterator[Callable[[], str]]:
    made: list[str] = []

    def make() -> str:
        name = f"cfntest{os.getpid()}n{next(_numbers)}"
        netns.create(name)
        made.append(name)
        return name

    yield make
    for name in made:
        netns.remove(name)
