import random
from pathlib import Path

from bench import packets, two_sites
from cfn.names import func_id
from control.catalogue import load


def test_the_controller_accepts_the_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.yaml"
    two_sites.write_catalogue(path, {router: tmp_path / router for router in two_sites.ROUTERS})
    loaded = load(path)
    assert set(loaded.sites) == set(two_sites.SITES)
    assert loaded.routers["r2"].address == f"unix:{tmp_path}/r2"


def test_each_end_of_a_link_is_a_port_of_its_router(tmp_path: Path) -> None:
    assert two_sites.ports("r1") == {1: "r1-1", 2: "r1-2", 3: "r1-3"}
    assert two_sites.ports("r3") == {1: "r3-1", 2: "r3-2"}


def test_request_leaves_room_for_number_and_time() -> None:
    function = random.Random(0).getrandbits(64)
    frame = two_sites.request_frame(function)
    header = packets.cfn_of(frame).header
    assert (header.func_id, header.request_id, header.data_in) == (function, 0, bytes(16))
    assert packets.checksum_fault(frame) is None


def test_function_of_the_request_is_the_service(tmp_path: Path) -> None:
    catalogue = two_sites.catalogue(dict.fromkeys(two_sites.ROUTERS, tmp_path))
    assert [func_id(service["name"]) for service in catalogue["services"]] == [
        func_id(two_sites.FUNCTION_NAME)
    ]
