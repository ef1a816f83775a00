"""The data plane, and what p4c made of it: the compiled program is read from here by everyone."""

from pathlib import Path

COMPILED = Path(__file__).parent / "compiled"
JSON = COMPILED / "cfn.json"
P4INFO = COMPILED / "cfn.p4info.txtpb"
