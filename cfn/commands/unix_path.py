"""`unix:PATH` on the command line."""

from __future__ import annotations

from pathlib import Path

import typer


def unix_path(text: str, option: str) -> Path:
    """The path of `unix:PATH`.

    Raises:
        typer.BadParameter: it is of another form.
    """
    scheme, _, path = text.partition(":")
    if scheme != "unix" or not path:
        raise typer.BadParameter(f"{text!r} is not of the form unix:PATH", param_hint=option)
    return Path(path)
