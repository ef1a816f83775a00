"""Settings of all tests."""

import os

from hypothesis import HealthCheck, settings

# BLAS threads that spin for a core which others use make small products ten times slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# How long examples take says more about who else uses the machine than about the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
