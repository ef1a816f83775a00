"""Generate the Python stubs of `inspect.proto`: `python -m switch.proto.generate [directory]`.

Needs grpcio-tools. The stubs are committed, so that installing the package does not; a test compares them.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

SOURCE = Path(__file__).with_name("inspect.proto")


def generate(directory: Path) -> list[Path]:
    """Write the message stubs, their type stubs and the service stubs; returns the files.

    Raises:
        RuntimeError: protoc refused the source.
    """
    from grpc_tools import protoc  # noqa: PLC0415 - a tool of development, not needed to run

    outputs = (f"--{kind}={directory}" for kind in ("python_out", "pyi_out", "grpc_python_out"))
    if protoc.main(["protoc", f"--proto_path={SOURCE.parent}", *outputs, SOURCE.name]) != 0:
        raise RuntimeError(f"protoc refused {SOURCE}")
    # The generated type stubs leave type arguments out, which strict checking would report.
    types = directory / "inspect_pb2.pyi"
    types.write_text("# pyright: basic\n" + types.read_text())
    service = directory / "inspect_pb2_grpc.py"
    text = service.read_text()
    service.write_text(
        re.sub(r"^import inspect_pb2", "from switch.proto import inspect_pb2", text, flags=re.M)
    )
    return [directory / "inspect_pb2.py", types, service]


if __name__ == "__main__":
    for path in generate(Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCE.parent):
        print(path)
