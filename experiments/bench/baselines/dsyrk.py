"""The arithmetic floor of an iteration: two bare dsyrk calls, one per Gram matrix."""

import time

from scipy.linalg.blas import dsyrk

from emmd.experiments.bench.baseline import Baseline, Runner


class TwoDsyrk(Baseline):
    """Two calls of BLAS' dsyrk on the features, without weights: an iteration needs two Gram matrices.

    Both storage orders are tried outside the clock and the faster one is the floor.
    """

    name = "dsyrk"
    title = "two bare dsyrk calls"
    floor = True

    def prepare(self, timed):
        """Return a loop over pairs of calls in the faster storage order."""
        rows = timed.problem.X
        row_major = rows.T.copy(order="F")
        feature_major = rows.copy(order="F")
        calls = (lambda: dsyrk(1.0, row_major), lambda: dsyrk(1.0, feature_major, trans=1))
        call = min(calls, key=_seconds)

        def advance(theta, steps):
            for _ in range(2 * steps):
                call()

        return Runner(advance)


def _seconds(call):
    taken = []
    for _ in range(4):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return min(taken)


BASELINE = TwoDsyrk()
