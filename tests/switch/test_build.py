import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
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


KILLED = "import sys; from switch.build import build; build(sys.stdin.read(), tuple(sys.argv[1:]))"
WAIT_S = 60


@pytest.mark.parametrize("with_compiler", [True, False], ids=["with its compiler", "alone"])
def test_a_killed_build_leaves_nothing_for_the_next(cache: Path, with_compiler: bool) -> None:
    builder = subprocess.Popen(
        [sys.executable, "-c", KILLED, *FLAGS, "-O3"],
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert builder.stdin
    builder.stdin.write(source())
    builder.stdin.close()
    end = time.monotonic() + WAIT_S
    while not (scratch := list(cache.glob("build-*/program.c"))):
        assert time.monotonic() < end
        assert builder.poll() is None
    if with_compiler:
        os.killpg(builder.pid, signal.SIGKILL)
    else:
        builder.kill()
    builder.wait()
    assert scratch[0].exists()
    while busy(cache):  # a compiler that outlived its builder holds the cache until it ends
        assert time.monotonic() < end
        time.sleep(0.05)
    built = build(source(), FLAGS)
    assert [path.name for path in cache.iterdir()] == [built.name]


def test_a_build_that_runs_is_left_alone(cache: Path) -> None:
    cache.mkdir()
    theirs = cache / "build-theirs"
    theirs.mkdir()
    held = os.open(cache, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_SH)
    build(source(), FLAGS)
    assert theirs.exists()
    os.close(held)
    built = build(source() + "\n", FLAGS)
    assert not theirs.exists()
    assert built.exists()


def busy(cache: Path) -> bool:
    place = os.open(cache, os.O_RDONLY)
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(place)
    return False
