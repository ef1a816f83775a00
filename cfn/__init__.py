"""Compute First Networking: the protocol, and what a host needs to speak it."""
