"""Worker processes end with their owner, however that ends."""

import asyncio
import os
import select
import signal
import subprocess
import sys

import pytest

from cfn.function import Outcome
from cfn.wire import Status
from cfn.workers import start_workers
from tests.cfn.sample_functions import moody, size, threaded, threaded_size


async def outcome(workers, payload: bytes) -> Outcome:
    done = asyncio.get_running_loop().create_future()
    workers.submit(payload, done.set_result)
    return await asyncio.wait_for(done, 30)


@pytest.mark.parametrize("target", [moody, threaded])
async def test_a_worker_runs_one_request_after_another(target):
    workers = start_workers(target, 1)
    try:
        for payload in (b"a", b"", b"c"):
            assert await outcome(workers, payload) == Outcome(Status.OK, payload)
        assert (await outcome(workers, b"refuse")).status == Status.BAD_INPUT
    finally:
        workers.close()


@pytest.mark.parametrize("target", [size, threaded_size])
async def test_an_input_can_be_a_file_which_the_worker_closes(target, tmp_path):
    (tmp_path / "input").write_bytes(bytes(3_000_000))
    workers = start_workers(target, 1)
    try:
        for _ in range(3):
            done = asyncio.get_running_loop().create_future()
            data = (tmp_path / "input").open("rb")
            workers.submit(data, done.set_result)
            assert await asyncio.wait_for(done, 30) == Outcome(Status.OK, b"3000000 bytes")
            assert data.closed
    finally:
        workers.close()


async def test_a_file_that_cannot_be_read_is_a_missing_input(tmp_path):
    workers = start_workers(size, 1)
    try:
        done = asyncio.get_running_loop().create_future()
        workers.submit((tmp_path / "input").open("xb"), done.set_result)
        assert await asyncio.wait_for(done, 30) == Outcome(
            Status.MISSING_INPUT, b"cannot be read: Bad file descriptor"
        )
        assert await outcome(workers, b"on") == Outcome(Status.OK, b"2 bytes")
    finally:
        workers.close()


async def test_a_killed_worker_is_replaced_while_idle():
    workers = start_workers(moody, 1)
    try:
        pid = int((await outcome(workers, b"who")).payload)
        os.kill(pid, signal.SIGKILL)
        while (answer := await outcome(workers, b"who")).status != Status.OK:
            assert b"SIGKILL" in answer.payload
        assert int(answer.payload) != pid
    finally:
        workers.close()


async def test_closing_ends_a_worker_in_the_middle_of_a_run(tmp_path):
    workers = start_workers(moody, 1)
    pid = int((await outcome(workers, b"who")).payload)
    workers.submit(b"until " + os.fsencode(tmp_path / "never"), lambda _: None)
    workers.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


_OWNER = """
import asyncio
from cfn.workers import start_workers
from tests.cfn.sample_functions import moody
async def main():
    workers = start_workers(moody, 2)
    for _ in range(2):
        workers.submit(b"who", lambda outcome: print(outcome.payload.decode(), flush=True))
    await asyncio.sleep(600)
asyncio.run(main())
"""


def test_workers_end_when_their_owner_is_killed():
    owner = subprocess.Popen([sys.executable, "-c", _OWNER], stdout=subprocess.PIPE, text=True)
    with owner:
        workers = [os.pidfd_open(int(owner.stdout.readline())) for _ in range(2)]
        owner.kill()
    for worker in workers:
        # A pidfd is readable once its process has ended (pidfd_open(2)).
        assert select.select([worker], [], [], 30)[0]
        os.close(worker)
