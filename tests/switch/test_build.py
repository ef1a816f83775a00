import threading
from pathlib import Path

import pytest

from switch.build import BuildError, build, cache_directory
from switch.generate import generate
from switch.load import load
from tests.switch.harness import program

FLAGS = ("-std=gnu11", "-D_GNU_SOURCE", "-O0", "-fPIC", "-shared", "-pthread")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "cfn-switch"


def source() -> str:
    return generate(load(program("selector"))).source


def test_a_program_is_compiled_once(cache: Path) -> None:
    first = build(source(), FLAGS)
    stamp = first.stat().st_mtime_ns
    assert build(source(), FLAGS) == first
    assert first.stat().st_mtime_ns == stamp
    assert [path.name for path in cache.iterdir()] == [first.name]


def test_other_source_or_flags_give_another_object(cache: Path) -> None:
    assert cache_directory() == cache
    objects = {build(source(), FLAGS), build(source() + "\n", FLAGS), build(source(), (*FLAGS, "-g"))}
    assert len(objects) == 3


def test_many_switches_may_start_at_once(cache: Path) -> None:
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(build(source(), FLAGS))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert [path.name for path in cache.iterdir()] == [found[0].name]


def test_a_missing_compiler_is_told(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(BuildError, match=r"no-such-compiler.*set CC"):
        build(source(), FLAGS)
    assert not cache.exists()


def test_what_the_compiler_says_is_told(cache: Path) -> None:
    with pytest.raises(BuildError, match="not_declared"):
        build(source() + "int broken(void) { return not_declared; }\n", FLAGS)
    assert list(cache.iterdir()) == []
