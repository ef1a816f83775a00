"""Functions for the tests of servers and clients."""

import os
import time

from cfn.function import MAX_OUTPUT, BadInputError, function


@function("test/echo")
def echo(payload: bytes) -> bytes:
    return payload


@function("test/upper", runs="thread")
def upper(payload: bytes) -> bytes:
    return payload.upper()


@function("test/reversed", runs="thread")
def turned(payload: bytes) -> bytes:
    return payload[::-1]


@function("test/moody")
def moody(payload: bytes) -> bytes:
    """Does what the payload says."""
    match payload.split():
        case [b"refuse"]:
            raise BadInputError("not today")
        case [b"raise"]:
            raise KeyError("missing")
        case [b"die"]:
            os._exit(3)
        case [b"huge"]:
            return bytes(MAX_OUTPUT + 1)
        case [b"text"]:
            return "no bytes"  # type: ignore[return-value]
        case [b"who"]:
            return str(os.getpid()).encode()
        case [b"append", name]:
            with open(name, "ab") as log:
                log.write(b"x")
        case [b"until", name]:
            while not os.path.exists(name):
                time.sleep(0.002)
    return payload


@function("test/threaded", runs="thread")
def threaded(payload: bytes) -> bytes:
    return moody(payload)


def _sizes(payload: bytes) -> bytes:
    """Says how long the payload is, and leaves an x in the file that its first line may name."""
    if payload.startswith(b"log "):
        with open(payload.split(b"\n")[0][4:], "ab") as log:
            log.write(b"x")
    if payload.startswith(b"refuse"):
        raise BadInputError("not today")
    return b"%d bytes" % len(payload)


size = function("test/size")(_sizes)
pure_size = function("test/size", pure=True)(_sizes)
threaded_size = function("test/size", runs="thread")(_sizes)


not_a_function = len
