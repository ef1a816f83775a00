"""What is committed in p4src/compiled is what p4c makes of the sources."""

import shutil
from pathlib import Path

import pytest

import p4src
from cfn.wire import NackCode
from p4src import build, outcomes


def test_digest_is_of_the_sources():
    assert build.recorded()["source"] == build.source_digest()


def test_digest_sees_every_change(tmp_path: Path):
    (tmp_path / "a.p4").write_text("x")
    before = build.source_digest(tmp_path)
    (tmp_path / "a.p4").write_text("y")
    changed = build.source_digest(tmp_path)
    (tmp_path / "a.p4").rename(tmp_path / "b.p4")
    assert len({before, changed, build.source_digest(tmp_path)}) == 3


@pytest.mark.skipif(not shutil.which(build.P4C), reason="p4c is not installed")
def test_recompiling_gives_what_is_committed(tmp_path: Path):
    build.compile_into(tmp_path, build.P4C)
    if build.p4c_version(build.P4C) != build.recorded()["p4c"]:
        pytest.skip(f"another p4c than the recorded {build.recorded()['p4c']}")
    for path in (p4src.JSON, p4src.P4INFO):
        assert (tmp_path / path.name).read_text() == path.read_text()


def test_outcomes_name_the_nacks_as_the_wire_format_does():
    nacks = {
        name.removeprefix("NACK_"): number - 64
        for number, name in outcomes.names().items()
        if name.startswith("NACK_")
    }
    assert nacks == {code.name: code.value for code in NackCode}
