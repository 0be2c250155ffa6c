"""The bits of a result do not depend on what else a process has computed before."""

import os
import subprocess

import numba
import pytest

SCRIPT = """
import sys
import numpy as np
import emmd


found = []
for gate, variance in (("softmax", "free"), ("constant", "shared")):
    rng = np.random.default_rng([3])
    model = emmd.MixtureOfExperts(3, 3, gate=gate, variance=variance)
    theta = rng.standard_normal(model.n_params)
    X = rng.standard_normal((9_000, 3))
    problem = emmd.Problem(model, X, model.sample_y(theta, X, 1))
    if "{before}" == "passes":
        model.e_step_pass(problem.data, theta)
    if "{before}" == "runs":
        emmd.minimize(problem, theta, "gradient_em", max_iter=3)
    loss, m_step = model.em_step(problem.data, theta)
    found += [loss.hex(), *(value.hex() for value in m_step.theta.tolist())]
print(*found)
"""


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="it is compiled code that has copies")
def test_the_same_bits_whatever_a_process_has_called_before(python):
    """Three experts: the Gram matrix of the last is what two others leave, which has two orders."""
    found = set()
    for before in ("nothing", "passes", "runs"):
        script = SCRIPT.replace("{before}", before)
        ran = subprocess.run(
            [python, "-c", script], env=os.environ, text=True, capture_output=True, timeout=300
        )
        assert ran.returncode == 0, ran.stderr
        found.add(ran.stdout)
    assert len(found) == 1
