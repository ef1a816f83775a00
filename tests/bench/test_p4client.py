import asyncio
from pathlib import Path

import pytest

from bench.p4client import TargetError, program
from bench.process import running
from bench.programs import EXACT
from bench.targets import EMBEDDED, address


def test_a_program_that_the_target_refuses_is_told(tmp_path: Path) -> None:
    socket, broken = tmp_path / "p4rt.sock", tmp_path / "broken.json"
    broken.write_text("{}")
    with running("switch", EMBEDDED.command(1, {}, socket), tmp_path) as child:
        pushing = program(address(socket), 1, (EXACT.p4info, broken), (), child.check)
        with pytest.raises(TargetError, match="refused the pipeline"):
            asyncio.run(pushing)
