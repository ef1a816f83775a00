"""`cfn data`, as a user meets it."""

import json
import os
import signal
import subprocess
import sys

import pytest

from cfn.names import data_in_id
from tests.cfn.network import free_port
from tests.cfn.test_cli import cfn

PICTURE = os.urandom(200_000)
PICTURE_ID = data_in_id(PICTURE).hex()


def start(folder, *arguments: str) -> subprocess.Popen[str]:
    """A `cfn data serve` that has begun to listen, with its cache and socket in a folder."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "cfn.cli", "data", "serve", str(folder / "cache")),
            *("--data", f"unix:{folder}/data.sock", *arguments),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline().startswith("data agent at ")
    return process


def stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    process.stdout.close()


@pytest.fixture
def local(tmp_path, monkeypatch):
    """The socket of a data agent that runs."""
    process = start(tmp_path, "--limit", "1")
    monkeypatch.setenv("CFN_DATA", f"unix:{tmp_path}/data.sock")
    yield f"unix:{tmp_path}/data.sock"
    stop(process)


def test_what_is_put_can_be_got_and_is_listed(local, tmp_path):
    picture, empty = tmp_path / "picture", tmp_path / "empty"
    picture.write_bytes(PICTURE)
    empty.write_bytes(b"")
    done = cfn("data", "put", str(picture), str(empty))
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, f"{PICTURE_ID} {picture}")
    assert cfn("data", "get", PICTURE_ID).stdout_bytes == PICTURE
    done = cfn("data", "list", "--data", local)
    assert done.stdout.splitlines()[:3] == [
        f"{PICTURE_ID}  200000 bytes",
        f"{data_in_id(b'').hex()}  0 bytes",
        "content: 200000 of 1000000 bytes; results: 0 of 16000000 bytes",
    ]
    held = json.loads(cfn("data", "list", "--json").stdout)
    assert [each["id"] for each in held["content"]] == [PICTURE_ID, data_in_id(b"").hex()]


def test_a_function_that_is_served_finds_what_was_put_and_its_result_is_listed(local, tmp_path):
    port = str(free_port())
    (tmp_path / "picture").write_bytes(PICTURE)
    cfn("data", "put", str(tmp_path / "picture"))
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "cfn.cli", "serve", "tests.cfn.sample_functions:size", "--pure"),
            *("--listen", "127.0.0.1", "--instance", "1", "--port", port, "--drain", "0", "--data", local),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout.readline().startswith("test/size as instance 1")
    arguments = ("call", "test/size", "--to", "127.0.0.1", "--port", port, "--timeout", "10")
    for _ in range(2):
        assert cfn(*arguments, "--data-in", PICTURE_ID, "--raw").stdout == "200000 bytes"
    done = cfn(*arguments, "--data-in", "7" * 32)
    assert (done.exit_code, "MISSING_INPUT" in done.stderr) == (1, True)
    assert f"for {PICTURE_ID}" in cfn("data", "list").stdout
    stop(server)


def test_two_sites_serve_each_other(tmp_path):
    near, far = tmp_path / "near", tmp_path / "far"
    near.mkdir()
    far.mkdir()
    (far / "picture").write_bytes(PICTURE)
    ports = [free_port(), free_port()]
    there = start(far, "--listen", "127.0.0.1", "--port", str(ports[0]))
    url = f"http://127.0.0.1:{ports[0]}"
    here = start(
        near, "--listen", "127.0.0.1", "--port", str(ports[1]), "--site", f"2={url}", "--origin", url
    )
    cfn("data", "put", str(far / "picture"), "--data", f"unix:{far}/data.sock")
    assert cfn("data", "get", PICTURE_ID, "--data", f"unix:{near}/data.sock").stdout_bytes == PICTURE
    for process in (here, there):
        stop(process)


def test_a_failure_is_one_line_and_exit_code_1(local, tmp_path):
    (tmp_path / "big").write_bytes(bytes(1_000_001))
    free = free_port()
    for arguments, text in (
        (("get", "7" * 32), f"cfn: {'7' * 32}: nobody is known to hold it\n"),
        (
            ("put", str(tmp_path / "big")),
            f"cfn: {tmp_path}/big: more than the 1000000 bytes that the cache has",
        ),
        (("list", "--data", f"unix:{tmp_path}/none"), f"cfn: the data agent at {tmp_path}/none does not"),
        (
            ("serve", str(tmp_path / "cache"), "--data", f"unix:{tmp_path}/other"),
            "in use by another data agent",
        ),
        (("serve", str(tmp_path / "x"), "--data", local), "cannot listen at"),
        (
            (
                *("serve", str(tmp_path / "y"), "--data", f"unix:{tmp_path}/other"),
                *("--listen", "192.0.2.1", "--port", str(free)),
            ),
            f"cannot listen on 192.0.2.1 TCP port {free}",
        ),
    ):
        done = cfn("data", *arguments)
        assert done.exit_code == 1, arguments
        assert text in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["data", "get", "abc"], "'abc' is no content identifier"),
        (["data", "get", "7" * 32, "--data", "/run/x"], "unix:PATH"),
        (["data", "serve", "x", "--site", "near=http://a"], "ID=URL"),
        (["data", "serve", "x", "--site", "0=http://a"], "ID=URL"),
        (["data", "serve", "x", "--site", "16384=http://a"], "ID=URL"),
        (["data", "serve", "x", "--site", "2=ftp://a"], "'ftp://a' is no http URL"),
        (["data", "serve", "x", "--origin", "http://[::1"], "is no http URL"),
        (["data", "serve", "x", "--listen", "near"], "IPv4 or IPv6"),
        (["call", "a/b", "text", "--data-in", "7" * 32], "given twice"),
        (["call", "a/b", "--data-in", "7"], "'7' is no content identifier"),
    ],
)
def test_what_is_wrongly_written_exits_with_2_and_says_why(arguments, text):
    done = cfn(*arguments)
    assert done.exit_code == 2
    assert text in " ".join(done.stderr.replace("│", " ").split())
