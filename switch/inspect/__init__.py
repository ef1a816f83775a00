"""Inspect: what the switch tells of itself: the way of a packet, and its counts."""
