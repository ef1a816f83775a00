"""Generate the Python stubs of all protocols, from the root of the project: `python -m scripts.stubs`.

Needs grpcio-tools. The stubs are committed beside the source, so that installing the package does not; a test
compares them.
"""

from __future__ import annotations

import re
from pathlib import Path

SOURCES = (Path("cfn/proto/advert.proto"), Path("cfn/proto/orca.proto"), Path("switch/proto/inspect.proto"))


def generate(source: Path, directory: Path) -> list[Path]:
    """Write the message stubs, their type stubs and the service stubs of a source; returns the files.

    The source's path, from the project's root, is also its package's.

    Raises:
        RuntimeError: protoc refused the source.
    """
    from grpc_tools import protoc  # noqa: PLC0415 - a tool of development, not needed to run

    outputs = (f"--{kind}={directory}" for kind in ("python_out", "pyi_out", "grpc_python_out"))
    if protoc.main(["protoc", f"--proto_path={source.parent}", *outputs, source.name]) != 0:
        raise RuntimeError(f"protoc refused {source}")
    messages = f"{source.stem}_pb2"
    # The generated type stubs leave type arguments out, which strict checking would report.
    types = directory / f"{messages}.pyi"
    types.write_text("# pyright: basic\n" + types.read_text())
    service = directory / f"{messages}_grpc.py"
    package = ".".join(source.parent.parts)
    imported = re.sub(
        rf"^import {messages}", f"from {package} import {messages}", service.read_text(), flags=re.M
    )
    service.write_text(imported)
    return [directory / f"{messages}.py", types, service]


if __name__ == "__main__":
    for source in SOURCES:
        for path in generate(source, source.parent):
            print(path)
