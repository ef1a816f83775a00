"""Fuzzing of generated code and runtime: `python -m tests.switch.fuzz --help`."""
