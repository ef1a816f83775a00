"""From threads into the loop: all of it in order, or counted as lost."""

import asyncio
import threading

from switch.p4rt import mailbox
from switch.p4rt.mailbox import Mailbox


async def test_everything_arrives_in_order() -> None:
    done = asyncio.Event()
    taken: list[int] = []

    def take(item: int) -> None:
        taken.append(item)
        if item == 4999:
            done.set()

    box: Mailbox[int] = Mailbox(asyncio.get_running_loop(), take)

    def bring() -> None:
        for item in range(5000):
            box.put(item)

    thread = threading.Thread(target=bring)
    thread.start()
    await asyncio.wait_for(done.wait(), 20)
    thread.join()
    assert taken == list(range(5000))
    assert box.dropped == 0


def test_a_loop_that_does_not_run_loses_what_does_not_fit(monkeypatch) -> None:
    monkeypatch.setattr(mailbox, "PATIENCE_S", 0)
    loop = asyncio.new_event_loop()
    box: Mailbox[int] = Mailbox(loop, lambda _: None)
    for item in range(mailbox.CAPACITY + 3):
        box.put(item)
    assert box.dropped == 3
    loop.close()


def test_a_loop_that_has_ended_takes_nothing() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    box: Mailbox[int] = Mailbox(loop, lambda _: None)
    box.put(1)
    box.put(2)
    assert box.dropped == 1
