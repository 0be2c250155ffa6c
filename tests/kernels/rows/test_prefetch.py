"""A pass over the rows fetches the features of every next block, and nothing else."""

import numba
import numpy as np
import pytest
from numba.core.caching import NullCache

from emmd.kernels.compile.jit import kernel
from emmd.kernels.em import symmetric_linear, symmetric_logistic
from emmd.kernels.em.gaussian_mixture import e_step_rows, sums_width
from emmd.kernels.rows import prefetch
from emmd.kernels.rows.blocks import BLOCK, block_rows
from emmd.kernels.solvers.logistic import logistic_rows
from emmd.kernels.solvers.multinomial import softmax_rows
from emmd.kernels.solvers.newton_steps import DONE, GRADIENT, HESSIAN

pytestmark = pytest.mark.kernels
LINE = 64


def _logistic(XB, y, c, W, wanted):
    d = XB.shape[1]
    partials = np.zeros((1, len(W) * (1 + d + d * (d + 1) // 2)))
    logistic_rows(0, 1, partials, XB, W, np.tile(c, (len(W), 1)), c, np.array(wanted))


def _symmetric(kernels, XB, y, c, W, apart):
    partials = np.zeros((1, kernels.sums_width(XB.shape[1])))
    labels, start = np.zeros((2, len(y))), W.ravel() + (0.1 if apart else 0.0)
    kernels.e_step_rows(0, 1, partials, XB, y, c, W.ravel(), start, labels)


def _loss(XB, y, c, W):
    partials, labels = np.zeros((1, 1)), np.zeros((1, len(y)))
    symmetric_linear.e_step_rows(0, 1, partials, XB, y, c, W.ravel(), W.ravel(), labels)


def _gaussian(XB, y, c, W, K):
    d = XB.shape[1]
    gate, r = np.zeros((K - 1, d)), np.zeros((K, len(y)))
    partials = np.zeros((1, sums_width(K, d, d)[1]))
    coef = np.tile(W[0], (K, 1))
    e_step_rows(0, 1, partials, XB, XB, y, c, coef, np.zeros(K), gate, np.zeros(K - 1), gate + 0.1, r)


def _softmax(XB, y, c, W, hessian):
    d = XB.shape[1]
    partials = np.zeros((1, 2 * d + 3 * (d * (d + 1) // 2) if hessian else 2 * d))
    softmax_rows(0, 1, partials, XB, W, np.full((3, len(y)), 1 / 3), c)


PASSES = {
    "gradient": lambda *sample: _logistic(*sample[:3], sample[3][:1], [GRADIENT]),
    "hessian": lambda *sample: _logistic(*sample[:3], sample[3][:1], [HESSIAN]),
    "one of two": lambda *sample: _logistic(*sample, [DONE, GRADIENT]),
    "two": lambda *sample: _logistic(*sample, [GRADIENT, HESSIAN]),
    "symmoline": lambda *sample: _symmetric(symmetric_linear, *sample, False),
    "symmoline, apart": lambda *sample: _symmetric(symmetric_linear, *sample, True),
    "symmologe": lambda *sample: _symmetric(symmetric_logistic, *sample, False),
    "symmologe, apart": lambda *sample: _symmetric(symmetric_logistic, *sample, True),
    "loss": _loss,
    "Gaussian, 2": lambda *sample: _gaussian(*sample, 2),
    "Gaussian, 3": lambda *sample: _gaussian(*sample, 3),
    "softmax gradient": lambda *sample: _softmax(*sample, False),
    "softmax hessian": lambda *sample: _softmax(*sample, True),
}


def _fetched_lines(monkeypatch, name, n, d):
    """Run a pass; return numbers of the lines it fetches, counted from the first of the features."""
    rng = np.random.default_rng([n, d])
    XB = block_rows(-(-n // BLOCK) * d).reshape(-1, d, BLOCK)
    XB[...] = rng.standard_normal(XB.shape)
    lines = []
    monkeypatch.setattr(
        prefetch,
        "fetch_line",
        lambda array, place: lines.append((array.ctypes.data - XB.ctypes.data + 8 * place) // LINE),
    )
    PASSES[name](XB, np.sign(rng.standard_normal(n)), np.full(n, 1.0 / n), rng.standard_normal((2, d)))
    return lines


in_python = pytest.mark.skipif(not numba.config.DISABLE_JIT, reason="nothing shows what machine code fetches")


@in_python
@pytest.mark.parametrize("d", [1, 2, 3, 4, 5, 9, 10])
@pytest.mark.parametrize("name", PASSES)
def test_the_next_block_is_fetched_whole(monkeypatch, name, d):
    monkeypatch.setattr(prefetch, "_AT_HAND", 0)
    of_block = d * BLOCK * 8 // LINE
    lines = _fetched_lines(monkeypatch, name, 2 * BLOCK + 40, d)
    # the first is there before anything can be fetched
    assert set(lines) == set(range(of_block, 3 * of_block))
    # twice where two regressions, or gate and experts, take turns; steps end inside of a line
    assert len(lines) <= 2 * 3 * of_block + 100


@in_python
@pytest.mark.parametrize("name", PASSES)
def test_nothing_is_fetched_that_lies_at_hand(monkeypatch, name):
    assert not _fetched_lines(monkeypatch, name, 2 * BLOCK + 40, 10)


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="there is no machine code to look at")
def test_fetches_are_instructions_of_the_processor():
    def fetches(x):
        prefetch.fetch(x, 1, 24)

    function = kernel(fetches)
    function.whole._cache = NullCache()  # machine code from disk shows nothing
    function(np.zeros(64))
    (code,) = function.whole.inspect_llvm().values()
    assert "call void @llvm.prefetch" in code
