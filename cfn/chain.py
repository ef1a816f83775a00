"""Chains of functions: the output of one is the input of the next, and the client gets the last one's.

The network carries a chain on from instance to instance by the CHAIN extension of docs/wire-format.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cfn.extension_bodies import MAX_CHAIN, Chain, ChainFunction
from cfn.names import DATA_ID_LENGTH, data_out_id, function_number
from cfn.wire import Header, Packet

Following = str | int | tuple[str | int, bytes]
"""A further function of a chain: its name or FuncID, and if wanted the DataOut of its output."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One function of a chain, with the identifiers of its input and output; a call without a chain is one.

    Attributes:
        func_id: the function, 64 bits.
        data_in: content identifier of its input, 16 bytes: but for the first, `data_out` of the one before.
        data_out: identifier under which its output is to be known, 16 bytes.
    """

    func_id: int
    data_in: bytes
    data_out: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a chain something happened.

    Attributes:
        number: which function of the chain, from 1.
        total: how many the chain has.
        stage: that function.
    """

    number: int
    total: int
    stage: Stage

    def __str__(self) -> str:
        return f"function {self.number} of {self.total} (0x{self.stage.func_id:016x})"


def build_chain(following: Sequence[Following], data_in: bytes) -> Chain:
    """The CHAIN for the functions that follow the first one, whose output is known as `data_in`.

    Raises:
        ValueError: more functions than a chain holds, no function name, or no content identifier.
    """
    if len(following) > MAX_CHAIN:
        raise ValueError(f"a chain of {len(following)} further functions: {MAX_CHAIN} is the most")
    functions: list[ChainFunction] = []
    for each in following:
        function, data_out = each if isinstance(each, tuple) else (each, None)
        number = function_number(function)
        if data_out is None:
            data_out = data_out_id(number, data_in)
        elif len(data_out) != DATA_ID_LENGTH:
            raise ValueError(f"a content identifier has {DATA_ID_LENGTH} bytes, not {len(data_out)}")
        functions.append(ChainFunction(number, data_out))
        data_in = data_out
    return Chain(tuple(functions))


def stages_of(request: Packet) -> tuple[Stage, ...]:
    """The stages that a request asks for, the next one first."""
    stages = [stage_of(request.header)]
    for function in request.chain.functions if request.chain else ():
        stages.append(Stage(function.func_id, stages[-1].data_out, function.data_out))
    return tuple(stages)


def stage_of(header: Header) -> Stage:
    """The stage that a request, a response or a NACK is of."""
    return Stage(header.func_id, header.data_in, header.data_out)
