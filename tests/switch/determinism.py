"""What two switches cannot have in common is taken out of a program, so that all the rest can be compared.

Rules, by what would differ:
- time and queues: the fields that a switch fills with timestamps and queue lengths lose their aliases, by
  which it finds them, and stay 0;
- `random`: gives its lower bound;
- `assert` and `assume`: hold always (BMv2 aborts where one does not hold);
- an index of a header stack that is computed is taken modulo the stack's size (BMv2 aborts beyond it), a
  negative one as 0 (BMv2 aborts there too);
- fields of invalid headers: BMv2 shows what an earlier packet left there, the embedded switch 0; BMv2 gets a
  parser state in front that sets all of them to 0;
- a lookahead in a select past the end of the packet: BMv2 reads what lies behind it; there it gets an
  assignment from the same lookahead before, which is checked.

The first four change the program for both switches, the last two for BMv2 alone.
"""

from __future__ import annotations

import json
from typing import Any

_FILLED = (
    "intrinsic_metadata.ingress_global_timestamp",
    "intrinsic_metadata.egress_global_timestamp",
    "queueing_metadata.enq_timestamp",
    "queueing_metadata.enq_qdepth",
    "queueing_metadata.deq_timedelta",
    "queueing_metadata.deq_qdepth",
    "queueing_metadata.qid",
)
_INDEX_BITS = 64
_NEW = 1 << 20  # ids beyond all that p4c gives
_SCRATCH = "lookahead_scratch"


def settled(program: bytes) -> bytes:
    """The program without time, queues, chance and assertions, for both switches."""
    root = json.loads(program)
    root["field_aliases"] = [alias for alias in root.get("field_aliases", []) if alias[0] not in _FILLED]
    for call in _calls(root):
        if call["op"] == "modify_field_rng_uniform":
            call["op"], call["parameters"] = "assign", call["parameters"][:2]
        elif call["op"] in {"assert", "assume"}:
            call["op"], call["parameters"] = "no_op", []
    _bound_indices(root, {stack["name"]: len(stack["header_ids"]) for stack in root.get("header_stacks", [])})
    return json.dumps(root).encode()


def _bound_indices(node: Any, sizes: dict[str, int]) -> None:
    if isinstance(node, list):
        for value in node:
            _bound_indices(value, sizes)
    elif isinstance(node, dict):
        for value in node.values():
            _bound_indices(value, sizes)
        if node.get("op") == "dereference_header_stack" and node["right"]["type"] != "hexstr":
            size = {"type": "hexstr", "value": hex(sizes[node["left"]["value"]])}
            width = {"type": "hexstr", "value": hex(_INDEX_BITS)}
            natural = {"op": "usat_cast", "left": node["right"], "right": width}
            bounded = {"op": "%", "left": {"type": "expression", "value": natural}, "right": size}
            node["right"] = {"type": "expression", "value": bounded}


def for_bmv2(program: bytes) -> bytes:
    """The program with what the embedded switch promises about invalid headers and lookaheads."""
    root = json.loads(program)
    parser = root["parsers"][0]
    _check_lookaheads(root, parser)
    types = {t["name"]: t for t in root["header_types"]}
    parser["parse_states"].append(
        {
            "name": "clean_headers",
            "id": _NEW,
            "parser_ops": [
                _set([header["name"], field[0]], {"type": "hexstr", "value": "0x00"})
                for header in root["headers"]
                if not header["metadata"]
                for field in types[header["header_type"]]["fields"]
            ],
            "transitions": [
                {"type": "default", "value": None, "mask": None, "next_state": parser["init_state"]}
            ],
            "transition_key": [],
        }
    )
    parser["init_state"] = "clean_headers"
    return json.dumps(root).encode()


def _set(field: list[str], source: dict[str, Any]) -> dict[str, Any]:
    return {"op": "set", "parameters": [{"type": "field", "value": field}, source]}


def _check_lookaheads(root: dict[str, Any], parser: dict[str, Any]) -> None:
    widths: set[int] = set()
    for state in parser["parse_states"]:
        for part in state["transition_key"]:
            if part["type"] == "lookahead":
                width = part["value"][1]
                widths.add(width)
                state["parser_ops"].append(_set([_SCRATCH, f"w{width}"], part))
    if widths:
        fields: list[list[Any]] = [[f"w{width}", width, False] for width in sorted(widths)]
        fields.append(["_padding", -sum(widths) % 8, False])
        if not fields[-1][1]:
            fields.pop()
        root["header_types"].append({"name": _SCRATCH, "id": _NEW, "fields": fields})
        root["headers"].append(
            {
                "name": _SCRATCH,
                "id": _NEW,
                "header_type": _SCRATCH,
                "metadata": True,
                "pi_omit": True,
            }
        )


def _calls(root: dict[str, Any]) -> list[dict[str, Any]]:
    """All primitive calls of actions, parser states and deparsers."""
    found: list[dict[str, Any]] = [call for action in root["actions"] for call in action["primitives"]]
    for parser in root["parsers"]:
        for state in parser["parse_states"]:
            found += [op["parameters"][0] for op in state["parser_ops"] if op["op"] == "primitive"]
    for deparser in root["deparsers"]:
        found += deparser.get("primitives", [])
    return found
