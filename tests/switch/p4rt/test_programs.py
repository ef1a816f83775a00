"""The compiled test program is that of its source, wherever p4c can tell."""

import shutil
import subprocess
from pathlib import Path

import pytest

from .messages import PROGRAMS


@pytest.mark.skipif(shutil.which("p4c-bm2-ss") is None, reason="p4c-bm2-ss is not installed")
def test_compiled_program_is_fresh(tmp_path: Path) -> None:
    for path in PROGRAMS.glob("*.p4"):
        files = [path.with_suffix(".json"), path.with_suffix(".p4info.txtpb")]
        json, p4info = (tmp_path / file.name for file in files)
        subprocess.run(
            ["p4c-bm2-ss", "--p4runtime-files", str(p4info), "-o", str(json), path.name],
            cwd=PROGRAMS, check=True, capture_output=True,
        )  # fmt: skip
        assert [file.read_text() for file in files] == [json.read_text(), p4info.read_text()]
