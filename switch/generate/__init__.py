"""Generate: a typed program to C, one module per kind of construct."""

from switch.generate.source import Generated, generate

__all__ = ["Generated", "generate"]
