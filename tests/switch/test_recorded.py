"""What BMv2 made of fixed cases, recorded in `recorded/`: see `recorded.py`."""

import pytest

from tests.switch.compare import REGISTER_MOST
from tests.switch.differential import own_programs
from tests.switch.recorded import replay

PROGRAMS = dict(own_programs())


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_bmv2_made_of_it(name: str) -> None:
    wanted, sent, told, cells = replay(name, PROGRAMS[name])
    assert sent == wanted
    assert {c: min(v, REGISTER_MOST) if isinstance(v, int) else v for c, v in cells.items()} == told
    assert sum(map(len, wanted.values())) > 0
