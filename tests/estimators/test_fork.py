"""A fit in a forked child ends, with the parent's bits: threads that the parent has used are not there."""

import os
import subprocess

import pytest

SCRIPT = """
import faulthandler, multiprocessing, os, sys, warnings
import numpy as np
import emmd
from emmd.kernels.rows.reduce import PARALLEL_ROWS

warnings.simplefilter("ignore")
fork = multiprocessing.get_context("fork")
rng = np.random.default_rng(0)
X = rng.standard_normal((PARALLEL_ROWS + 1, 3))
y = X[:, 0] * np.where(rng.random(len(X)) < 0.5, 1, -1) + 0.1 * rng.standard_normal(len(X))
ESTIMATORS = {
    "regressor": (emmd.MixtureOfExpertsRegressor, y),
    "classifier": (emmd.MixtureOfExpertsClassifier, (y > 0).astype(int)),
}


def bits(kind, n, jobs):
    make, target = ESTIMATORS[kind]
    fitted = make(2, n_init=2, n_jobs=jobs, random_state=0, max_iter=5).fit(X[:n], target[:n])
    return fitted._theta.tobytes() + fitted.log_density(X[:n], target[:n]).tobytes()


def in_child(expected, kind, n, jobs):
    # what hangs says where, and ends
    faulthandler.dump_traceback_later(60, exit=True)
    same = bits(kind, n, jobs) == expected
    faulthandler.cancel_dump_traceback_later()
    return 0 if same else 3


def forked(*what):
    child = os.fork()
    if not child:
        os._exit(in_child(*what))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def process(*what):
    started = fork.Process(target=lambda: sys.exit(in_child(*what)))
    started.start()
    started.join()
    return started.exitcode


for kind in ESTIMATORS:
    for n in (500, len(X)):
        expected = bits(kind, n, 2)
        assert (forked(expected, kind, n, None), process(expected, kind, n, 2)) == (0, 0), (kind, n)
print("same")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fit_in_a_forked_child_ends_with_the_parents_bits(python):
    ran = subprocess.run([python, "-c", SCRIPT], capture_output=True, text=True, timeout=300)
    assert ran.stdout == "same\n", ran.stderr
