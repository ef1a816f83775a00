"""What all command lines of the switch have in common: how they are read, and how failures are told."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """Tells what is wrong in one line, and exits with 2."""

    def error(self, message: str) -> NoReturn:
        """See `argparse.ArgumentParser.error`."""
        self.exit(2, f"switch: {message} (--help tells more)\n")


@dataclass(frozen=True, slots=True)
class Number:
    """Takes decimal numbers from `least` to `limit` - 1."""

    least: int
    limit: int

    def __call__(self, text: str) -> int:
        """The number.

        Raises:
            argparse.ArgumentTypeError: it is none of these.
        """
        number = int(text) if text.isascii() and text.isdigit() else -1
        if not self.least <= number < self.limit:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a number from {self.least} to {self.limit - 1}"
            )
        return number


def one_line(error: Exception) -> str:
    """An error for people: which file it is about, if it is about one, and what is wrong."""
    if not isinstance(error, OSError) or not error.strerror:
        return " ".join(str(error).split())
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
