"""Functions that do next to nothing, so that what is measured is the network's part."""

from __future__ import annotations

import hashlib

from cfn.function import Function, function

CHAIN = ("step/one", "step/two", "step/three", "step/four")
"""Functions to be called one after another."""
DIGEST = "step/digest"


def _step(name: str) -> Function:
    """Return a function that makes 32 bytes of any input, other ones than the others make."""
    return function(name, runs="thread")(lambda payload: hashlib.sha256(name.encode() + payload).digest())


one, two, three, four, digest = (_step(name) for name in (*CHAIN, DIGEST))
