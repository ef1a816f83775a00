from bench import ingress, packets
from bench.ingress import steering_fault
from cfn.wire import BASE_LENGTH


def test_frames_are_requests_without_payload_of_one_length() -> None:
    frames = ingress.workload().frames
    assert {len(frame) for frame in frames} == {14 + 20 + 8 + BASE_LENGTH}
    assert len(set(frames)) == ingress.FLOWS
    assert packets.checksum_fault(frames[-1]) is None


def test_a_request_that_was_not_steered_is_told() -> None:
    frame = ingress.workload().frames[0]
    fault = steering_fault(frame, frame)
    assert fault is not None
    assert "no instance" in fault


def test_a_damaged_checksum_is_told() -> None:
    frame = bytearray(ingress.workload().frames[0])
    frame[packets.CFN_AT - 1] ^= 1
    fault = packets.checksum_fault(bytes(frame))
    assert fault is not None
    assert fault.startswith("UDP checksum")


def test_a_frame_that_was_not_routed_is_told() -> None:
    frame = ingress.workload().frames[0]
    assert packets.routed_fault(frame, frame) == "TTL 64 became 64"
