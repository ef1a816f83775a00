"""Random entries and packets on BMv2 and here, byte for byte, where BMv2 is installed."""

import json
from pathlib import Path

import pytest

from tests.switch import bmv2
from tests.switch.compare import Case, Subject
from tests.switch.differential import check, draw, main, own_programs, reduced
from tests.switch.harness import program
from tests.switch.state import State

pytestmark = pytest.mark.skipif(
    not bmv2.available(), reason="BMv2 (simple_switch, simple_switch_CLI) is not installed"
)

PACKETS = 400
PROGRAMS = dict(own_programs())


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_comes_out(name: str) -> None:
    result = check(name, PROGRAMS[name], PACKETS, seed=1)
    assert result.refused is None
    assert result.differences == []
    assert result.packets == PACKETS


def test_a_difference_is_found_and_reduced() -> None:
    subject = Subject(program("match"))
    # Another action's code for one table: what BMv2 runs is not what runs here.
    subject.bmv2_json = subject.bmv2_json.replace(b'"0xee"', b'"0xef"').replace(b'"0x000000ee"', b'"0xef"')
    packets = tuple(bytes([7, number, *bytes(24)]) for number in range(50))
    case = Case(State(), (*packets, bytes([1, 1, *bytes(24)])), 1)
    difference, outputs = subject.compare(case)
    assert difference
    assert outputs == len(case.packets)
    smaller, found = reduced(subject, case, difference)
    assert len(smaller.packets) == 1
    assert smaller.packets[0][0] == 1
    assert len(smaller.packets[0]) == 26
    assert found.embedded != found.bmv2


def test_packets_that_meet_in_a_register_are_sent_one_by_one() -> None:
    root = json.loads(program("externs"))
    assert Subject(json.dumps(root).encode()).window is None
    ingress, egress = root["pipelines"]
    ingress["name"], egress["name"] = egress["name"], ingress["name"]
    assert Subject(json.dumps(root).encode()).window == 1


def test_a_crash_of_bmv2_is_told() -> None:
    subject = Subject(program("copies"))
    crashing = program("copies")  # with its assertion, that BMv2 aborts on
    with bmv2.Bmv2(crashing) as switch, pytest.raises(bmv2.Bmv2Error, match="ended with -6"):
        switch.send([bytes([8, 0, *bytes(10)])] * 3)
    assert subject.json != crashing


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "selector.json"
    path.write_bytes(program("selector"))
    told = tmp_path / "out.json"
    assert main(["--program", str(path), "--packets", "50", "--seed", "3", "--json", str(told)]) == 0
    assert "selector: 50 packets" in capsys.readouterr().out
    assert '"packets": 50' in told.read_text()


def test_the_same_seed_draws_the_same_case() -> None:
    subject = Subject(program("match"))
    assert draw(subject, "a", 20) == draw(subject, "a", 20)
    assert draw(subject, "a", 20) != draw(subject, "b", 20)
