"""The C programs on real interfaces, in namespaces of their own."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench import bed, ingress, native, packets, routing, two_sites
from bench.arrivals import Arrivals
from bench.bed import Bed
from bench.devices import DEVICES, Device, Kernel
from bench.forwarding import SOURCE_KINDS, Blaster, DeviceError, check
from bench.lane import ROLES, Lane
from bench.process import ChildError, running
from bench.workload import Workload
from cfn.names import func_id
from topo import netns

pytestmark = [pytest.mark.netns, pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces: needs root")]

_CORE = min(os.sched_getaffinity(0))
_ETH_P_ALL = 3
_MARKS = packets.CFN_MARKS


@pytest.fixture
def pair() -> Iterator[Bed]:
    with bed.laid("left", "right") as laid:
        laid.join(("left", "l"), ("right", "r"), (None, None))
        yield laid


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
@pytest.mark.parametrize("make", [ingress.workload, routing.workload], ids=["cfn", "basic_routing"])
def test_device_forwards_what_it_should(device: Device, make: Callable[[], Workload], tmp_path: Path) -> None:
    if not device.installed():
        pytest.skip(f"{device.name} is not installed")
    workload = make()
    with bed.laid(*ROLES) as laid:
        lane = Lane(laid, device.name)
        lane.lay(workload.router_mac if device.kernel_takes_in else None)
        with device.forwarding(lane, workload, _CORE, tmp_path):
            check(device, lane, workload)
            sample = Blaster(workload, _CORE, tmp_path).sample(lane, 0.0, 0.2)
    assert sample.forwarded > 0
    assert sample.offered > 0
    assert sample.source in SOURCE_KINDS


def test_device_that_forwards_nothing_is_not_measured(tmp_path: Path) -> None:
    workload = ingress.workload()
    with bed.laid(*ROLES) as laid:
        lane = Lane(laid, "none")
        lane.lay()
        with pytest.raises(DeviceError, match="frame 0 did not come out"):
            check(Kernel(), lane, workload)


def test_every_frame_that_is_paced_is_recorded(pair: Bed, tmp_path: Path) -> None:
    template = tmp_path / "frame"
    template.write_bytes(two_sites.request_frame(func_id("a/b")))
    pace, record = (str(native.build(name, tmp_path)) for name in ("pace", "record"))
    kind = [str(template.stat().st_size), str(packets.CFN_AT), "11"]
    recording = [record, "r", str(tmp_path / "records"), *kind, *_MARKS.fields]
    pacing = [pace, "l", str(template), "2000", "0.5", *_MARKS.all_fields]
    with running("record", recording, tmp_path, namespace=pair["right"]) as recorder:
        recorder.wait_output("ready")
        with netns.entered(pair["right"]):
            seen = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        with seen, running("pace", pacing, tmp_path, namespace=pair["left"]) as pacer:
            frames = [seen.recv(2048) for _ in range(100)]
            sent = int(pacer.stop())
        recorded, dropped = map(int, recorder.stop().split()[-2:])
    arrivals = Arrivals.read(tmp_path / "records")
    assert (recorded, dropped) == (sent, 0)
    assert arrivals.numbers.tolist() == list(range(sent))
    assert (arrivals.sent_ns <= arrivals.received_ns).all()
    assert [packets.cfn_of(frame).header.request_id for frame in frames] == list(range(100))
    assert [packets.checksum_fault(frame) for frame in frames] == [None] * 100


def test_frames_of_another_kind_are_not_recorded(pair: Bed, tmp_path: Path) -> None:
    template = tmp_path / "frame"
    template.write_bytes(two_sites.request_frame(func_id("a/b")))
    pace, record = (str(native.build(name, tmp_path)) for name in ("pace", "record"))
    kind = [str(template.stat().st_size), str(packets.CFN_AT), "15"]
    recording = [record, "r", str(tmp_path / "records"), *kind, *_MARKS.fields]
    pacing = [pace, "l", str(template), "2000", "0.5", *_MARKS.all_fields]
    with running("record", recording, tmp_path, namespace=pair["right"]) as recorder:
        recorder.wait_output("ready")
        with netns.entered(pair["right"]):
            seen = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        with seen, running("pace", pacing, tmp_path, namespace=pair["left"]):
            seen.recv(2048)
        assert recorder.stop().split()[-2:] == ["0", "0"]


@pytest.mark.parametrize(
    ("program", "arguments", "message"),
    [
        ("blast", ["none", "/dev/null", "114"], "/dev/null: not at least 64 whole frames of 114 bytes"),
        (
            "pace",
            ["none", "/dev/null", "5", "0", "0", "4", "8"],
            "a frame of 0 bytes does not hold the fields",
        ),
        ("pace", ["none", __file__, "5", "2", "0", "4", "8"], "2: not a spread from 0 to 1"),
        ("record", ["none", "/dev/null", "114", "0", "xy", "0", "4"], "xy: no bytes within a frame of 114"),
        ("bare", ["none", "none"], "none: No such device"),
    ],
)
def test_wrong_arguments_are_told(tmp_path: Path, program: str, arguments: list[str], message: str) -> None:
    command = [str(native.build(program, tmp_path)), *arguments]
    with running(program, command, tmp_path) as child, pytest.raises(ChildError, match=message):
        child.wait_output("ready")
