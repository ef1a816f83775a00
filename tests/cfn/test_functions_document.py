"""What docs/functions.md shows is run as it stands there, but for the port."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cfn.network import free_port

DOCUMENT = Path(__file__).parents[2] / "docs" / "functions.md"


@pytest.fixture
def written(tmp_path):
    """The document's Python files, each under the name in its first line; what has none is a fragment."""
    port = free_port()
    files = re.findall(r"^```python\n(# (\w+\.py)\n.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    for block, name in files:
        text = block.replace("Server(instances)", f"Server(instances, port={port})")
        text = text.replace('Client("127.0.0.1")', f'Client("127.0.0.1", port={port})')
        (tmp_path / name).write_text(text)
    return tmp_path, port


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_the_function_is_served_and_called_as_shown(written):
    folder, port = written
    serve = ["-m", "cfn.cli", "serve", "greet:greet", "--listen", "127.0.0.1", "--instance", "1"]
    server = subprocess.Popen(
        [sys.executable, *serve, "--port", str(port), "--drain", "0"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    with server:
        assert server.stdout.readline().startswith("demo/greet as instance 1")
        assert run(folder, "call.py") == "hello, you\n"
        command = ("-m", "cfn.cli", "call", "demo/greet", "you", "--to", "127.0.0.1", "--port", str(port))
        assert "hello, you" in run(folder, *command)
        server.terminate()
        assert server.wait(30) == 0


def test_the_server_of_two_instances_serves_both(written):
    folder, port = written
    server = subprocess.Popen([sys.executable, "serve.py"], cwd=folder)
    try:
        for address in ("127.0.0.2", "127.0.0.3"):
            command = ("-m", "cfn.cli", "call", "demo/greet", "you", "--raw", "--to", address)
            assert run(folder, *command, "--port", str(port), "--attempts", "8") == "hello, you"
    finally:
        server.terminate()
        server.wait(30)


def test_the_packet_is_shown(written):
    folder, _ = written
    assert "kind      = REQUEST" in run(folder, "look.py")
