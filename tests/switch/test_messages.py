"""What `log_msg` says, as BMv2's `log_msg` in src/bm_sim/core/primitives.cpp does."""

import logging

import pytest

from tests.switch.harness import running


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (bytes(66), ("set {0, 0}", "and 0 0 0")),
        (
            b"\xff" * 66,
            (f"set {{{(1 << 128) - 1}, -1}}", f"and {(1 << 64) - 1} -1 {(1 << 200) - 1}"),
        ),
        (
            (b"\x80" + bytes(15)) * 2 + bytes(25) + b"\x80" + bytes(7) + b"\x80",
            (f"set {{{1 << 127}, {-(1 << 127)}}}", f"and {1 << 63} -128 0"),
        ),
    ],
)
def test_values_and_braces(sent: bytes, told: tuple[str, ...], caplog: pytest.LogCaptureFixture) -> None:
    with running("messages") as switch, caplog.at_level(logging.INFO, "switch.packet"):
        switch.inject(1, sent)
        switch.poll_events(1000)
    assert tuple(record.message for record in caplog.records if record.name == "switch.packet") == told
