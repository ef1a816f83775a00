"""How many examples the property tests try: a few, and $FUZZ_FACTOR times as many where it is set."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

FACTOR = int(os.environ.get("FUZZ_FACTOR", "1"))


def examples(few: int) -> settings:
    """The settings of a property test that tries `few` examples in an ordinary run."""
    slow = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    return settings(deadline=None, max_examples=few * FACTOR, suppress_health_check=slow)
