"""`cfn id`: from names to FuncIDs."""

from __future__ import annotations

from typing import Annotated

import typer

from cfn.names import FUNC_ID_BITS, func_prefix


def ids(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="namespace/function, or namespace/*.")
    ],
) -> None:
    """Print the FuncID of each name, or the prefix that stands for a whole namespace."""
    for name in names:
        try:
            value, bits = func_prefix(name)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        print(f"{name}  0x{value:016x}" + ("" if bits == FUNC_ID_BITS else f"/{bits}"))
