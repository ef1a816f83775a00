"""The trace hooks cost a switch that does not explain nothing: its code is the same as without them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from switch.build import FLAGS, RUNTIME, compiler
from switch.generate import generate
from switch.load import load
from tests.switch.harness import program

UNITS = ("runner.c", "table.c", "profile.c", "device.c")
HOOK = re.compile(r"\bTRACE(?!_IF)(?:_[A-Z]+)?\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\);")


def machine_code(runtime: Path, unit: Path, place: Path) -> bytes:
    """The instructions of one unit, without where they came from."""
    made, text = place / "unit.o", place / "unit.text"
    flags = [flag for flag in FLAGS if flag != "-shared"]
    subprocess.run([*compiler(), *flags, f"-I{runtime}", "-c", "-o", made, unit], check=True)
    subprocess.run(["objcopy", "-O", "binary", "--only-section=.text", made, text], check=True)
    return text.read_bytes()


@pytest.mark.skipif(
    shutil.which("objcopy") is None, reason="binutils take the instructions out of the object"
)
def test_hooks_leave_no_instruction(tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    removed = 0
    for path in RUNTIME.glob("*.[ch]"):
        text = path.read_text()
        if path.name != "trace.h":
            text, count = HOOK.subn("", text)
            removed += count
        (bare / path.name).write_text(text)
    assert removed > 15
    for name in ("copies", "externs", "match", "selector", "shapes"):
        source = generate(load(program(name))).source
        stripped, count = HOOK.subn("", source)
        assert count > 5
        assert "TRACE(" not in stripped
        (tmp_path / "hooked.c").write_text(source)
        (tmp_path / "bare.c").write_text(stripped)
        hooked = machine_code(RUNTIME, tmp_path / "hooked.c", tmp_path)
        assert len(hooked) > 1000
        assert hooked == machine_code(bare, tmp_path / "bare.c", tmp_path)
    for unit in UNITS:
        assert machine_code(RUNTIME, RUNTIME / unit, tmp_path) == machine_code(bare, bare / unit, tmp_path)
