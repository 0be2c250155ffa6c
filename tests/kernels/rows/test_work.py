"""Work arrays begin with a cache line, and loops over rows count no references to arrays."""

import numba
import numpy as np
import pytest
from numba.core.caching import NullCache

import emmd
from emmd.kernels.compile.jit import allocating, kernel
from emmd.kernels.rows.blocks import BLOCK, block_rows

pytestmark = pytest.mark.kernels


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 1000])
def test_rows_begin_with_a_cache_line(count):
    kept = [block_rows(count) for _ in range(20)]
    assert all(rows.shape == (count, BLOCK) and rows.ctypes.data % 64 == 0 for rows in kept)
    kept[0][:] = 1.0
    kept[1][:] = 2.0
    assert (kept[0] == 1.0).all()


@pytest.mark.parametrize("n", [1, BLOCK, 1000])
def test_features_begin_with_a_cache_line(n):
    X = np.random.default_rng(n).standard_normal((n, 3))
    design = emmd.Problem(emmd.SymMoLinE(3), X, np.ones(n)).data.design
    assert design.XB.ctypes.data % 64 == 0
    np.testing.assert_array_equal(design.X, X)


def _last_positive(x, out):
    row = x[0]
    for i in range(x.shape[0]):
        if x[i, 0] > 0.0:
            row = x[i]
    out[0] = row[0]


def _makes_an_array(x):
    made = np.zeros(3)
    made[0] = x[0]
    x[0] = made.sum()


compiled = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="there is no machine code to look at")


@compiled
def test_kernels_count_no_references_and_those_that_make_arrays_do():
    def counts(decorator):
        function = decorator(_last_positive)
        function.whole._cache = NullCache()  # machine code from disk shows nothing
        function(np.zeros((5, 2)), np.zeros(1))
        (code,) = function.whole.inspect_llvm().values()
        return "NRT_decref" in code

    assert (counts(kernel), counts(allocating)) == (False, True)


@compiled
def test_a_kernel_that_makes_an_array_is_refused():
    with pytest.raises(numba.TypingError, match="Only accept returning of array passed into the function"):
        kernel(_makes_an_array)(np.ones(1))
    x = np.ones(1)
    allocating(_makes_an_array)(x)
    assert x[0] == 1.0
