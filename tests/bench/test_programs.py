"""The compiled programs are those of their sources, wherever p4c can tell."""

import shutil
import subprocess
from pathlib import Path

import pytest

from bench.programs import BASIC_ROUTING, CHOOSE, EXACT, FOLDER, Program

PROGRAMS = (BASIC_ROUTING, CHOOSE, EXACT)


def test_every_program_is_known() -> None:
    assert {program.source for program in PROGRAMS} == set(FOLDER.glob("*.p4"))


@pytest.mark.skipif(shutil.which("p4c-bm2-ss") is None, reason="p4c-bm2-ss is not installed")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_compiled_program_is_fresh(program: Program, tmp_path: Path) -> None:
    committed = [program.json, program.p4info]
    json, p4info = (tmp_path / file.name for file in committed)
    subprocess.run(
        ["p4c-bm2-ss", "--p4runtime-files", str(p4info), "-o", str(json), program.source.name],
        cwd=FOLDER,
        check=True,
        capture_output=True,
    )
    assert [file.read_text() for file in committed] == [json.read_text(), p4info.read_text()]
