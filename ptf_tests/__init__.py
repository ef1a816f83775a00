"""Packet tests (PTF) of the data plane, the same for every target. See docs/testing.md."""
