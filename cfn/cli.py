"""The `cfn` command: the verbs of this package, and those that other packages plug in.

A plug-in is an entry point of the group `cfn.commands` whose value is a typer app. It is imported only when
its verb is used, so a plug-in that can't be imported costs nobody else anything.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import cast

import typer

from cfn.commands.agent import agent
from cfn.commands.call import call
from cfn.commands.data import data
from cfn.commands.failure import FAILED
from cfn.commands.ids import ids
from cfn.commands.inspect import inspect
from cfn.commands.serve import serve
from cfn.commands.trace import trace

GROUP = "cfn.commands"
_COMPLETION = "_CFN_COMPLETE"


class PlugInError(Exception):
    """A verb that another package brings can't be used."""


def build(arguments: list[str]) -> typer.Typer:
    """The app for these command-line arguments: with the plug-in that they use, the others by name only.

    Raises:
        PlugInError: the plug-in that they use can't be imported; says which and why.
    """
    app = typer.Typer(
        help="Compute First Networking: call functions, serve them, and run the network that finds them.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name, command in (
        ("call", call),
        ("trace", trace),
        ("serve", serve),
        ("agent", agent),
        ("inspect", inspect),
        ("id", ids),
    ):
        app.command(name)(command)
    app.add_typer(data, name="data")
    wanted = arguments[0] if arguments else ""
    for plug_in in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        if plug_in.name == wanted or _COMPLETION in os.environ:
            app.add_typer(_load(plug_in), name=plug_in.name)
        else:
            app.command(plug_in.name, help=_first_line(plug_in))(_not_loaded)
    return app


def main() -> None:
    """Entry point of the `cfn` command."""
    try:
        app = build(sys.argv[1:])
    except PlugInError as error:
        print(f"cfn: {error}", file=sys.stderr)
        sys.exit(FAILED)
    app(prog_name="cfn")


def _load(plug_in: EntryPoint) -> typer.Typer:
    try:
        app: object = plug_in.load()
    except Exception as error:
        reason = f"the verb {plug_in.name!r} is there, but {plug_in.value} can't be imported: {error}"
        raise PlugInError(reason) from error
    if not isinstance(app, typer.Typer):
        raise PlugInError(f"the verb {plug_in.name!r} is there, but {plug_in.value} is no typer app")
    return app


def _first_line(plug_in: EntryPoint) -> str:
    """What the plug-in's module says it is, read without importing it."""
    try:
        found = importlib.util.find_spec(plug_in.module)
        source = Path(cast(str, found.origin)).read_text() if found else ""
        text = ast.get_docstring(ast.parse(source))
    except (ImportError, OSError, SyntaxError, TypeError):
        text = None
    return text.splitlines()[0] if text else f"(from {plug_in.module})"


def _not_loaded() -> None:
    raise AssertionError("a plug-in's verb that is used has been loaded")


if __name__ == "__main__":
    main()
