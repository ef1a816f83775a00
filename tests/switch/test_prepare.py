"""Compiling ahead of time: what is prepared is found, what can't be run is told."""

import subprocess
import sys
from pathlib import Path

import pytest

from switch.build import cache_directory
from switch.prepare import prepare

PROGRAM = Path(__file__).parent / "programs" / "selector.json"


def test_a_prepared_program_is_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    prepare(PROGRAM)
    compiled = {path: path.stat().st_mtime_ns for path in cache_directory().glob("*.so")}
    assert compiled
    prepare(PROGRAM)
    assert {path: path.stat().st_mtime_ns for path in cache_directory().glob("*.so")} == compiled


@pytest.mark.parametrize(("text", "told"), [("{}", "__meta__"), (None, "No such file")])
def test_what_cannot_be_prepared_is_told_in_a_line(tmp_path: Path, text: str | None, told: str) -> None:
    program = tmp_path / "program.json"
    if text is not None:
        program.write_text(text)
    command = [sys.executable, "-m", "switch.prepare", str(program)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("switch.prepare: ")
    assert told in ended.stderr
    assert ended.stderr.count("\n") == 1
