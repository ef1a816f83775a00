from pathlib import Path

import pytest

from switch.proto.generate import SOURCE, generate


def test_the_committed_stubs_are_what_the_schema_generates(tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed")
    for generated in generate(tmp_path):
        assert generated.read_text() == (SOURCE.parent / generated.name).read_text(), generated.name
