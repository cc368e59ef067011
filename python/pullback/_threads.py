"""How many threads may work."""

import os


def thread_count(asked):
    """The number of threads: what is asked for, else what OMP_NUM_THREADS, joblib and the machine allow."""
    if asked is not None:
        if int(asked) < 1:
            raise ValueError(f"n_threads must be at least 1, got {asked}.")
        return int(asked)
    from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

    allowed = _openmp_effective_n_threads()
    own = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return max(1, min(allowed, int(own)) if own.isdigit() and int(own) > 0 else allowed)
