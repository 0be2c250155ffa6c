"""Kernels free the arrays that they make."""

import os
import subprocess

SCRIPT = """
import numpy as np
from numba.core.runtime import rtsys
import emmd

rng = np.random.default_rng(0)
models = [emmd.SymMoLinE(2), emmd.SymMoLogE(2), emmd.MixtureOfExperts(2, 2), emmd.MixtureOfExperts(2, 3)]
for model in models:
    theta = 0.3 * rng.standard_normal(model.n_params)
    X, y, _ = model.sample(theta, 300, 0)
    problem = emmd.Problem(model, X, y)
    alive = []
    for _ in range(3):
        emmd.minimize(problem, theta, max_iter=5)
        stats = rtsys.get_allocation_stats()
        alive.append(stats.alloc - stats.free)
    print(stats.alloc > 0, alive[2] - alive[1])
"""


def test_no_array_outlives_a_run(python):
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "0", "NUMBA_NRT_STATS": "1"}
    ran = subprocess.run([python, "-c", SCRIPT], env=environment, text=True, capture_output=True, timeout=600)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["True", "0"] * 4
