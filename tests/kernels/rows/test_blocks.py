"""What work arrays hold at first reaches no sum: the rows that pad the last block are made of zeros."""

import numba
import numpy as np
import pytest

from emmd.kernels.em import symmetric_linear, symmetric_logistic
from emmd.kernels.rows.blocks import BLOCK
from emmd.kernels.solvers import logistic as logistic_regression
from emmd.kernels.solvers.newton_steps import GRADIENT, HESSIAN

pytestmark = [
    pytest.mark.kernels,
    pytest.mark.skipif(not numba.config.DISABLE_JIT, reason="compiled kernels keep their own work arrays"),
]


@pytest.mark.parametrize("n", [1, 40, BLOCK + 3])
@pytest.mark.parametrize("apart", [False, True])
def test_sums_do_not_depend_on_what_work_arrays_held(n, apart, monkeypatch):
    d, rng = 3, np.random.default_rng(n)
    XB = np.zeros((-(-n // BLOCK), d, BLOCK))
    XB[...] = rng.standard_normal(XB.shape)
    y, c = np.sign(rng.standard_normal(n)), rng.uniform(size=n)
    working = rng.standard_normal(2 * d)
    w, start = working[d:].copy(), rng.standard_normal(2 * d) if apart else working

    def sums(held):
        for module in (logistic_regression, symmetric_linear, symmetric_logistic):
            monkeypatch.setattr(module, "block_rows", lambda count: np.full((count, BLOCK), held))
        partials, labels = np.zeros((4, 1, 1 + 2 * (d + d * (d + 1) // 2))), np.zeros((2, n))
        arguments = XB, y, c, working, start
        symmetric_linear.e_step_rows(0, 1, partials[0, :, :13], *arguments, labels[:1])
        symmetric_logistic.e_step_rows(0, 1, partials[1], *arguments, labels)
        for out, wanted in ((partials[2, :, :10], HESSIAN), (partials[3, :, :10], GRADIENT)):
            logistic_regression.logistic_rows(0, 1, out, XB, w[None], labels[:1], c, np.array([wanted]))
        return partials

    found = sums(np.nan)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found, sums(0.0))
