"""Open p4runtime-shell on a running switch: `shell.py --grpc-addr 127.0.0.1:9559 --device-id 1`.

The switch keeps its pipeline. With the smallest election id there is, and another controller there, the shell
may only read; it writes when nobody else does, or with a higher `--election-id`.
"""

from __future__ import annotations

import sys

from p4runtime_sh import shell

READ_MOSTLY = "0,1"
"""The lowest election id that P4Runtime allows a primary to have."""


def main(arguments: list[str]) -> None:
    """Give p4runtime-shell its arguments, and defaults that disturb nobody."""
    if not any(argument.startswith("--election-id") for argument in arguments):
        arguments = [*arguments, "--election-id", READ_MOSTLY]
    sys.argv = ["p4runtime-shell", *arguments]
    shell.main()


if __name__ == "__main__":
    main(sys.argv[1:])
