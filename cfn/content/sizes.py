"""How much a data agent keeps unless it is told otherwise."""

MEGABYTE = 1_000_000
LIMIT = 1000 * MEGABYTE
"""Bytes of content."""
RESULTS_LIMIT = 16 * MEGABYTE
"""Bytes of results; each has at most one datagram."""
LARGEST = 16 * MEGABYTE
"""Bytes of one item of content: a function gets its input whole."""
TIMEOUT_S = 10.0
"""For one fetch."""
