"""Settings of the tests in this folder."""

import os

from hypothesis import settings

# BLAS threads that spin for a core which others use make small products ten times slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# How long an example takes says more about who else uses the machine than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
