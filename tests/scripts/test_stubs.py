from pathlib import Path

import pytest

from scripts.stubs import SOURCES, generate

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_the_committed_stubs_are_what_the_schema_generates(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed")
    monkeypatch.chdir(ROOT)
    for generated in generate(source, tmp_path):
        assert generated.read_text() == (source.parent / generated.name).read_text(), generated.name
